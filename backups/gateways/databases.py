"""Dump and load the two databases, whichever engine they run on."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

from backups.gateways import postgresql, sqlite

DATA, KEYS = "default", "keys"
ALIASES = (DATA, KEYS)


def engine_of(alias: str = DATA) -> str:
    return connections[alias].vendor


def require_programs() -> None:
    """Raise `BackupRefused` if something is missing that a dump or a load needs."""
    for alias in ALIASES:
        if engine_of(alias) == "postgresql":
            postgresql.require_programs(alias)


def dump(alias: str) -> Iterator[bytes]:
    """Yield a consistent snapshot in pieces, while the portal goes on working."""
    yield from sqlite.dump(alias) if engine_of(alias) == "sqlite" else postgresql.dump(alias)


def load(alias: str, pieces: Iterator[bytes]) -> None:
    """Replace what is in the database by a snapshot: wholly, or not at all."""
    if engine_of(alias) == "sqlite":
        sqlite.load(alias, pieces)
    else:
        postgresql.load(alias, pieces)


def is_empty(alias: str) -> bool:
    return not connections[alias].introspection.table_names()
