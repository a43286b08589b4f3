"""Rotate organisation keys or the master key, showing progress; may be stopped and run again."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.rules.errors import VaultError
from vault.selectors import organisations_with_keys
from vault.services.rotation import (
    BATCH,
    Progress,
    rewrap_data_keys,
    rotate_master_key,
    rotate_organisation_key,
)


class Command(BaseCommand):
    """``rotate_keys [--master] [--organisation ID] [--batch N]``."""

    help = (
        "Give every organisation (or one) a new key and wrap its data keys anew. With --master, "
        "wrap the organisation keys under the current master key instead. What was stopped half "
        "way goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--master", action="store_true", help="rotate the master key")
        which.add_argument("--organisation", metavar="ID", help="rotate this organisation only")
        parser.add_argument("--batch", type=int, default=BATCH, help="keys per transaction")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rotate what was asked for."""
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1")
        try:
            if options["master"]:
                self._show("master key", rotate_master_key(batch=options["batch"]))
            else:
                one = options["organisation"]
                self._rotate([one] if one else organisations_with_keys(), options["batch"])
        except VaultError as error:
            raise CommandError(str(error)) from error

    def _rotate(self, organisations: list[str], batch: int) -> None:
        for number, organisation in enumerate(organisations, start=1):
            epoch = rotate_organisation_key(organisation_id=organisation)
            title = f"[{number}/{len(organisations)}] organisation {organisation}, epoch {epoch}"
            self._show(title, rewrap_data_keys(organisation_id=organisation, batch=batch))
        self.stdout.write(self.style.SUCCESS(f"{len(organisations)} organisation(s) rotated"))

    def _show(self, title: str, steps: Iterator[Progress]) -> None:
        for step in steps:
            percent = 100 * step.done // step.total if step.total else 100
            self.stdout.write(f"{title}: {step.done:,} of {step.total:,} keys ({percent} %)")
            self.stdout.flush()
