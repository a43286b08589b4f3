from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.rules import Scope
from accounts.selectors import actor_of_user, memberships_of_user
from accounts.services.tokens import issue_token
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose


class Command(BaseCommand):
    help = "Issue an API token for a member and print it, alone, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL")
        parser.add_argument(
            "--scope", required=True, nargs="+", action="extend",
            choices=[scope.value for scope in Scope],
        )  # fmt: skip
        parser.add_argument("--organisation", metavar="SLUG")
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument("--name", default="command line")

    @under(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS)
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.with_email(options["user"]).filter(is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['user']}.")
        memberships = memberships_of_user(user.pk)
        if options["organisation"]:
            memberships = memberships.filter(organisation__slug=options["organisation"])
        membership = memberships.first()
        if membership is None:
            raise CommandError(f"{user.email} is not a member of an organisation there.")
        _, secret = issue_token(
            acting=actor_of_user(user, membership.organisation),
            membership=membership,
            name=options["name"],
            scopes=[Scope(scope) for scope in dict.fromkeys(options["scope"])],
            lasts=timedelta(days=options["days"]),
        )
        self.stdout.write(secret)
