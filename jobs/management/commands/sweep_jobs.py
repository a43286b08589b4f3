"""Sweep once, as the beat does every few seconds: for operators, and for a cron without a beat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jobs.services import sweep_jobs


class Command(BaseCommand):
    help = "Ring for jobs that no worker is looking after, and create those that are due."

    def handle(self, *_: Any, **__: Any) -> None:
        swept = sweep_jobs()
        self.stdout.write(
            f"rung {swept.rung}, buried {swept.buried}, created on schedule {swept.scheduled}"
        )
