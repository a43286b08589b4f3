"""Write out the ledger of what was disposed of, or replay one after a restore.

    manage.py disposal_ledger export FILE    before or beside each backup; keep it apart from them
    manage.py disposal_ledger replay FILE    after a restore, before the portal answers anybody
    manage.py disposal_ledger replay         the ledger that is in this database

It names keys and files and nobody. A replay can be repeated; it says what it found and destroyed.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from retention.rules.ledger import LedgerRefused, read_entries
from retention.services.ledger import entries_of_ledger, replay_ledger


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("act", choices=["export", "replay"])
        parser.add_argument("file", nargs="?", type=Path)

    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def handle(self, *, act: str, file: Path | None = None, **options: object) -> None:
        if act == "export":
            self._export(file)
        else:
            self._replay(file)

    def _export(self, file: Path | None) -> None:
        if file is None:
            raise CommandError("Say into which file.")
        count = 0
        # Under its own name only once it is whole: half a ledger would bring the rest back.
        part = file.with_name(f"{file.name}.part")
        with part.open("w", encoding="utf-8") as out:
            for entry in entries_of_ledger():
                out.write(entry.to_line() + "\n")
                count += 1
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        self.stdout.write(f"{count} studies that are gone.")

    def _replay(self, file: Path | None) -> None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines() if file else None
            # Read to the end before anything is destroyed: a wrong file destroys nothing.
            entries = list(entries_of_ledger() if lines is None else read_entries(lines))
        except (OSError, UnicodeDecodeError, LedgerRefused) as error:
            raise CommandError(
                f"The ledger cannot be read, and nothing was done: {error}"
            ) from None
        found = replay_ledger(entries)
        self.stdout.write(
            f"{found.entries} entries replayed. Destroyed again: {found.studies} studies, "
            f"{found.keys} keys, {found.files} files."
        )
