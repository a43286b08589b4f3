"""Practise a restore of the latest backup, apart from the portal, and sign the result.

manage.py drill_restore                              from the places of the settings
manage.py drill_restore --of DIR --keys-of DIR       from others
"""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from django.core.management.base import BaseCommand, CommandError

from backups.rules.refusals import BackupRefused
from backups.services.drilling import SHARE, drill_restore
from backups.services.making import places_named
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("--of", default="", metavar="DIR")
        parser.add_argument("--keys-of", default="", metavar="DIR")
        parser.add_argument("--share", type=float, default=SHARE, help="of the sealed files")

    @under(Purpose.SECURITY, *CARE_DATA)
    def handle(self, *, of: str, keys_of: str, share: float, **options: object) -> None:
        if not SHARE <= share <= 1:
            raise CommandError(f"--share is between {SHARE} and 1.")
        try:
            drill = drill_restore(places_named(of, keys_of), share=share)
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        if not drill.is_good:
            raise CommandError(f"The drill failed: {drill.failure}")
        self.stdout.write(
            f"{drill.generation_name} was restored on trial in {drill.seconds} s:"
            f" {drill.files_tried} of {drill.files} sealed files, {drill.events} events."
        )
