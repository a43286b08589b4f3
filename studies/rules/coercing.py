"""The bytes of a corrected object: what is put in and left out, and at which places. Pure.

The stored bytes are evidence and stay as they are; an object that goes out is they, with these
edits on the way. Only the elements before (0400,0561) are walked through, by their heads.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from studies.rules.charsets import DEFAULT, CharacterSet, character_set
from studies.rules.correcting import (
    ATTRIBUTES,
    CORRECT,
    MODIFYING_SYSTEM,
    Coercion,
    moment,
)
from studies.rules.elements import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Header, header_of
from studies.rules.meta import read_meta
from studies.rules.syntaxes import SYNTAXES, Syntax

CHARACTER_SET: Final = 0x00080005
ORIGINALS, MODIFIED = 0x04000561, 0x04000550
MODIFIED_AT, SYSTEM, SOURCE, REASON = 0x04000562, 0x04000563, 0x04000564, 0x04000565
_IMPLICIT: Final = header_of(SYNTAXES["1.2.840.10008.1.2"])
_WINDOW: Final = 1 << 16
_META: Final = 1 << 17
# Codecs of Python that write what the table of character sets reads.
_WRITABLE: Final = frozenset(
    {"latin-1", "utf-8", "gb18030", "gbk"}
    | {f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 11, 15)}
)

Read = Callable[[int, int], bytes]


class CannotCoerce(Exception):
    """The object cannot carry the new values; the sentence says why. It does not leave either."""


@dataclass(frozen=True, slots=True)
class Edit:
    """At this place of the stored bytes, leave out so many and put these in."""

    at: int
    leaves_out: int
    puts_in: bytes


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    vr: str
    start: int
    value: int
    # Of the value; where it is of undefined length, up to its delimiter.
    length: int
    end: int
    undefined: bool = False


def edits_of(read: Read, size: int, coercions: Sequence[Coercion]) -> list[Edit]:
    """Give the edits of an object of `size` bytes, in the order of their places.

    `read` gives bytes by place and length. Raises `CannotCoerce`.
    """
    meta = read_meta(read(0, min(size, _META)), complete=size <= _META)
    if meta is None:
        raise CannotCoerce("Its beginning cannot be read.")
    if meta.syntax.deflated:
        raise CannotCoerce("It is stored deflated, which cannot be corrected here.")
    found = _Found()
    wanted = {int(tag, 16) for one in coercions for tag in one.values}
    for element in _elements(_Window(read, size), meta.end, size, header_of(meta.syntax)):
        found.take(element, wanted)
    found.end = found.end or meta.end
    return _Writer(meta.syntax, read, found).edits(coercions)


def corrected_length(size: int, edits: Sequence[Edit]) -> int:
    return size + sum(len(edit.puts_in) - edit.leaves_out for edit in edits)


def stretches(size: int, edits: Sequence[Edit]) -> Iterator[bytes | tuple[int, int]]:
    """Give, in order, what is put in, and the (place, length) of stored bytes between."""
    place = 0
    for edit in edits:
        if edit.at > place:
            yield place, edit.at - place
        if edit.puts_in:
            yield edit.puts_in
        place = edit.at + edit.leaves_out
    if size > place:
        yield place, size - place


# Walking -----------------------------------------------------------------------------------------
class _Window:
    """Bytes around a place, read some at a time."""

    def __init__(self, read: Read, size: int) -> None:
        self._read, self._size = read, size
        self._start, self._bytes = 0, b""

    def at(self, place: int, length: int = 12) -> tuple[bytes, int]:
        """A buffer and the position in it of `place`, with `length` bytes behind if there are."""
        offset = place - self._start
        if offset < 0 or offset + length > len(self._bytes):
            self._start, offset = place, 0
            self._bytes = self._read(place, min(_WINDOW, self._size - place))
        return self._bytes, offset


def _head(window: _Window, place: int, header: Header) -> tuple[int, str, int, int]:
    """Tag, VR, length and the place of the value."""
    buffer, offset = window.at(place)
    try:
        tag, vr, length, value = header(buffer, offset)
    except (struct.error, KeyError):
        raise CannotCoerce("Its elements cannot be told apart.") from None
    return tag, vr, length, place + value - offset


def _elements(window: _Window, start: int, size: int, header: Header) -> Iterator[_Element]:
    place = start
    while place + 8 <= size:
        tag, vr, length, value = _head(window, place, header)
        undefined = length == UNDEFINED
        if tag > ORIGINALS:
            # Only where it begins counts, and it may be pixels.
            yield _Element(tag, vr, place, value, 0, value)
            return
        if undefined:
            end = _end_of_undefined(window, value, size, _IMPLICIT if vr == "UN" else header)
            length = end - 8 - value
        else:
            end = value + length
        if end > size:
            raise CannotCoerce("An element reaches behind its end.")
        yield _Element(tag, vr, place, value, length, end, undefined)
        place = end


def _end_of_undefined(window: _Window, place: int, size: int, header: Header) -> int:
    """The place behind the delimiter of a sequence of undefined length; nothing recurses."""
    # Of each thing that is open: whether it is a sequence (else an item), and how it is written.
    open_: list[tuple[bool, Header]] = [(True, header)]
    while open_:
        if place + 8 > size:
            raise CannotCoerce("A sequence has no end.")
        is_sequence, inside = open_[-1]
        tag, vr, length, value = _head(window, place, inside)
        if tag in {ITEM_END, SEQUENCE_END}:
            open_.pop()
            place += 8
        elif is_sequence and tag != ITEM:
            raise CannotCoerce("A sequence holds what is no item.")
        elif length == UNDEFINED:
            written = _IMPLICIT if vr == "UN" and inside is not _IMPLICIT else inside
            open_.append((not is_sequence, inside if is_sequence else written))
            place = value if not is_sequence else place + 8
        else:
            place = value + length if not is_sequence else place + 8 + length
    return place


@dataclass
class _Found:
    """What was walked past: the elements that count, and where new ones would stand."""

    elements: dict[int, _Element] = field(default_factory=dict)
    lengths: list[_Element] = field(default_factory=list)
    # Of the first element behind each place: (tag, start).
    starts: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0

    def take(self, element: _Element, wanted: set[int]) -> None:
        self.starts.append((element.tag, element.start))
        if element.tag in wanted or element.tag in {CHARACTER_SET, ORIGINALS}:
            self.elements[element.tag] = element
        if not element.tag & 0xFFFF:
            self.lengths.append(element)
        if element.tag <= ORIGINALS:
            self.end = element.end

    def place_for(self, tag: int) -> int:
        return next((start for one, start in self.starts if one > tag), self.end)


# Writing -----------------------------------------------------------------------------------------
class _Writer:
    def __init__(self, syntax: Syntax, read: Read, found: _Found) -> None:
        self._explicit = syntax.explicit
        self._order: Literal["<", ">"] = ">" if syntax.big_endian else "<"
        self._read, self._found = read, found
        letters = found.elements.get(CHARACTER_SET)
        self._letters = character_set(self._value(letters)) if letters else DEFAULT

    def edits(self, coercions: Sequence[Coercion]) -> list[Edit]:
        now: dict[int, bytes | None] = {}
        items = [self._apply(one, now) for one in coercions]
        changed = [self._replaced(tag, value) for tag, value in sorted(now.items()) if value]
        groups = {tag >> 16 for tag in now} | {ORIGINALS >> 16}
        # Retired, and wrong from now on (PS3.5 7.2).
        gone = [
            Edit(one.start, one.end - one.start, b"")
            for one in self._found.lengths
            if one.tag >> 16 in groups
        ]
        found = [*gone, *changed, *self._originals(b"".join(items))]
        # What is put in before an element stands before what the element becomes.
        return sorted(found, key=lambda one: (one.at, one.leaves_out > 0))

    def _apply(self, coercion: Coercion, now: dict[int, bytes | None]) -> bytes:
        """Note the new values, and give the item that says what stood there before."""
        before = []
        for text in sorted(coercion.values):
            tag, vr = int(text, 16), ATTRIBUTES[text].vr
            if tag not in now:
                element = self._found.elements.get(tag)
                now[tag] = self._value(element) if element else None
            if (old := now[tag]) is not None:
                before.append(self._element(tag, vr, old))
            now[tag] = _encoded(coercion.values[text], self._letters)
        return self._item(
            self._sequence(MODIFIED, self._item(b"".join(before)))
            + self._element(MODIFIED_AT, "DT", moment(coercion.at).encode())
            + self._element(SYSTEM, "LO", MODIFYING_SYSTEM.encode())
            + self._element(SOURCE, "LO", b"")
            + self._element(REASON, "CS", CORRECT.encode())
        )

    def _replaced(self, tag: int, value: bytes) -> Edit:
        written = self._element(tag, ATTRIBUTES[f"{tag:08X}"].vr, value)
        element = self._found.elements.get(tag)
        if element is None:
            return Edit(self._found.place_for(tag), 0, written)
        return Edit(element.start, element.end - element.start, written)

    def _originals(self, items: bytes) -> list[Edit]:
        """Add to what an object says of its earlier values already, or begin with it."""
        there = self._found.elements.get(ORIGINALS)
        if there is None:
            place = self._found.place_for(ORIGINALS)
            return [Edit(place, 0, self._sequence(ORIGINALS, items))]
        if there.vr == "UN":
            raise CannotCoerce("What it says of its earlier values cannot be added to.")
        behind = Edit(there.value + there.length, 0, items)
        if there.undefined:
            return [behind]
        head = self._sequence_head(ORIGINALS, there.length + len(items))
        return [Edit(there.start, there.value - there.start, head), behind]

    def _value(self, element: _Element) -> bytes:
        return self._read(element.value, element.length)

    def _tag(self, tag: int) -> bytes:
        return struct.pack(f"{self._order}HH", tag >> 16, tag & 0xFFFF)

    def _long(self, length: int) -> bytes:
        return struct.pack(f"{self._order}I", length)

    def _element(self, tag: int, vr: str, value: bytes) -> bytes:
        """An element with a value of letters, whose length has 16 bits where VRs are written."""
        padded = value + b" " * (len(value) % 2)
        if not self._explicit:
            return self._tag(tag) + self._long(len(padded)) + padded
        if len(padded) > 0xFFFF:
            raise CannotCoerce("An earlier value is too long to be kept.")
        head = self._tag(tag) + vr.encode() + struct.pack(f"{self._order}H", len(padded))
        return head + padded

    def _sequence_head(self, tag: int, length: int) -> bytes:
        return self._tag(tag) + (b"SQ\0\0" if self._explicit else b"") + self._long(length)

    def _sequence(self, tag: int, items: bytes) -> bytes:
        return self._sequence_head(tag, len(items)) + items

    def _item(self, content: bytes) -> bytes:
        return self._tag(ITEM) + self._long(len(content)) + content


def _encoded(text: str, letters: CharacterSet) -> bytes:
    """Write a value in the character set of the object. Raises `CannotCoerce`."""
    if text.isascii():
        return text.encode("ascii")
    codec = letters.codecs[0]
    try:
        if letters.declared and codec in _WRITABLE:
            return text.encode(codec)
    except UnicodeEncodeError:
        pass
    raise CannotCoerce("Its character set has no letters for the new value: write it in ASCII.")
