"""Verify the trail: exit 0 only if everything verifies, and else name what does not."""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.rules.bundle import BundleRefused
from audit.rules.notes import NoteRefused, VerifierKey
from audit.rules.verification import Verdict
from audit.services import verify_bundle, verify_database
from audit.services.keys import trusted_keys


class Command(BaseCommand):
    help = "Recompute the whole trail from its rows, or from a bundle without any database."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--bundle", type=Path, metavar="FILE")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="trust this verifier key (name+id+base64) instead of those in the bundle",
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint you kept: the only sight of a tail that was cut off with its own",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            verdict, keys = self._verify(options)
        except (BundleRefused, NoteRefused, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        for finding in verdict.findings:
            self.stdout.write(str(finding))
        self._summarise(verdict, keys)
        if not verdict.verified:
            sys.exit(1)

    def _verify(self, options: dict[str, Any]) -> tuple[Verdict, list[VerifierKey]]:
        kept = [path.read_text(encoding="utf-8") for path in options["checkpoint"]]
        trusted = [VerifierKey.parse(one) for one in options["key"]]
        if options["bundle"] is None:
            return verify_database(kept=kept), trusted_keys()
        with options["bundle"].open(encoding="utf-8") as lines:
            return verify_bundle(lines, trusted=trusted, kept=kept)

    def _summarise(self, verdict: Verdict, keys: list[VerifierKey]) -> None:
        root = base64.b64encode(verdict.root).decode()
        state = "Verified" if verdict.verified else f"{len(verdict.findings)} faults in"
        self.stdout.write(
            f"{state}: {verdict.leaves} sealed events, {verdict.checkpoints} checkpoints,"
            f" {verdict.waiting} events waiting to be sealed, root {root}"
        )
        for key in keys:
            self.stdout.write(f"Key: {key}")
