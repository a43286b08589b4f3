"""Write the whole trail into one file that verifies without the server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.services import SYSTEM, ExportRefused, export_trail


class Command(BaseCommand):
    help = "Export the trail as a bundle, which verify_audit --bundle checks."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            lines = export_trail(out=options["out"], actor=SYSTEM)
        except ExportRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {lines} lines to {options['out']}.")
