"""Make a backup now: data, sealed files, and keys in a place of their own.

manage.py backup                                  into the places of the settings
manage.py backup --to DIR --keys-to OTHER_DIR
manage.py backup --ledgers                        only the ledgers, beside what there is
"""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from django.core.management.base import BaseCommand, CommandError

from backups.rules.refusals import BackupRefused
from backups.services.ledgers import refresh_ledgers
from backups.services.making import make_backup, places_named
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("--to", default="", metavar="DIR")
        parser.add_argument("--keys-to", default="", metavar="DIR")
        parser.add_argument("--ledgers", action="store_true")

    @under(Purpose.SECURITY, *CARE_DATA)
    def handle(self, *, to: str, keys_to: str, ledgers: bool, **options: object) -> None:
        try:
            if ledgers:
                lines = refresh_ledgers()
                self.stdout.write(
                    f"{lines['disposals']} disposals and {lines['revocations']} revocations."
                )
                return
            made = make_backup(places_named(to, keys_to))
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{made.name}: {made.files} sealed files, {made.files_new} of them new.")
