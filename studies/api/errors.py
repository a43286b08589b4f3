"""One way to say no to a program: problem details (RFC 9457) with our reason code."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponse

from studies.api.body import json_response
from studies.api.pacing import BodyBroken, BodyTooSlow, TooManySlowBodies
from studies.services.faults import is_database_full
from vault.rules.errors import StorageError, StorageFull, StorageUnreachable


def problem(status: int, code: str, sentence: str, **more: Any) -> HttpResponse:
    """Answer with a status, a code for programs and a sentence for people."""
    value = {"status": status, "code": code, "detail": sentence, **more}
    return json_response(value, status=status, content_type="application/problem+json")


def damaged_problem() -> HttpResponse:
    """Answer that a stored file is not what was stored; nothing of it is given."""
    return problem(
        500,
        "damaged",
        "The stored file is damaged, so it is not shown. Those responsible have been told.",
    )


def body_problem(error: BodyBroken) -> HttpResponse:
    """Answer a body that broke off or came too slowly; nothing of it was stored."""
    if isinstance(error, TooManySlowBodies):
        response = problem(429, "busy", "Too many slow connections at once. Send it again soon.")
        response["Retry-After"] = "10"
        return response
    if isinstance(error, BodyTooSlow):
        return problem(408, "too-slow", "The body came too slowly. Send it again.")
    return problem(400, "body", "The connection ended before the body did. Send it again.")


def storage_problem(error: StorageError | DatabaseError) -> HttpResponse | None:
    """Answer that there is no room, or that the store is out of reach; None: another fault."""
    full = isinstance(error, StorageFull) or (
        isinstance(error, DatabaseError) and is_database_full(error)
    )
    if full:
        return problem(
            507, "storage-full", "There is no room left. Nothing of this request was stored."
        )
    if isinstance(error, StorageUnreachable | OperationalError | InterfaceError):
        response = problem(
            503, "storage", "The store cannot be reached. Send it again; what is there is kept."
        )
        response["Retry-After"] = "10"
        return response
    return None
