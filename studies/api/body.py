"""Bodies in and out: bytes as they come, JSON as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from studies.api.pacing import BodyBroken, pace
from studies.rules.wado import parse_accept, takes

DICOM_JSON = "application/dicom+json"


def json_response(value: Any, *, status: int = 200, content_type: str = DICOM_JSON) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), status=status, content_type=content_type)


def body_reader(request: HttpRequest) -> Callable[[int], bytes]:
    """Read the body straight from the connection; Django would keep it whole, or spool it.

    It ends at Content-Length, or, sent in chunks, where the server says so. The reader raises
    `BodyBroken` if it ends before, or comes too slowly.
    """
    stream, paced = request.environ["wsgi.input"], pace(request)
    declared = request.environ.get("CONTENT_LENGTH") or ""
    left = int(declared) if declared.isdigit() else None

    def read(size: int) -> bytes:
        nonlocal left
        wanted = size if left is None else min(size, left)
        piece = _read(stream, wanted) if wanted else b""
        if left is not None:
            left -= len(piece)
        if paced is not None and (left == 0 or not piece):
            paced.close_pace()
        if left and not piece:
            raise BodyBroken("The connection ended before the body did.")
        return piece

    return read


def _read(stream: Any, size: int) -> bytes:
    try:
        piece: bytes = stream.read(size)
    except BodyBroken:
        raise
    except Exception as error:
        raise BodyBroken("The body could not be read.") from error
    return piece


def accepts(request: HttpRequest, offered: tuple[str, ...]) -> bool:
    """Does the Accept header (RFC 9110 section 12.5.1) take one of these, as a single part?"""
    return any(
        takes(accepted, one)
        for accepted in parse_accept(request.headers.get("Accept", ""))
        for one in offered
        if not accepted.multipart
    )
