from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts.models import User
from accounts.rules import ROLE_LABELS, Role
from accounts.selectors import memberships_of_user
from accounts.services.demo import CAST
from accounts.services.sign_in import demo_token
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose


class Command(BaseCommand):
    help = "Print a sign-in link for a demonstration account. It opens once, on this machine only."

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", metavar="EMAIL")
        who.add_argument("--all", action="store_true", help="one for each person of the cast")
        parser.add_argument("--json", action="store_true", help="with names and roles, as JSON")

    @under(Purpose.AUTHENTICATION, Category.ACCOUNT)
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("There are no demonstration accounts where DEPLOYED=1.")
        emails = [person.email for person in CAST] if options["all"] else [options["user"]]
        people = [_described(_demo_user(email)) for email in emails]
        if options["json"]:
            self.stdout.write(json.dumps(people))
            return
        for person in people:
            self.stdout.write(
                f"{person['email']} {person['link']}" if options["all"] else person["link"]
            )


def _demo_user(email: str) -> User:
    user = User.objects.with_email(email).filter(is_active=True).first()
    # Only invented people: this must not be a way into an account that somebody made for real.
    if user is None or user.email not in {person.email for person in CAST}:
        raise CommandError(f"{email} is not an account of the demonstration (manage.py seed_demo).")
    return user


def _described(user: User) -> dict[str, str]:
    return {
        "email": user.email,
        "name": user.name,
        "what": _what(user),
        "link": settings.PUBLIC_URL + reverse("accounts:demo", args=[demo_token(user)]),
    }


def _what(user: User) -> str:
    places = [
        " and ".join(ROLE_LABELS[Role(row.role)].lower() for row in membership.roles.all())
        + f" at {membership.organisation}"
        for membership in memberships_of_user(user.pk).prefetch_related("roles")
    ]
    return "; ".join(places) or "at home: sees their own record"
