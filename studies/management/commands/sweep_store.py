from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from studies.services.sweeping import OLD_ENOUGH, sweep_store


class Command(BaseCommand):
    help = "Remove what interrupted submissions left in the store, and report what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            metavar="HOURS",
            default=OLD_ENOUGH / timedelta(hours=1),
            help="leave alone what is younger; no submission may last longer (default: 24)",
        )

    @under(Purpose.OPERATIONS, Category.IMAGES)
    def handle(self, *_: Any, older_than: float, **__: Any) -> None:
        swept = sweep_store(older_than=timedelta(hours=older_than))
        self.stdout.write(
            f"Removed: {swept.blobs} blobs that nothing names, {swept.leftovers} half-written "
            f"files, {swept.keys} keys that seal nothing."
        )
        if swept.missing:
            self.stderr.write(
                f"MISSING: {swept.missing} blobs that rows name are not in the store. "
                "Restore them from a backup."
            )
            raise SystemExit(1)
