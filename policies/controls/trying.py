"""Try something out on the real database, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written in here is taken back, however it ends."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
