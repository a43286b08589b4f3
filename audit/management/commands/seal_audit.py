"""Seal what waits, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.services import SealRefused, seal_all


class Command(BaseCommand):
    help = "Seal every waiting event and sign a checkpoint."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            sealed = seal_all()
        except SealRefused as error:
            raise CommandError(f"{error}. Run verify_audit.") from error
        if sealed is None:
            self.stdout.write("Another sealer is at work.")
            return
        self.stdout.write(f"Sealed {sealed.added} events; the tree has {sealed.size} leaves.")
