"""What tests of backups do again and again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import time_machine
from django.utils import timezone

from backups.gateways import postgresql
from backups.gateways.databases import ALIASES, dump, engine_of
from backups.models import Generation
from backups.services.examining import examine
from backups.services.making import Places, make_backup
from backups.services.restoring import Restored, name_of_portal, restore
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import enter_use, use
from policies.rules.purposes import Purpose
from vault.gateways.blob_store import blob_store


def under_a_duty() -> None:
    """Name a purpose; a page that was asked for in a test leaves its own behind."""
    accounts = (Category.ACCOUNT, Category.PROFESSIONAL, Category.CREDENTIALS)
    enter_use(use(Purpose.LEGAL_OBLIGATION, *CARE_DATA, Category.REQUESTS, *accounts))


def back(places: Places, generation: str = "") -> Restored:
    """Restore over what is there, as somebody does who has typed the portal's name."""
    return restore(examine(places, generation=generation), replace=name_of_portal())


@contextmanager
def days_later(days: float) -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        yield


def made_days_ago(places: Places, days: float) -> Generation:
    with time_machine.travel(timezone.now() - timedelta(days=days)):
        return make_backup(places)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def database_bytes(alias: str) -> bytes:
    """A database as it is: free pages too on SQLite; on PostgreSQL all rows, uncompressed."""
    if engine_of(alias) == "sqlite":
        return b"".join(dump(alias))
    command = ["pg_dump", "--format=plain"]
    return subprocess.run(
        command, env=postgresql._environment(alias), capture_output=True, check=True
    ).stdout


def is_in(secret: bytes, found: bytes) -> bool:
    """Is it there, as it is or as PostgreSQL writes bytes?"""
    return secret in found or secret.hex().encode() in found


def everything_here() -> bytes:
    """All bytes of both databases and of the store."""
    pieces = [database_bytes(alias) for alias in ALIASES]
    store = blob_store()
    for name in store.names(before=timezone.now() + timedelta(days=1)):
        reader = store.open(name)
        pieces.append(reader.read_at(0, reader.size))
        reader.close()
    return b"".join(pieces)
