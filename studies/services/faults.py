"""What a database says when it has no room left, in the words of each engine."""

from __future__ import annotations

import sqlite3

_POSTGRESQL_FULL = {"53100"}  # disk_full


def is_database_full(error: Exception) -> bool:
    """Is it that there is no room, so that the same request may succeed later?"""
    cause = error.__cause__
    if getattr(cause, "pgcode", None) in _POSTGRESQL_FULL:
        return True
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
