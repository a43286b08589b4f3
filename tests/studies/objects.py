"""Whole objects with chosen identifiers, for tests of what comes after the gate."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .hostile import (
    CAPTURE,
    ENCAPSULATED_PDF,
    RLE,
    ROOT,
    Value,
    element,
    fragments,
    meta,
    part10,
    word,
)

PIXELS = bytes(range(64))
BOUNDARY = "boundary-of-tests"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def uid(suffix: str) -> str:
    return ROOT + suffix


def an_object(
    *,
    study: str = "1",
    series: str = "1",
    number: int = 1,
    instance: str = "",
    name: str = "Test^Invented",
    patient: str = "P-1",
    issuer: str = "",
    pixels: bytes = PIXELS,
    modality: str = "OT",
    preamble: bytes = b"",
    changes: dict[int, Value] | None = None,
) -> bytes:
    """A secondary capture of 8 by 8 pixels; identifiers are suffixes of the test root."""
    sop = uid(instance or f"{study}.{series}.{number}")
    values: dict[int, Value] = {
        0x00080018: ("UI", sop),
        0x00080060: ("CS", modality),
        0x00100010: ("PN", name),
        0x00100020: ("LO", patient),
        0x00100021: ("LO", issuer) if issuer else None,
        0x0020000D: ("UI", uid(study)),
        0x0020000E: ("UI", uid(f"{study}.{series}")),
        0x00200011: ("IS", series),
        0x00200013: ("IS", str(number)),
        0x7FE00010: ("OB", pixels),
    }
    values |= changes or {}
    named = {f"t{tag:08X}": value for tag, value in values.items()}
    opening = meta(sop_class=CAPTURE, instance=sop)
    return part10(opening=opening, preamble=preamble, **named)


def of_size(
    megabytes: int, *, number: int = 1, study: str = "9", changes: dict[int, Value] | None = None
) -> Iterator[bytes]:
    """A native object of about so many MiB, made as it is read and never held whole."""
    rows = 1024 * megabytes
    small = an_object(
        study=study,
        number=number,
        changes={
            0x00280010: ("US", word(1024)),
            0x00280011: ("US", word(1024)),
            0x00280008: ("IS", str(megabytes)),
            0x7FE00010: element(0x7FE00010, "OB", b"", length=rows * 1024),
        }
        | (changes or {}),
    )
    yield small
    block = bytes(range(256)) * 256
    for _ in range(megabytes * 16):
        yield block


def as_parts(*objects: bytes, closed: bool = True, boundary: str = BOUNDARY) -> bytes:
    """A multipart/related body of DICOM objects (RFC 2387)."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + one + b"\r\n" for one in objects)
    return body + (f"--{boundary}--\r\n".encode() if closed else b"")


RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def encapsulated(document: bytes) -> bytes:
    """A document within an object that says it is a PDF."""
    return part10(
        opening=meta(sop_class=ENCAPSULATED_PDF),
        t00080016=("UI", ENCAPSULATED_PDF),
        t00420011=("OB", document + b"\0" * (len(document) % 2)),
        t00420012=("LO", "application/pdf"),
        t7FE00010=None,
    )


def undecodable() -> bytes:
    """An image that passes the gate, and whose codec finds nothing in it."""
    return part10(syntax=RLE, t7FE00010=fragments(struct.pack("<16I", 1, 64, *[0] * 14) + b"\0\1"))
