"""Pack the places of an object's frames into a few bytes, so that one frame is one read. Pure.

Native pixels need three numbers whatever the count of frames. Encapsulated ones need the
fragments: offset and length of each, and which begins a frame (DICOM PS3.5 A.4).
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array

from studies.rules.pixels import PixelLayout

_NATIVE = struct.Struct("<BQQI")  # kind, offset, bits of a frame, frames
_FRAGMENTS = struct.Struct("<BII")  # kind, fragments, frames; then three arrays
KIND_NATIVE, KIND_FRAGMENTS = 1, 2

Ranges = tuple[tuple[int, int], ...]


def pack_layout(layout: PixelLayout | None) -> bytes:
    """Return the packed places; empty where there are no frames that can be told apart."""
    if layout is None or layout.shape is None:
        return b""
    if not layout.encapsulated:
        return _NATIVE.pack(
            KIND_NATIVE, layout.offset, layout.shape.frame_bits, layout.shape.frames
        )
    if not layout.first_fragments:
        return b""
    head = _FRAGMENTS.pack(
        KIND_FRAGMENTS, len(layout.fragment_offsets), len(layout.first_fragments)
    )
    arrays = (layout.fragment_offsets, layout.fragment_lengths, layout.first_fragments)
    return head + zlib.compress(b"".join(map(_little, arrays)), 1)


def frame_ranges(packed: bytes | memoryview, number: int) -> Ranges:
    """Return the (offset, length) ranges of a frame (from 1) within the object.

    Raises `IndexError` for a frame that does not exist or cannot be told apart.
    """
    # One database driver gives bytes as characters.
    view = memoryview(packed).cast("B")
    if not view or number < 1:
        raise IndexError(number)
    if view[0] == KIND_NATIVE:
        _, offset, bits, frames = _NATIVE.unpack(view)
        if number > frames:
            raise IndexError(number)
        start, end = bits * (number - 1) // 8, (bits * number + 7) // 8
        return ((offset + start, end - start),)
    return _of_fragments(view, number)


def _of_fragments(view: memoryview, number: int) -> Ranges:
    _, fragments, frames = _FRAGMENTS.unpack_from(view)
    if number > frames:
        raise IndexError(number)
    raw = zlib.decompress(view[_FRAGMENTS.size :])
    offsets = struct.unpack_from(f"<{fragments}Q", raw)
    lengths = struct.unpack_from(f"<{fragments}I", raw, fragments * 8)
    firsts = struct.unpack_from(f"<{frames}I", raw, fragments * 12)
    last = firsts[number] if number < frames else fragments
    first = firsts[number - 1]
    return tuple(zip(offsets[first:last], lengths[first:last], strict=True))


def _little(values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()
