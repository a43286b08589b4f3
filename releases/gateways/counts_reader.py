"""Read counts as somebody who can read nothing else: the database refuses, not only our code."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

from releases.rules.reader import ROLE, TABLES

# Of a statement as a whole; which tables it reads is asked for each of them.
_HARMLESS: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_TRANSACTION,
}


@contextmanager
def counts_alone() -> Iterator[None]:
    """In here the tables of counts can be read; every other one, and every change, is refused."""
    if connection.vendor == "postgresql":
        # An error rolls back to here, and the role with it.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {ROLE}")
            yield
            cursor.execute("RESET ROLE")
        return
    connection.ensure_connection()
    connection.connection.set_authorizer(_authorise)
    try:
        yield
    finally:
        connection.connection.set_authorizer(None)


def _authorise(act: int, table: str | None, *_: str | None) -> int:
    if act in _HARMLESS or (act == sqlite3.SQLITE_READ and table in TABLES):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
