from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.services.demo import seed_cast
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from studies.services.demo import seed_studies


class Command(BaseCommand):
    help = "Make the demonstration's organisations, people, studies and one share. Safe to repeat."

    @under(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL, *CARE_DATA)
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("There is no demonstration where DEPLOYED=1.")
        people = seed_cast()
        made = seed_studies(people)
        if options["verbosity"]:
            self.stdout.write(f"{len(people)} people; {made} studies or files new")
