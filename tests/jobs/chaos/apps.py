from __future__ import annotations

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "tests.jobs.chaos"
    label = "chaos"

    def ready(self) -> None:
        from tests.jobs.chaos import work  # noqa: F401 - registers the kind
