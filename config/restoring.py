"""Is a restore under way? Then nobody is answered and no job is run, until its replay is done.

The mark lies in the database and in none of its tables, so that what is restored neither brings
nor removes it: SQLite's header has a number for applications, PostgreSQL gets an empty schema.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

MARK = 0x52455354  # "REST"
SCHEMA = "restore_under_way"
# Asked at most so often: a restore waits for longer than that once it has set the mark.
TRUSTED_FOR = 1.0
SENTENCE = (
    "A backup of this portal is being restored. Nobody is answered until what was destroyed or"
    " revoked since has been destroyed and revoked again. Try again later."
)
# Whoever watches the portal asks these, and is told there (config.health).
_ASKED_BY_MACHINES = ("/healthz", "/readyz")
_known: dict[str, tuple[float, bool]] = {}


def is_restoring() -> bool:
    """Say whether a restore is under way here; what was seen a second ago counts."""
    until, seen = _known.get("restore", (0.0, False))
    if time.monotonic() < until:
        return seen
    try:
        seen = look()
    except DatabaseError:
        # Whoever asks it next fails, and says so; what was not seen is not remembered.
        return False
    _known["restore"] = (time.monotonic() + TRUSTED_FOR, seen)
    return seen


def look() -> bool:
    """Ask the database itself."""
    if connection.vendor == "sqlite":
        return bool(_ask("PRAGMA user_version") == MARK)
    return _ask(f"SELECT 1 FROM pg_namespace WHERE nspname = '{SCHEMA}'") is not None  # noqa: S608


def _ask(statement: str) -> Any:
    # Past the layer that counts and logs statements: this belongs to no page.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            row = cursor.fetchone()
        finally:
            cursor.close()
    return row[0] if row else None


def forget() -> None:
    """Look anew the next time."""
    _known.clear()


def set_mark() -> None:
    """From now on refuse everybody; safe to repeat. It lasts until `clear_mark`, whatever dies."""
    _execute(f"PRAGMA user_version = {MARK}", f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")


def clear_mark() -> None:
    _execute("PRAGMA user_version = 0", f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _execute(sqlite: str, postgresql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sqlite if connection.vendor == "sqlite" else postgresql)
    forget()


class RestoringMiddleware:
    """Answers 503 with one sentence while a restore is under way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in _ASKED_BY_MACHINES and is_restoring():
            return HttpResponse(
                SENTENCE + "\n", status=503, content_type="text/plain; charset=utf-8",
                headers={"Retry-After": "60", "Cache-Control": "no-store"},
            )  # fmt: skip
        return self.get_response(request)
