"""Where the pixels lie in the bytes, and whether their description can be true.

A frame is served from its byte ranges, without decoding: native frames by arithmetic, compressed
ones by the basic or extended offset table, by one fragment per frame, or by the start marks of the
compressed images, in this order of trust (DICOM PS3.5 A.4, PS3.3 C.7.6.3.1.8).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .codestream import Size, check_rle, read_size, starts_image
from .reasons import refuse
from .syntaxes import Syntax

MAX_FRAMES: Final = 1_000_000
MAX_FRAGMENTS: Final = 400_000
MAX_FRAME_BYTES: Final = 1 << 30
# A compressed frame may unfold to this much: a few bytes can claim any size.
MAX_DECODED_FRAME_BYTES: Final = 128 << 20
MAX_COMPONENTS: Final = 4
PIXEL_DATA: Final = "7FE00010"
_UNMEASURED: Final = ("video", "jpeg-xl", "uncompressed", "deflated-frame")

Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """The image as the header describes it (PS3.3 C.7.6.3); sizes in pixels and bits."""

    rows: int
    columns: int
    samples: int
    allocated: int
    frames: int
    photometric: str

    @property
    def frame_bits(self) -> int:
        """Bits of one uncompressed frame; 4:2:2 colour shares two of four samples."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def total_bytes(self) -> int:
        """Bytes of all uncompressed frames; single bits run on over frames (PS3.5 8.1.1)."""
        return (self.frame_bits * self.frames + 7) // 8


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The byte ranges of the pixels; offsets count from the start of the (inflated) object.

    `offset` and `length` span the whole value, with all item headers if it is encapsulated.
    `first_fragments` holds the index of each frame's first fragment; it is empty where frames
    cannot be told apart, then the value can only be served as a whole.
    """

    shape: Shape | None
    syntax: Syntax
    offset: int
    length: int
    fragment_offsets: array[int] = field(default_factory=lambda: array("Q"))
    fragment_lengths: array[int] = field(default_factory=lambda: array("I"))
    first_fragments: array[int] = field(default_factory=lambda: array("I"))

    @property
    def encapsulated(self) -> bool:
        """Whether the value is cut into fragments."""
        return self.syntax.encapsulated

    def frame(self, number: int) -> tuple[tuple[int, int], ...]:
        """Return the (offset, length) ranges, in order, that make up frame `number` (from 1).

        For a native image of single bits the one range covers the whole bytes that hold the frame.
        Raises IndexError for a frame that does not exist or cannot be told apart.
        """
        if self.shape is None or not 1 <= number <= self.shape.frames:
            raise IndexError(number)
        if not self.encapsulated:
            first, last = (self.shape.frame_bits * n for n in (number - 1, number))
            start = first // 8
            return ((self.offset + start, (last + 7) // 8 - start),)
        first = self.first_fragments[number - 1]
        following = self.first_fragments[number : number + 1]
        last = following[0] if following else len(self.fragment_offsets)
        return tuple(
            zip(self.fragment_offsets[first:last], self.fragment_lengths[first:last], strict=True)
        )


def check_native(shape: Shape, length: int, note: Note) -> None:
    """Refuse native pixels that are fewer than described; hold more than one pad byte too many."""
    if shape.frame_bits > MAX_FRAME_BYTES * 8 or shape.total_bytes > 64 * MAX_FRAME_BYTES:
        refuse("pixel-flood", PIXEL_DATA)
    if length < shape.total_bytes:
        refuse("pixel-data-short", PIXEL_DATA)
    if length > shape.total_bytes + 1:
        note("pixel-data-long", PIXEL_DATA)


class Fragments:
    """Collect the fragments of one encapsulated value while its bytes go by."""

    def __init__(self, syntax: Syntax, shape: Shape | None, offset: int, note: Note) -> None:
        self.syntax, self.shape, self.offset, self.note = syntax, shape, offset, note
        self.offsets, self.lengths = array("Q"), array("I")
        self.starts = array("I")
        self.table: tuple[int, ...] | None = None
        if shape and shape.frame_bits > MAX_DECODED_FRAME_BYTES * 8:
            refuse("pixel-flood", PIXEL_DATA)

    def take_table(self, raw: bytes, extended: bytes) -> None:
        """Read the basic offset table, or the extended one where the object has it (PS3.3)."""
        source, letter, width = (extended, "Q", 8) if extended else (raw, "I", 4)
        if len(source) % width:
            self.note("offset-table-wrong", PIXEL_DATA)
        self.table = struct.unpack_from(f"<{len(source) // width}{letter}", source)

    def add(self, offset: int, length: int, head: bytes) -> bool:
        """Take a fragment; False asks for a longer `head`, to find the size of the image in it."""
        codec = self.syntax.codec
        if self.shape is None or codec in _UNMEASURED:
            self._append(offset, length, starts=True)
            return True
        starts = starts_image(codec, head)
        if codec == "rle":
            check_rle(head, length, PIXEL_DATA)
        elif starts or not self.offsets:
            size = read_size(codec, head)
            if size is None and len(head) < min(length, 65_536):
                return False
            self._check_size(size, self.shape)
        self._append(offset, length, starts=starts)
        return True

    def _append(self, offset: int, length: int, *, starts: bool) -> None:
        if len(self.offsets) >= MAX_FRAGMENTS:
            refuse("too-many-fragments", PIXEL_DATA)
        if starts:
            self.starts.append(len(self.offsets))
        self.offsets.append(offset)
        self.lengths.append(length)

    def _check_size(self, size: Size | None, shape: Shape) -> None:
        if size is None:
            self.note("codestream-unread", PIXEL_DATA)
            return
        too_large = size.rows > shape.rows or size.columns > shape.columns
        if too_large or size.components > MAX_COMPONENTS:
            refuse("codestream-size", PIXEL_DATA)
        if size.rows < shape.rows or size.columns < shape.columns:
            self.note("codestream-smaller", PIXEL_DATA)

    def layout(self, end: int) -> PixelLayout:
        """Return the finished layout; `end` is where the value's closing delimiter ends."""
        first = array("I")
        if self.shape:
            first = self._first_fragments(self.shape.frames)
        return PixelLayout(
            self.shape,
            self.syntax,
            self.offset,
            end - self.offset,
            self.offsets,
            self.lengths,
            first,
        )

    def _first_fragments(self, frames: int) -> array[int]:
        count = len(self.offsets)
        if not count:
            refuse("pixel-data-short", PIXEL_DATA)
        if self.syntax.codec == "video":
            return array("I", [0] if frames == 1 else [])
        if count < frames:
            refuse("pixel-data-short", PIXEL_DATA)
        by_table = self._from_table(frames) if self.table else None
        if self.table and by_table is None:
            self.note("offset-table-wrong", PIXEL_DATA)
        for found in (by_table, range(count) if count == frames else None, self.starts):
            if found is not None and len(found) == frames and found[0] == 0:
                return array("I", found)
        if frames == 1:
            return array("I", [0])
        self.note("frames-not-separable", PIXEL_DATA)
        return array("I")

    def _from_table(self, frames: int) -> array[int] | None:
        """Translate the table's offsets to fragment numbers; None if one of them fits nowhere."""
        table = self.table or ()
        if len(table) != frames:
            return None
        origin, found, at = self.offsets[0], array("I"), 0
        for offset in table:
            while at < len(self.offsets) and self.offsets[at] - origin < offset:
                at += 1
            if at == len(self.offsets) or self.offsets[at] - origin != offset:
                return None
            if found and found[-1] == at:
                return None
            found.append(at)
        return found
