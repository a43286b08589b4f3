"""Take in the images of a portable copy that another portal has handed out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.selectors import actor_of_user, memberships_of_user
from consent.services.decisions import Refused as AccessRefused
from dsar.rules.portable import NotPortable
from dsar.services.importing import import_copy
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose

NOT_WHOLE = 3


class Command(BaseCommand):
    help = (
        "Take in a portable copy: ARCHIVE is what a person was handed out. Every digest and the "
        "document are looked at first. Exit status 0: every object that it names is here; 3: some "
        "were refused; 1: nothing was taken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("archive", metavar="ARCHIVE", type=Path)
        parser.add_argument("--user", required=True, metavar="EMAIL", help="who takes it in")

    @under(Purpose.TREATMENT, *CARE_DATA)
    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["archive"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        user = User.objects.with_email(options["user"]).filter(is_active=True).first()
        membership = memberships_of_user(user.pk).first() if user else None
        if user is None or membership is None:
            raise CommandError(f"Nobody of an organisation signs in as {options['user']}.")
        try:
            found = import_copy(actor=actor_of_user(user, membership.organisation), path=path)
        except NotPortable as refusal:
            raise CommandError(f"Nothing was taken. {refusal}") from None
        except AccessRefused as refusal:
            raise CommandError(refusal.decision.sentence) from None
        self.stdout.write(
            f"{found.studies} studies: of {found.named} objects {found.here} are here now."
        )
        for one in found.results:
            if not one.status.is_kept:
                self.stdout.write(f"  {one.name}: {one.sentence} ({one.code})")
        if not found.is_whole:
            sys.exit(NOT_WHOLE)
