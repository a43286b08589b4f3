"""The index of a file set, DICOMDIR (DICOM PS3.3 Annex F, PS3.10 section 8.6). Pure.

    directory = dicomdir(Patient(...))

Records are written depth first. Each points to its next sibling and to its first child by byte
offset, so that all are measured first and written second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from studies.rules.attributes import DicomJson

EXPLICIT: Final = "1.2.840.10008.1.2.1"
DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
IMPLEMENTATION: Final = "2.25.229803178450311863012845627203906583143"
_UTF8: Final = ("00080005", "CS", "ISO_IR 192")

# PS3.3 table F.4-1: which kind of record stands for a class of objects; all others are images.
_KINDS: Final = {
    "1.2.840.10008.5.1.4.1.1.88.59": "KEY OBJECT DOC",
    "1.2.840.10008.5.1.4.1.1.88.": "SR DOCUMENT",
    "1.2.840.10008.5.1.4.1.1.9.": "WAVEFORM",
    "1.2.840.10008.5.1.4.1.1.11.": "PRESENTATION",
    "1.2.840.10008.5.1.4.1.1.104.": "ENCAP DOC",
    "1.2.840.10008.5.1.4.1.1.481.2": "RT DOSE",
    "1.2.840.10008.5.1.4.1.1.481.3": "RT STRUCTURE SET",
    "1.2.840.10008.5.1.4.1.1.481.5": "RT PLAN",
    "1.2.840.10008.5.1.4.1.1.66.1": "REGISTRATION",
    "1.2.840.10008.5.1.4.1.1.66.2": "FIDUCIAL",
    "1.2.840.10008.5.1.4.1.1.66.3": "REGISTRATION",
    "1.2.840.10008.5.1.4.1.1.66.5": "SURFACE",
    "1.2.840.10008.5.1.4.1.1.66": "RAW DATA",
    "1.2.840.10008.5.1.4.1.1.67": "VALUE MAP",
    "1.2.840.10008.5.1.4.1.1.4.2": "SPECTROSCOPY",
}
# What each record says: tag, VR, and whether it stands there even when it is empty (F.5).
_PATIENT: Final = (("00100010", "PN", True), ("00100020", "LO", True))
_STUDY: Final = (
    ("00080020", "DA", True), ("00080030", "TM", True), ("00080050", "SH", True),
    ("00081030", "LO", False), ("0020000D", "UI", True), ("00200010", "SH", True),
)  # fmt: skip
_SERIES: Final = (
    ("00080060", "CS", True), ("0020000E", "UI", True), ("00200011", "IS", True),
)  # fmt: skip
_OBJECT: Final = (
    ("00080023", "DA", False), ("00080033", "TM", False), ("00200013", "IS", True),
    ("00420010", "ST", False), ("00700080", "CS", False), ("00700081", "LO", False),
    ("0040A491", "CS", False), ("0040A493", "CS", False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DirectoryObject:
    """One file: `path` are the parts of its File ID, `about` its attributes as DICOM JSON."""

    path: tuple[str, ...]
    sop_class: str
    sop_instance: str
    syntax: str
    about: DicomJson


@dataclass(frozen=True, slots=True)
class DirectorySeries:
    about: DicomJson
    objects: Sequence[DirectoryObject]


@dataclass(frozen=True, slots=True)
class DirectoryStudy:
    """A study and its patient; both are described by `about`."""

    about: DicomJson
    series: Sequence[DirectorySeries]


@dataclass(slots=True)
class _Record:
    kind: str
    body: bytes
    children: list[_Record] = field(default_factory=list)
    offset: int = 0

    @property
    def size(self) -> int:
        """With the item's head, and the four elements that every record begins with."""
        return 8 + 12 + 10 + 12 + 8 + len(_padded(self.kind)) + len(self.body)


def record_kind(sop_class: str) -> str:
    """Return the kind of record for a class of objects (PS3.3 table F.4-1)."""
    for start, kind in _KINDS.items():
        if sop_class == start or (start.endswith(".") and sop_class.startswith(start)):
            return kind
    return "IMAGE"


def dicomdir(study: DirectoryStudy, *, identifier: str) -> bytes:
    """Write the index of a file set of one study; `identifier` is its own new UID."""
    root = _patient(study)
    records = list(_depth_first(root))
    meta = _meta(identifier)
    head = _head(0)
    at = 132 + len(meta) + len(head) + 12
    for record in records:
        record.offset = at
        at += record.size
    body = b"".join(_written(record) for record in _linked(root))
    sequence = struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, len(body))
    return b"".join([b"\0" * 128, b"DICM", meta, _head(root.offset), sequence, body])


# Records -----------------------------------------------------------------------------------------
def _patient(study: DirectoryStudy) -> _Record:
    series = [_series(one) for one in study.series]
    of_study = _Record("STUDY", _picked(study.about, _STUDY), series)
    return _Record("PATIENT", _picked(study.about, _PATIENT), [of_study])


def _series(series: DirectorySeries) -> _Record:
    objects = [_object(one) for one in series.objects]
    return _Record("SERIES", _picked(series.about, _SERIES), objects)


def _object(one: DirectoryObject) -> _Record:
    reference = b"".join(
        [
            _element("00041500", "CS", "\\".join(one.path)),
            _element("00041510", "UI", one.sop_class),
            _element("00041511", "UI", one.sop_instance),
            _element("00041512", "UI", one.syntax),
        ]
    )
    kind = record_kind(one.sop_class)
    concept = _concept(one.about) if kind in {"SR DOCUMENT", "KEY OBJECT DOC"} else b""
    return _Record(kind, reference + _picked(one.about, _OBJECT, concept))


def _concept(about: DicomJson) -> bytes:
    """Write the report's title, a coded concept (PS3.3 section 8.8)."""
    items = about.get("0040A043", {}).get("Value") or [{}]
    fields = (("00080100", "SH", True), ("00080102", "SH", True), ("00080104", "LO", True))
    code = b"".join(_element(tag, vr, _text(items[0], tag)) for tag, vr, _ in fields)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(code)) + code
    return struct.pack("<HH2sHI", 0x0040, 0xA043, b"SQ", 0, len(item)) + item


def _picked(
    about: DicomJson, wanted: tuple[tuple[str, str, bool], ...], concept: bytes = b""
) -> bytes:
    """Write chosen attributes in the order of their tags; text beyond ASCII is told to be UTF-8."""
    texts = [(tag, vr, _text(about, tag), kept) for tag, vr, kept in wanted]
    found = [(tag, _element(tag, vr, text)) for tag, vr, text, kept in texts if text or kept]
    if concept:
        found.append(("0040A043", concept))
    if not all(text.isascii() for _, _, text, _ in texts) or not concept.isascii():
        found.append((_UTF8[0], _element(*_UTF8)))
    return b"".join(element for _, element in sorted(found))


def _depth_first(record: _Record) -> Iterator[_Record]:
    yield record
    for child in record.children:
        yield from _depth_first(child)


def _linked(root: _Record) -> Iterator[tuple[_Record, int]]:
    """Give each record with the offset of its next sibling, depth first; 0 is for none."""
    waiting = [(root, 0)]
    while waiting:
        record, following = waiting.pop()
        yield record, following
        nexts = [child.offset for child in record.children[1:]] + [0]
        waiting += reversed(list(zip(record.children, nexts, strict=False)))


def _written(linked: tuple[_Record, int]) -> bytes:
    record, following = linked
    lower = record.children[0].offset if record.children else 0
    content = b"".join(
        [
            _number("00041400", "UL", following),
            _number("00041410", "US", 0xFFFF),
            _number("00041420", "UL", lower),
            _element("00041430", "CS", record.kind),
            record.body,
        ]
    )
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


# Elements ----------------------------------------------------------------------------------------
def _meta(identifier: str) -> bytes:
    body = b"".join(
        [
            struct.pack("<HH2sHI", 2, 1, b"OB", 0, 2) + b"\0\1",
            _element("00020002", "UI", DIRECTORY_CLASS),
            _element("00020003", "UI", identifier),
            _element("00020010", "UI", EXPLICIT),
            _element("00020012", "UI", IMPLEMENTATION),
            _element("00020013", "SH", "COLLIMATE"),
        ]
    )
    return _number("00020000", "UL", len(body)) + body


def _head(root: int) -> bytes:
    return b"".join(
        [
            _element("00041130", "CS", "COLLIMATE"),
            _number("00041200", "UL", root),
            _number("00041202", "UL", root),
            _number("00041212", "US", 0),
        ]
    )


def _number(tag: str, vr: str, value: int) -> bytes:
    raw = struct.pack("<I" if vr == "UL" else "<H", value)
    return struct.pack("<HH2sH", int(tag[:4], 16), int(tag[4:], 16), vr.encode(), len(raw)) + raw


def _element(tag: str, vr: str, text: str) -> bytes:
    raw = _padded(text, b"\0" if vr == "UI" else b" ")
    return struct.pack("<HH2sH", int(tag[:4], 16), int(tag[4:], 16), vr.encode(), len(raw)) + raw


def _padded(text: str, pad: bytes = b" ") -> bytes:
    raw = text.encode()
    return raw + pad if len(raw) % 2 else raw


def _text(about: DicomJson, tag: str) -> str:
    """Return an attribute's values as DICOM writes them (PS3.5 section 6.2)."""
    return "\\".join(_value(one) for one in about.get(tag, {}).get("Value") or ())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        groups = [str(value.get(name, "")) for name in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(groups).rstrip("=")
    return "" if value is None else str(value)
