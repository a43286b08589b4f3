"""Bodies in and out: bytes as they come, JSON as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    stream, paced = _Direct.of(request.environ["wsgi.input"]), pace(request)
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


class _Direct:
    """A body of known length, received from its connection and put together once.

    gunicorn's own reader copies each byte four times on its way, which took a sixth of storing.
    """

    def __init__(self, body: Any) -> None:
        self._body, self._reader = body, body.reader
        # What came along with the headers.
        self._ahead: bytes = body.reader.unreader.take_buffered()

    @classmethod
    def of(cls, stream: Any) -> Any:
        """Read around the server's reader where it is gunicorn's, and has not been read from."""
        reader = getattr(stream, "reader", None)
        known = hasattr(reader, "length") and hasattr(reader, "unreader")
        return cls(stream) if known and not stream.buf.tell() else stream

    def read(self, size: int) -> bytes:
        """Read `size` bytes; fewer only at the end of the body, or of the connection."""
        size = min(size, self._reader.length)
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(piece) < size:
            piece = b"".join((piece, *self._received(size - len(piece))))
        # gunicorn asks it afterwards whether the body was read to its end.
        self._reader.length -= len(piece)
        return piece

    def _received(self, missing: int) -> Iterator[bytes]:
        while missing:
            try:
                piece = self._reader.unreader.sock.recv(missing)
            except BaseException:
                self._body.failed = True
                raise
            if not piece:
                return
            missing -= len(piece)
            yield piece


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
