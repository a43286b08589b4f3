"""From a value's bytes to its part of DICOM JSON (PS3.18 Annex F), one function a kind of VR.

Each takes the bytes, the character set, a place for findings and the byte order ("<" or ">"), and
returns the JSON text that follows `"vr":"XX"`: `,"Value":[...]`, `,"InlineBinary":"..."`, or
nothing for an empty value. Numbers keep the digits of the file.
"""

import math
import re
import struct
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from orjson import dumps

from .charsets import DEFAULT, CharacterSet

Note = Callable[[str], None]
Encoder = Callable[[bytes, CharacterSet, Note, str], bytes]

# PS3.5 table 6.2-1: the most characters of one value (PN: of one component group).
LONGEST: Final = {
    "AE": 16, "AS": 4, "CS": 16, "DA": 10, "DS": 16, "DT": 26, "IS": 12, "LO": 64, "LT": 10240,
    "PN": 64, "SH": 16, "ST": 1024, "TM": 16, "UI": 64,
}  # fmt: skip
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]+)?"
_NUMBERS = re.compile(_NUMBER + rb"(?:\\" + _NUMBER + rb")*")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_INTEGER = re.compile(r"[+-]?\d{1,12}(?:\.0*)?")
# Text that is the same in every character set and in JSON: no quote, backslash or control.
_SIMPLE = re.compile(rb"[ !#-\[\]-~]+")
_PN_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")


def _wrap(values: list[Any]) -> bytes:
    if len(values) == 1 and values[0] is None:
        return b""
    return b',"Value":' + dumps(values)


def _decoded(raw: bytes, charset: CharacterSet, note: Note) -> str:
    """Decode and unpad; a NUL inside becomes U+FFFD, for databases refuse it."""
    text, finding = charset.decode(raw)
    if finding:
        note(finding)
    text = text.rstrip(" \0")
    if "\0" in text:
        note("text-nul")
        text = text.replace("\0", "\ufffd")
    return text


def _texts(longest: int, raw: bytes, charset: CharacterSet, note: Note, _order: str) -> bytes:
    simple = raw.rstrip(b" \0")
    if len(simple) <= longest and _SIMPLE.fullmatch(simple):
        return b',"Value":["' + simple + b'"]'
    text = _decoded(raw, charset, note)
    if not text:
        return b""
    if "\\" not in text:
        if len(text) > longest:
            note("text-too-long")
        return b',"Value":[' + dumps(text) + b"]"
    values = [value.rstrip(" \0") or None for value in text.split("\\")]
    if max(len(value or "") for value in values) > longest:
        note("text-too-long")
    return _wrap(values)


def _plain(longest: int, raw: bytes, _cs: CharacterSet, note: Note, order: str) -> bytes:
    """Encode a text that the declared character set does not touch (PS3.5 6.1.2.2)."""
    return _texts(longest, raw, DEFAULT, note, order)


def _stripped(longest: int, raw: bytes, _cs: CharacterSet, note: Note, order: str) -> bytes:
    if raw[:1] == b" " or b"\\" in raw:
        raw = b"\\".join(map(bytes.strip, raw.split(b"\\")))
    return _texts(longest, raw, DEFAULT, note, order)


def _text(longest: int, raw: bytes, charset: CharacterSet, note: Note, _order: str) -> bytes:
    simple = raw.rstrip(b" \0")
    if len(simple) <= longest and _SIMPLE.fullmatch(simple):
        return b',"Value":["' + simple + b'"]'
    text = _decoded(raw, charset, note)
    if len(text) > longest:
        note("text-too-long")
    return b',"Value":[' + dumps(text) + b"]" if text else b""


def person_name(text: str) -> dict[str, str]:
    """Split one name into its component groups, leaving out the empty ones (PS3.18 F.2.2)."""
    groups = zip(_PN_GROUPS, text.split("=", 3), strict=False)
    return {name: group.rstrip(" ") for name, group in groups if group.strip(" ")}


def _names(raw: bytes, charset: CharacterSet, note: Note, _order: str) -> bytes:
    simple = raw.rstrip(b" \0")
    if len(simple) <= LONGEST["PN"] and b"=" not in simple and _SIMPLE.fullmatch(simple):
        return b',"Value":[{"Alphabetic":"' + simple + b'"}]'
    text = _decoded(raw, charset, note)
    if not text:
        return b""
    names = [person_name(name) or None for name in text.split("\\")]
    if any(len(group) > LONGEST["PN"] for name in names if name for group in name.values()):
        note("text-too-long")
    return _wrap(names)


def _decimal(text: str) -> float:
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def integer(text: str) -> int:
    """Read an IS value; raises ValueError outside the 32 bits of PS3.5 section 6.2."""
    value = int(text.partition(".")[0]) if _INTEGER.fullmatch(text) else 1 << 40
    if not -(1 << 31) <= value < 1 << 31:
        raise ValueError(text)
    return value


def _numbers(
    read: Callable[[str], float], raw: bytes, _cs: CharacterSet, note: Note, _order: str
) -> bytes:
    raw = raw.strip(b" \0")
    if read is _decimal and _NUMBERS.fullmatch(raw):
        return b',"Value":[' + raw.replace(b"\\", b",") + b"]"
    values: list[float | str | None] = []
    for text in (part.strip(" \0") for part in raw.decode("latin-1").split("\\")):
        try:
            values.append(read(text) if text else None)
        except ValueError:
            note("number-unreadable")
            values.append(text.replace("\0", "\ufffd"))
    return _wrap(values)


def _binary_numbers(
    letter: str, width: int, raw: bytes, _cs: CharacterSet, note: Note, order: str
) -> bytes:
    count, rest = divmod(len(raw), width)
    if rest:
        note("number-length")
        return b',"InlineBinary":"' + b64encode(raw) + b'"'
    if count == 1 and letter in "Hh":
        value = int.from_bytes(raw, "little" if order == "<" else "big", signed=letter == "h")
        return b',"Value":[%d]' % value
    values = list(struct.unpack(f"{order}{count}{letter}", raw))
    if letter in "fd" and not all(map(math.isfinite, values)):
        values = [v if math.isfinite(v) else str(v).replace("nan", "NaN") for v in values]
    return _wrap(values) if values else b""


def _tags(raw: bytes, _cs: CharacterSet, note: Note, order: str) -> bytes:
    if len(raw) % 4:
        note("number-length")
        raw = raw[: len(raw) // 4 * 4]
    words = struct.unpack(f"{order}{len(raw) // 2}H", raw)
    return _wrap(
        [f"{a:04X}{b:04X}" for a, b in zip(words[::2], words[1::2], strict=True)] or [None]
    )


def _bytes(width: int, raw: bytes, _cs: CharacterSet, _note: Note, order: str) -> bytes:
    """Inline binary is little-endian whatever the file is (PS3.18 F.2.7)."""
    if order == ">" and width > 1 and len(raw) % width == 0:
        raw = b"".join(raw[i : i + width][::-1] for i in range(0, len(raw), width))
    return b',"InlineBinary":"' + b64encode(raw) + b'"' if raw else b""


UNBOUNDED: Final = 1 << 32
ENCODERS: Final[dict[str, Encoder]] = {
    **{vr: partial(_texts, LONGEST[vr]) for vr in ("LO", "SH")},
    **{vr: partial(_plain, LONGEST[vr]) for vr in ("AS", "DA", "DT", "TM", "UI")},
    **{vr: partial(_stripped, LONGEST[vr]) for vr in ("AE", "CS")},
    **{vr: partial(_text, LONGEST.get(vr, UNBOUNDED)) for vr in ("LT", "ST", "UT", "UR")},
    "UC": partial(_texts, UNBOUNDED),
    "PN": _names,
    "DS": partial(_numbers, _decimal),
    "IS": partial(_numbers, integer),
    "US": partial(_binary_numbers, "H", 2),
    "SS": partial(_binary_numbers, "h", 2),
    "UL": partial(_binary_numbers, "I", 4),
    "SL": partial(_binary_numbers, "i", 4),
    "UV": partial(_binary_numbers, "Q", 8),
    "SV": partial(_binary_numbers, "q", 8),
    "FL": partial(_binary_numbers, "f", 4),
    "FD": partial(_binary_numbers, "d", 8),
    "AT": _tags,
    "OB": partial(_bytes, 1),
    "UN": partial(_bytes, 1),
    "OW": partial(_bytes, 2),
    "OL": partial(_bytes, 4),
    "OF": partial(_bytes, 4),
    "OD": partial(_bytes, 8),
    "OV": partial(_bytes, 8),
}
