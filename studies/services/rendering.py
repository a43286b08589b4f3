"""Pictures of stored frames for people, and frames that cannot be sent as they lie."""

from __future__ import annotations

import base64
import os
import threading
from collections import OrderedDict
from typing import Final
from uuid import UUID

import orjson

from studies.gateways.decoder import (
    CannotRender,
    FramePart,
    Source,
    decode_frame,
    render_frame,
)
from studies.gateways.objects import ObjectReader
from studies.models import Instance
from studies.rules.layout import frame_ranges
from studies.rules.rendering import (
    ALWAYS_GREY,
    BIG_ENDIAN,
    DEFLATED,
    ENCAPSULATED_PDF,
    NATIVE,
    Picture,
    inflated_range,
    is_native_422,
)
from studies.selectors import metadata_of

_ENCAPSULATED_DOCUMENT: Final = "00420011"
# Smaller objects go to the drawer whole, through the gate once more.
_SMALL: Final = 4 << 20
_LARGEST_HEADER: Final = 32 << 20
# Each drawing may take a gigabyte for a moment; more of them at once than cores gain nothing.
_drawing = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


class _Pictures:
    """The pictures drawn last, in memory only. Whoever asks has passed the decision before."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._held: OrderedDict[tuple[UUID, int, int, Picture], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[UUID, int, int, Picture]) -> bytes | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: tuple[UUID, int, int, Picture], data: bytes) -> None:
        if len(data) > self._limit // 8:
            return
        with self._lock:
            self._size += len(data) - len(self._held.pop(key, b""))
            self._held[key] = data
            while self._size > self._limit:
                self._size -= len(self._held.popitem(last=False)[1])


_pictures = _Pictures(limit=16 << 20)


def draw_frame(row: Instance, *, frame: int, picture: Picture) -> bytes:
    """Draw a frame (from 1) of an object that the asker may see. Raises `CannotRender`.

    `row` comes fresh from the database with `blob` joined: an object whose key was destroyed has
    no row any more, so that no picture outlives it.
    """
    if not row.frames:
        raise CannotRender("undecodable", "no pixels")
    key = (row.blob.key_id, row.pk, frame, picture)
    drawn = _pictures.get(key)
    if drawn is None:
        with ObjectReader([row]) as reader:
            drawn = draw(source_of(reader, row, frame), frame=frame, picture=picture)
        _pictures.put(key, drawn)
    return drawn


def draw(source: Source, *, frame: int, picture: Picture) -> bytes:
    """Draw from what `source_of` gave; touches no database, so any thread may. Raises
    `CannotRender`; nothing is remembered.
    """
    window = picture.window
    with _drawing:
        return render_frame(
            source,
            frame=frame,
            width=picture.width,
            height=picture.height,
            region=picture.region,
            window=(window.center, window.width) if window else None,
            function=window.function if window else "LINEAR",
            media_type=picture.media_type,
            quality=picture.quality,
        )


def source_of(reader: ObjectReader, row: Instance, frame: int) -> Source:
    """Give the drawer the whole object or, of a large one, what one of its frames needs."""
    whole = row.length <= _SMALL or row.frames < 2
    if whole or frame > row.frames or row.transfer_syntax_uid in {DEFLATED, BIG_ENDIAN}:
        return reader.stream_as_received(row)
    try:
        (first, length), *_ = frame_ranges(row.layout, 1)
        wanted = frame_ranges(row.layout, frame)
        (second, _), *_ = frame_ranges(row.layout, 2)
    except IndexError:
        return reader.stream_as_received(row)
    # Frames of single bits may begin within a byte; only the whole object tells them apart.
    if second < first + length or first > _LARGEST_HEADER:
        return reader.stream_as_received(row)
    return FramePart(reader.read(row, 0, first), reader.read_ranges(row, wanted))


def small_source_of(reader: ObjectReader, row: Instance) -> bytes | None:
    """All of a small object, to be drawn by another thread; None for one that is not small."""
    return b"".join(reader.stream_as_received(row)) if row.length <= _SMALL else None


def frame_parts(row: Instance, numbers: list[int]) -> list[bytes]:
    """Return frames as they are stored, or, of uncompressed ones, as explicit little endian has
    them; uncompressed 4:2:2 colour comes as RGB (see `served_header`).

    Raises `CannotRender`, and `IndexError` for a frame that the object does not have.
    """
    if _must_be_decoded(row):
        return _decoded(row, numbers)
    ranges = [frame_ranges(row.layout, number) for number in numbers]
    with ObjectReader([row]) as reader:
        if row.transfer_syntax_uid == DEFLATED:
            return [inflated_range(reader.stream_as_received(row), *one) for (one,) in ranges]
        return [reader.read_ranges(row, one) for one in ranges]


def value_at(row: Instance, offset: int, length: int) -> bytes:
    """Return a value by its place, as the gate found it."""
    with ObjectReader([row]) as reader:
        if row.transfer_syntax_uid == DEFLATED:
            return inflated_range(reader.stream_as_received(row), offset, length)
        return reader.read(row, offset, length)


def _must_be_decoded(row: Instance) -> bool:
    if row.transfer_syntax_uid == BIG_ENDIAN:
        return True
    if row.transfer_syntax_uid not in NATIVE or row.sop_class_uid in ALWAYS_GREY:
        return False
    # 4:2:2 colour takes 16 bits a pixel; only then the description is worth opening.
    ((_, length),) = frame_ranges(row.layout, 1)
    if length != 2 * (row.rows or 0) * (row.columns or 0):
        return False
    return is_native_422(metadata_of([row])[0].header, row.transfer_syntax_uid)


def _decoded(row: Instance, numbers: list[int]) -> list[bytes]:
    if max(numbers) > row.frames:
        raise IndexError(max(numbers))
    as_rgb = is_native_422(metadata_of([row])[0].header, row.transfer_syntax_uid)
    with _drawing, ObjectReader([row]) as reader:
        return [
            decode_frame(reader.stream_as_received(row), frame=number, as_rgb=as_rgb).data
            for number in numbers
        ]


def document_of(row: Instance) -> bytes | None:
    """Return the PDF that an object wraps (PS3.3 A.45.1), or None if it holds none."""
    if row.sop_class_uid != ENCAPSULATED_PDF:
        return None
    described = metadata_of([row])[0]
    places = {place[0]: place for place in orjson.loads(described.places)}
    if _ENCAPSULATED_DOCUMENT in places:
        _, _, offset, length, _ = places[_ENCAPSULATED_DOCUMENT]
        data = value_at(row, offset, length)
    else:
        inline = orjson.loads(described.header).get(_ENCAPSULATED_DOCUMENT, {})
        data = base64.b64decode(inline.get("InlineBinary", ""))
    return data if data.startswith(b"%PDF-") else None
