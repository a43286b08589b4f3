"""Bodies in and out: bytes as they come, JSON as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

DICOM_JSON = "application/dicom+json"


def json_response(value: Any, *, status: int = 200, content_type: str = DICOM_JSON) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), status=status, content_type=content_type)


def body_reader(request: HttpRequest) -> Callable[[int], bytes]:
    """Read the body straight from the connection; Django would keep it whole, or spool it.

    It ends at Content-Length, or, sent in chunks, where the server says so.
    """
    stream = request.environ["wsgi.input"]
    declared = request.environ.get("CONTENT_LENGTH") or ""
    if not declared.isdigit():
        read: Callable[[int], bytes] = stream.read
        return read
    left = int(declared)

    def read_declared(size: int) -> bytes:
        nonlocal left
        piece: bytes = stream.read(min(size, left)) if left else b""
        left -= len(piece)
        return piece

    return read_declared


def accepts(request: HttpRequest, offered: tuple[str, ...]) -> bool:
    """Does the Accept header (RFC 9110 section 12.5.1) take one of these media types?"""
    header = request.headers.get("Accept", "")
    if not header.strip():
        return True
    for item in header.split(","):
        wanted = item.partition(";")[0].strip().lower()
        if wanted in {"*/*", ""} or wanted in offered:
            return True
        if wanted.endswith("/*") and any(one.startswith(wanted[:-1]) for one in offered):
            return True
    return False
