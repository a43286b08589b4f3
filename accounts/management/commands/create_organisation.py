from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules.agreements import AgreementKind
from accounts.services.agreements import Terms
from accounts.services.founding import Charter, FoundingRefused, found_organisation
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from policies.rules.schema.people import REGIMES
from policies.rules.schema.uses import REGIONS
from policies.selectors import shipped_packs


class Command(BaseCommand):
    help = (
        "Set up an organisation with its first policy, and invite its administrator and its privacy"
        " officer by mail. Each sets a password and a second factor; they invite everybody else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its short name in addresses, such as st-mary")
        parser.add_argument("--name", required=True)
        parser.add_argument("--kind", required=True, choices=Organisation.Kind.values)
        parser.add_argument("--country", required=True, help="ISO 3166-1, such as US or DE")
        parser.add_argument("--state", default="", help="ISO 3166-2 without the country, as NY")
        parser.add_argument("--region", required=True, choices=list(REGIONS),
                            help="where its data has to stay")  # fmt: skip
        parser.add_argument("--regime", action="append", choices=list(REGIMES), metavar="LAW",
                            help="a law that it is under; repeat it; left out: those of the pack: "
                            + ", ".join(REGIMES))  # fmt: skip
        parser.add_argument("--pack", required=True, choices=list(shipped_packs()),
                            help="the policy that it starts from")  # fmt: skip
        parser.add_argument("--address", required=True, help="where it has its seat, in one line")
        parser.add_argument("--phone", default="")
        parser.add_argument("--administrator", required=True, metavar="EMAIL")
        parser.add_argument("--officer", required=True, metavar="EMAIL",
                            help="of the privacy officer; may be the administrator's")  # fmt: skip
        parser.add_argument("--officer-name", required=True, metavar="NAME",
                            help="as the public policy says whom to ask")  # fmt: skip
        parser.add_argument("--privacy-email", metavar="EMAIL",
                            help="whom the public asks; left out: the officer")  # fmt: skip
        parser.add_argument("--agreement", required=True, metavar="REFERENCE",
                            help="of the service agreement between you and it")  # fmt: skip
        parser.add_argument("--agreement-with", required=True, metavar="PARTY", help="who you are")
        parser.add_argument("--agreement-contact", required=True, metavar="EMAIL")
        parser.add_argument("--agreement-from", type=date.fromisoformat, metavar="YYYY-MM-DD",
                            help="left out: today")  # fmt: skip

    @under(Purpose.OPERATIONS, Category.ACCOUNT)
    def handle(self, *args: Any, **options: Any) -> None:
        contact = options["privacy_email"] or options["officer"]
        regimes = options["regime"] or shipped_packs()[options["pack"]]["regimes"]
        changes = {
            "title": f"Privacy policy of {options['name']}", "regimes": list(regimes),
            "contact.officer": options["officer_name"], "contact.email": contact,
            "contact.address": options["address"],
        }  # fmt: skip
        if options["phone"]:
            changes["contact.phone"] = options["phone"]
        organisation = Organisation(
            slug=options["slug"], name=options["name"], kind=options["kind"],
            country=options["country"].upper(), state=options["state"].upper(),
            residency_region=options["region"], regimes=list(regimes), privacy_email=contact,
        )  # fmt: skip
        terms = Terms(
            kind=AgreementKind.SERVICE, party=options["agreement_with"],
            contact=options["agreement_contact"], reference=options["agreement"],
            starts_on=options["agreement_from"] or timezone.localdate(),
        )  # fmt: skip
        charter = Charter(
            options["pack"], changes, terms, options["administrator"], options["officer"]
        )
        try:
            found_organisation(organisation=organisation, charter=charter)
        except FoundingRefused as refused:
            raise CommandError(f"Nothing was set up.\n{refused}") from None
        for email, roles in charter.people.items():
            words = " and ".join(role.value for role in roles)
            self.stdout.write(f"An invitation went to {email}, as {words}. It holds for a week.")
