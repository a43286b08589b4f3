"""The file meta information: what the object says of itself before it begins (PS3.10 7.1)."""

import struct
from dataclasses import dataclass
from typing import Final

from .preamble import LENGTH
from .reasons import refuse
from .syntaxes import SYNTAXES, Syntax

_LONG: Final = (b"OB", b"UN", b"UT", b"OW", b"SQ", b"UR", b"UC")
_HEAD = struct.Struct("<HH2sH")
_LONGEST: Final = 1 << 16
_GROUP_LENGTH, _SOP_CLASS, _SOP_INSTANCE, _SYNTAX = 0x0000, 0x0002, 0x0003, 0x0010


@dataclass(frozen=True, slots=True)
class Meta:
    """The parts of group 0002 that count; `end` is the offset at which the data set begins."""

    syntax: Syntax
    sop_class: str
    sop_instance: str
    end: int
    findings: tuple[str, ...]


def read_meta(opening: bytes, *, complete: bool) -> Meta | None:
    """Read group 0002 behind the preamble; None if more bytes are needed.

    With `complete` there are no more, and what is missing is refused. Lengths are taken from the
    elements; a group length that disagrees is a finding, one that is absurd is refused.
    """
    values: dict[int, bytes] = {}
    pos, end = LENGTH + 4, None
    while pos != end:
        if len(opening) < pos + 12 and not (complete and _ends_here(opening, pos)):
            return refuse("meta-missing") if complete else None
        if opening[pos : pos + 2] != b"\x02\0":
            break
        element, value, stop = _element(opening, pos)
        if stop > len(opening):
            return refuse("meta-broken") if complete else None
        if element in values or (values and element < max(values)):
            refuse("duplicate-tag", f"0002{element:04X}")
        values[element] = opening[value:stop]
        pos = stop
        if element == _GROUP_LENGTH:
            end = _declared_end(values[element], stop)
    return _meta(values, pos, end)


def _ends_here(opening: bytes, pos: int) -> bool:
    """Whether a short rest of bytes is not of group 0002, so that the data set begins."""
    return len(opening) >= pos + 8 or (pos > LENGTH + 4 and opening[pos : pos + 2] != b"\x02\0")


def _element(opening: bytes, pos: int) -> tuple[int, int, int]:
    _, element, vr, length = _HEAD.unpack_from(opening, pos)
    if not (vr.isalpha() and vr.isupper()):
        refuse("meta-broken", f"0002{element:04X}")
    value = pos + 8
    if vr in _LONG:
        length, value = int.from_bytes(opening[pos + 8 : pos + 12], "little"), pos + 12
    if length > _LONGEST:
        refuse("meta-length", f"0002{element:04X}")
    return element, value, value + length


def _declared_end(raw: bytes, stop: int) -> int:
    length = int.from_bytes(raw, "little")
    if length > _LONGEST or len(raw) != 4:
        refuse("meta-length", "00020000")
    return stop + length


def _uid(values: dict[int, bytes], element: int) -> str:
    return values.get(element, b"").rstrip(b"\0 ").decode("latin-1")


def _meta(values: dict[int, bytes], pos: int, end: int | None) -> Meta:
    if not values:
        refuse("meta-missing")
    uid = _uid(values, _SYNTAX)
    if not uid:
        refuse("syntax-missing", "00020010")
    syntax = SYNTAXES.get(uid)
    if syntax is None:
        refuse("syntax-unknown", "00020010")
    findings = () if pos == end else ("meta-length-wrong",)
    return Meta(syntax, _uid(values, _SOP_CLASS), _uid(values, _SOP_INSTANCE), pos, findings)


def name_in_meta(opening: bytes, *, sop_class: str, sop_instance: str) -> bytes:
    """Return an object's beginning with these identifiers in its file meta information.

    All else of group 0002 stays; its length is told anew. `opening` holds all of the group, which
    `read_meta` has found to be readable.
    """
    named = {_SOP_CLASS: sop_class, _SOP_INSTANCE: sop_instance}
    body, pos = b"", LENGTH + 4
    while opening[pos : pos + 2] == b"\x02\0":
        element, _, stop = _element(opening, pos)
        if element in named:
            uid = named[element].encode() + bytes(len(named[element]) % 2)
            body += _HEAD.pack(2, element, b"UI", len(uid)) + uid
        elif element != _GROUP_LENGTH:
            body += opening[pos:stop]
        pos = stop
    length = _HEAD.pack(2, _GROUP_LENGTH, b"UL", 4) + struct.pack("<I", len(body))
    return opening[: LENGTH + 4] + length + body + opening[pos:]
