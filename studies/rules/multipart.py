"""Read a multipart/related body as it comes, part by part (RFC 2046 section 5.1, RFC 2387). Pure.

Nothing is kept but the piece at hand: a part of two gigabytes costs one buffer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

MAX_PARTS: Final = 2_000
MAX_HEADER: Final = 8_192
MAX_BOUNDARY: Final = 70
PIECE: Final = 256 * 1024

_PARAMETER = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))')
# RFC 2046 section 5.1.1
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")


class MultipartInvalid(ValueError):
    """The body is not what its header says; the message is for the sender."""


def parameters_of(content_type: str) -> tuple[str, dict[str, str]]:
    """Split a media type from its parameters; names in lower case."""
    kind, _, rest = content_type.partition(";")
    found = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
        for name, quoted, plain in _PARAMETER.findall(";" + rest)
    }
    return kind.strip().lower(), found


def checked_boundary(parameters: dict[str, str]) -> bytes:
    """Return the boundary, or say what is wrong with it."""
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MultipartInvalid("The Content-Type names no boundary.")
    if len(boundary) > MAX_BOUNDARY or not _BOUNDARY.fullmatch(boundary):
        raise MultipartInvalid("The boundary is longer than 70 characters, or not a valid one.")
    return boundary.encode()


class Part:
    """One part: its headers, and its content as an iterator that is read once."""

    def __init__(self, headers: dict[str, str], reader: MultipartReader) -> None:
        self.headers = headers
        self._reader = reader

    @property
    def media_type(self) -> str:
        return parameters_of(self.headers.get("content-type", "application/dicom"))[0]

    def __iter__(self) -> Iterator[bytes]:
        return self._reader.content()


class MultipartReader:
    """Iterate over the parts of a body, given `read(n)`, which returns b"" at its end.

    The last step of the iteration reads the body to its end, so that one that is shorter than it
    was announced is found out before anything of it is kept.
    """

    def __init__(self, read: Callable[[int], bytes], boundary: bytes) -> None:
        self._read = read
        self._delimiter = b"\r\n--" + boundary
        # A boundary at the very start has no line break before it.
        self._buffer = b"\r\n"
        self._in_part = False
        self._ended = False
        self._parts = 0

    def __iter__(self) -> Iterator[Part]:
        self._skip_preamble()
        while not self._ended:
            self._parts += 1
            if self._parts > MAX_PARTS:
                raise MultipartInvalid(
                    f"More than {MAX_PARTS} parts. Send them in several requests."
                )
            headers = self._headers()
            self._in_part = True
            yield Part(headers, self)
            for _ in self.content():
                pass  # what the caller left unread
        self._read_to_end()

    def content(self) -> Iterator[bytes]:
        """Yield the content of the part at hand, up to the delimiter."""
        held = len(self._delimiter) - 1
        while self._in_part:
            at = self._buffer.find(self._delimiter)
            if at >= 0:
                content, self._buffer = self._buffer[:at], self._buffer[at + held + 1 :]
                self._in_part = False
                self._after_delimiter()
                if content:
                    yield content
                return
            if len(self._buffer) > held:
                content, self._buffer = self._buffer[:-held], self._buffer[-held:]
                yield content
            self._more()

    def _skip_preamble(self) -> None:
        self._in_part = True
        taken = 0
        for piece in self.content():
            taken += len(piece)
            if taken > MAX_HEADER:
                raise MultipartInvalid("The body does not begin with its boundary.")

    def _read_to_end(self) -> None:
        """Read what may follow the closing boundary: a body that ends too early ends here."""
        taken, piece = 0, self._buffer
        while piece:
            taken += len(piece)
            if taken > MAX_HEADER:
                raise MultipartInvalid("Something follows the closing boundary.")
            piece = self._read(PIECE)

    def _after_delimiter(self) -> None:
        """Two hyphens end the body; else a line break ends the delimiter's line."""
        while len(self._buffer) < 2:
            self._more()
        if self._buffer.startswith(b"--"):
            self._ended = True
            return
        while b"\r\n" not in self._buffer[:MAX_BOUNDARY]:
            if len(self._buffer) > MAX_BOUNDARY:
                raise MultipartInvalid("A boundary is followed by something else on its line.")
            self._more()
        padding, _, self._buffer = self._buffer.partition(b"\r\n")
        if padding.strip(b" \t"):
            raise MultipartInvalid("A boundary is followed by something else on its line.")

    def _headers(self) -> dict[str, str]:
        if self._buffer.startswith(b"\r\n"):
            self._buffer = self._buffer[2:]
            return {}
        while b"\r\n\r\n" not in self._buffer:
            if self._buffer.startswith(b"\r\n"):
                self._buffer = self._buffer[2:]
                return {}
            if len(self._buffer) > MAX_HEADER:
                raise MultipartInvalid("The headers of a part are too long.")
            self._more()
        raw, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if len(raw) > MAX_HEADER:
            raise MultipartInvalid("The headers of a part are too long.")
        lines = (line.partition(b":") for line in raw.split(b"\r\n"))
        return {
            name.strip().lower().decode("latin-1"): value.strip().decode("latin-1")
            for name, _, value in lines
        }

    def _more(self) -> None:
        piece = self._read(PIECE)
        if not piece:
            raise MultipartInvalid("The body ends before its closing boundary. Send it again.")
        self._buffer += piece
