from typing import Any

from django.core.management.base import BaseCommand

from studies.services.indexing import index_whole_names


class Command(BaseCommand):
    help = "Let studies filed by an earlier release be found by the beginning of a name."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"{index_whole_names()} studies were indexed.")
