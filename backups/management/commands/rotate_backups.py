"""Destroy what is left of backups whose time is over: keys first. The last one always stays."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from backups.rules.refusals import BackupRefused
from backups.services.rotating import rotate_backups
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose


class Command(BaseCommand):
    help = __doc__

    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def handle(self, **options: object) -> None:
        try:
            done = rotate_backups()
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"Destroyed: {done.keys} keys, {done.artefacts} parts of backups, {done.files} copies"
            f" of sealed files. Certificates completed: {done.addenda}."
        )
        if done.unreached:
            raise CommandError("\n".join(done.unreached))
