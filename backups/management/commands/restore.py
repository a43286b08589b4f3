"""Bring the portal back from a backup. It answers nobody until what is gone is gone again.

    manage.py restore FROM --keys-from DIR                    into empty databases
    manage.py restore FROM --keys-from DIR --replace NAME     over what is there
    manage.py restore FROM --keys-from DIR --into STATE       a portal on one machine, elsewhere

Stop web servers and workers first. MASTER_KEY, AUDIT_SIGNING_KEY and SECRET_KEY have to be those
of the portal that made the backup. Run again, it begins anew.
"""

from __future__ import annotations

import json
import os
import shutil
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from backups.gateways.databases import engine_of
from backups.rules.refusals import BackupRefused
from backups.services.elsewhere import environment_of, keep_secrets, restore_elsewhere
from backups.services.examining import Examined, examine
from backups.services.making import Places, places_named
from backups.services.opening import open_restored
from backups.services.restoring import Restored, restore
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from vault.rules.errors import VaultError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("source", metavar="FROM")
        parser.add_argument("--keys-from", default="", metavar="DIR")
        parser.add_argument("--generation", default="", help="not the latest, but this one")
        parser.add_argument("--replace", default="", metavar="NAME", help="the portal's own name")
        parser.add_argument("--into", type=Path, metavar="STATE", help="an empty folder")
        # For drills: only some of the sealed files, and figures for a program.
        parser.add_argument("--share", type=float, default=1.0)
        parser.add_argument("--json", action="store_true")

    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def handle(self, **options: object) -> None:
        os.umask(0o077)  # what comes back is for whoever runs the portal, and for nobody else
        try:
            places = places_named(str(options["source"]), str(options["keys_from"]))
            if isinstance(options["into"], Path):
                self._elsewhere(places, options["into"].resolve(), str(options["generation"]))
                return
            found = examine(
                places, generation=str(options["generation"]), share=float(str(options["share"]))
            )
            done = restore(found, replace=str(options["replace"]))
            opened = open_restored(found.tried) if found.tried != found.files else 0
        except (BackupRefused, VaultError) as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self._figures(found, done, opened)
        else:
            self._say(found, done)

    def _elsewhere(self, places: Places, state: Path, generation: str) -> None:
        if engine_of() != "sqlite":
            raise BackupRefused("--into makes a portal on one machine; this one is on PostgreSQL.")
        if state.exists() and any(state.iterdir()):
            raise BackupRefused(f"{state} is not empty, and nothing was done.")
        options = ["--generation", generation] if generation else []
        try:
            keep_secrets(state)
            self.stdout.write(restore_elsewhere(places, environment_of(state), *options))
        except BackupRefused:
            shutil.rmtree(state)
            raise

    def _say(self, found: Examined, done: Restored) -> None:
        gone, taken = done.disposed_again, done.revoked_again
        self.stdout.write(
            f"Restored {found.data.generation}, with keys of {found.keys.generation}:"
            f" {done.files} sealed files put back.\n"
            f"Destroyed again: {gone.studies} studies, {gone.keys} keys, {gone.files} files;"
            f" of what was taken back since: "
            + (", ".join(f"{what} {count}" for what, count in sorted(taken.items())) or "nothing")
            + ".\nEnded: "
            + ", ".join(f"{what} {count}" for what, count in done.ended.items())
            + f".\nThe trail: {done.trail.leaves} sealed events;"
            f" it had {found.trail_seen} when the ledgers were last written."
        )
        for finding in done.trail.findings:
            self.stdout.write(str(finding))
        if not done.trail.verified:
            raise CommandError("The trail that came back does not verify.")

    def _figures(self, found: Examined, done: Restored, opened: int) -> None:
        self.stdout.write(
            json.dumps({
                "files": len(found.files), "tried": len(found.tried), "opened": opened,
                "events": done.trail.leaves, "verified": done.trail.verified,
            })
        )  # fmt: skip
