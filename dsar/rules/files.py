"""Strangers' files, looked at byte by byte before anything else reads them. Pure.

A file is what its bytes are, whatever its name or its sender says. Pictures are written anew from
their own parts: what a camera noted beside the picture, such as the place, is left out. A file
that is something else as well is refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from dsar.rules.documents import LARGEST, FileType

MOST_PIXELS: Final = 100_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM",
                              b"sRGB", b"pHYs", b"sBIT", b"bKGD"})  # fmt: skip
# Of JPEG: application data and comments, but for those that decoders need.
_APP, _COMMENT, _JFIF, _ICC, _ADOBE = range(0xE0, 0xF0), 0xFE, 0xE0, 0xE2, 0xEE
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# What else a file could be: a document, an archive, a page that runs in a browser, a program.
_FOREIGN: Final = re.compile(
    rb"%PDF-|PK\x05\x06|<\s*(?:!doctype|html|script|svg|iframe)\b|javascript:|<\?php|\x7fELF",
    re.IGNORECASE,
)
_PDF_HEAD: Final = re.compile(rb"%PDF-[12]\.\d[\r\n ]")
_PDF_END: Final = b"%%EOF"
# An archive has its table of contents at its end, with a comment of at most 64 KiB behind.
_ZIP_END: Final = 66_000
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_ACTIVE: Final = re.compile(rb"/(?:JavaScript|EmbeddedFile|RichMedia|Launch)\b")


class FileRefused(ValueError):
    """One sentence that says why a file is not taken, and what to send instead."""


NOT_TAKEN: Final = "This is no PDF, JPEG or PNG file. Send a picture or a PDF."
DAMAGED: Final = "The file is damaged or cut off. Send it again, or another one."
TWO_THINGS: Final = "The file is something else beside a picture or a document, and is not taken."
ACTIVE: Final = "The PDF runs programs or holds other files. Print it into a plain PDF, or send a"
ACTIVE_PDF: Final = f"{ACTIVE} picture of it."


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that may be kept: what it is, and its bytes as they are kept."""

    file_type: FileType
    content: bytes


def looked_at(content: bytes) -> Taken:
    """Give what can be kept of a file. Raises `FileRefused`.

    A PDF is looked into as well, by another process (dsar.gateways.examining).
    """
    if not content:
        raise FileRefused("The file is empty.")
    if len(content) > LARGEST:
        raise FileRefused(f"The file is too large: at most {LARGEST >> 20} MB.")
    if content.startswith(_PNG):
        return Taken(FileType.PNG, _png(content))
    if content.startswith(b"\xff\xd8\xff"):
        return Taken(FileType.JPEG, _jpeg(content))
    if _PDF_HEAD.match(content):
        _check_pdf(content)
        return Taken(FileType.PDF, content)
    raise FileRefused(NOT_TAKEN)


def _refuse_foreign(part: bytes) -> None:
    if _FOREIGN.search(part):
        raise FileRefused(TWO_THINGS)


def _check_size(width: int, height: int) -> None:
    if not (width and height) or width * height > MOST_PIXELS:
        raise FileRefused("The picture is too large. Send a smaller one.")


# PNG ---------------------------------------------------------------------------------------------
def _png(content: bytes) -> bytes:
    """The chunks that make the picture (PNG, third edition, 5.3), each with its checksum right."""
    kept, at = [_PNG], len(_PNG)
    dropped: list[bytes] = []
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        length, name = _unpacked(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise FileRefused(DAMAGED)
        chunk, (found,) = content[at:end], struct.unpack(">I", content[end - 4 : end])
        if crc32(chunk[4:-4]) != found or (not names and (name, length) != (b"IHDR", 13)):
            raise FileRefused(DAMAGED)
        names.append(name)
        (kept if name in _PNG_KEPT else dropped).append(chunk)
        at = end
    if b"IDAT" not in names or names.count(b"IHDR") != 1:
        raise FileRefused(DAMAGED)
    _check_size(*struct.unpack(">II", content[16:24]))
    for part in (*dropped, content[at:], *(one for one in kept if one[4:8] != b"IDAT")):
        _refuse_foreign(part)
    return b"".join(kept)


def _unpacked(form: str, content: bytes, at: int) -> tuple[int, bytes]:
    try:
        length, name = struct.unpack_from(form, content, at)
    except struct.error:
        raise FileRefused(DAMAGED) from None
    return length, name


# JPEG --------------------------------------------------------------------------------------------
def _jpeg(content: bytes) -> bytes:
    """The segments that make the picture (ITU-T T.81, annex B), up to the first end."""
    kept, markers, at = [content[:2]], [], 2
    for marker, start, end in _segments(content):
        part = content[start:end]
        markers.append(marker)
        if marker in _SIZES:
            height, width = struct.unpack(">HH", part[5:9]) if len(part) >= 9 else (0, 0)
            _check_size(width, height)
        if marker != _SCAN:
            _refuse_foreign(part)
        if _is_kept(marker, part):
            kept.append(part)
        at = end
    if _SCAN not in markers or not _SIZES & set(markers):
        raise FileRefused(DAMAGED)
    # Telephones put a film or a second picture behind the end; it is left out.
    _refuse_foreign(content[at:])
    return b"".join(kept)


def _is_kept(marker: int, part: bytes) -> bool:
    if marker == _COMMENT:
        return False
    if marker not in _APP:
        return True
    if marker == _JFIF:
        return part[4:9] == b"JFIF\0" and len(part) <= 18
    return (marker == _ICC and part[4:16] == b"ICC_PROFILE\0") or (
        marker == _ADOBE and part[4:9] == b"Adobe"
    )


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment as its marker, its beginning and its end; a scan with all its data."""
    at, marker = 2, 0
    while marker != _END:
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        head = content[at : at + 4]
        if len(head) < 2 or head[0] != 0xFF:
            raise FileRefused(DAMAGED)
        marker, end = head[1], at + 2
        if marker != _END:
            end = at + 2 + int.from_bytes(head[2:4], "big")
            if len(head) < 4 or end < at + 4 or end > len(content):
                raise FileRefused(DAMAGED)
        if marker == _SCAN:
            found = _AFTER_SCAN.search(content, end)
            if found is None:
                raise FileRefused(DAMAGED)
            end = found.start()
        yield marker, at, end
        at = end


# PDF ---------------------------------------------------------------------------------------------
def _check_pdf(content: bytes) -> None:
    """What can be seen from outside; a name can be written with numbers (ISO 32000-1, 7.3.5)."""
    if _PDF_END not in content[-1024:]:
        raise FileRefused(DAMAGED)
    if content[content.rindex(_PDF_END) + len(_PDF_END) :].strip(b"\r\n \t\0"):
        raise FileRefused(TWO_THINGS)
    if b"PK\x05\x06" in content[-_ZIP_END:] or _FOREIGN.search(content[8:1024]):
        raise FileRefused(TWO_THINGS)
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if _PDF_ACTIVE.search(plain):
        raise FileRefused(ACTIVE_PDF)
