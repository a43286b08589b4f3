"""The attributes that an object is filed, found and drawn by, and what may be wrong with them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from .charsets import CharacterSet
from .pixels import MAX_FRAMES, Shape
from .reasons import refuse
from .values import integer, person_name

# Tag -> keyword of PS3.6, all at the top of the data set.
KEYS: Final = {
    0x00080005: "SpecificCharacterSet", 0x00080008: "ImageType", 0x00080016: "SOPClassUID",
    0x00080018: "SOPInstanceUID", 0x00080020: "StudyDate", 0x00080021: "SeriesDate",
    0x00080022: "AcquisitionDate", 0x00080023: "ContentDate", 0x00080030: "StudyTime",
    0x00080031: "SeriesTime", 0x00080050: "AccessionNumber", 0x00080060: "Modality",
    0x00080070: "Manufacturer", 0x00080080: "InstitutionName",
    0x00080090: "ReferringPhysicianName", 0x00081030: "StudyDescription",
    0x0008103E: "SeriesDescription", 0x00081090: "ManufacturerModelName",
    0x00100010: "PatientName", 0x00100020: "PatientID", 0x00100021: "IssuerOfPatientID",
    0x00100030: "PatientBirthDate", 0x00100040: "PatientSex", 0x00101010: "PatientAge",
    0x00102201: "PatientSpeciesDescription", 0x00102292: "PatientBreedDescription",
    0x00102297: "ResponsiblePerson", 0x00102299: "ResponsibleOrganization",
    0x00120062: "PatientIdentityRemoved", 0x00180015: "BodyPartExamined",
    0x0020000D: "StudyInstanceUID", 0x0020000E: "SeriesInstanceUID", 0x00200010: "StudyID",
    0x00200011: "SeriesNumber", 0x00200013: "InstanceNumber",
    0x00200052: "FrameOfReferenceUID", 0x00280002: "SamplesPerPixel",
    0x00280004: "PhotometricInterpretation", 0x00280008: "NumberOfFrames",
    0x00280010: "Rows", 0x00280011: "Columns", 0x00280100: "BitsAllocated",
    0x00280301: "BurnedInAnnotation", 0x00420012: "MIMETypeOfEncapsulatedDocument",
    0x7FE00001: "ExtendedOffsetTable",
}  # fmt: skip
_TAGS: Final = {keyword: tag for tag, keyword in KEYS.items()}
_UIDS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_NUMBERS: Final = ("SeriesNumber", "InstanceNumber", "NumberOfFrames")
_NAMES: Final = ("PatientName", "ReferringPhysicianName", "ResponsiblePerson")
# Texts by which people and studies are told apart, and the most bytes a real one can have.
_IDENTIFYING: Final = (
    "PatientName", "PatientID", "IssuerOfPatientID", "AccessionNumber", "PatientBirthDate",
    "StudyID",
)  # fmt: skip
_LONGEST_IDENTITY: Final = 1024
_TEXTUAL: Final = frozenset("AE AS CS DA DT IS LO LT PN SH ST TM UC UI UN UT".split())
_BINARY: Final = ("SamplesPerPixel", "Rows", "Columns", "BitsAllocated")
# Keyword -> VRs it may be sent with; another is a trap for naive readers.
IDENTITY: Final = {
    tag: _TEXTUAL
    for tag, keyword in KEYS.items()
    if keyword not in _BINARY and keyword != "ExtendedOffsetTable"
}

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PROPER_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_DATE = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_TIME = re.compile(
    r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(?:\.\d{1,6})?)?)?"
)  # fmt: skip

Raw = dict[int, tuple[str, bytes]]
Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What identifies the object, decoded; texts are unpadded, "" stands for absent or empty.

    `texts` maps keywords of PS3.6 to text (several values parted by a backslash, as in DICOM);
    `names` maps the keywords of person names to their component groups, as in DICOM JSON;
    `numbers` holds SeriesNumber, InstanceNumber and NumberOfFrames where they are given;
    `dates` the dates that exist.
    """

    transfer_syntax: str
    texts: dict[str, str]
    names: dict[str, dict[str, str]]
    numbers: dict[str, int]
    dates: dict[str, date]

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return self.texts["SOPClassUID"]

    @property
    def sop_instance(self) -> str:
        """SOP Instance UID."""
        return self.texts["SOPInstanceUID"]

    @property
    def study(self) -> str:
        """Study Instance UID."""
        return self.texts["StudyInstanceUID"]

    @property
    def series(self) -> str:
        """Series Instance UID."""
        return self.texts["SeriesInstanceUID"]


def check_uid(uid: str, tag: str, note: Note) -> None:
    """Refuse what is not digits and dots or is too long; hold other faults (PS3.5 9.1)."""
    if not uid:
        refuse("identifier-missing", tag)
    if len(uid) > 64 or not _UID.fullmatch(uid):
        refuse("identifier-invalid", tag)
    if not _PROPER_UID.fullmatch(uid):
        note("uid-unusual", tag)


def summarise(raw: Raw, charset: CharacterSet, transfer_syntax: str, note: Note) -> Summary:
    """Decode and check the key attributes. Raises `Refused` where one cannot be filed by."""
    texts: dict[str, str] = {}
    for tag, (_vr, value) in raw.items():
        keyword = KEYS[tag]
        if keyword in _BINARY or keyword == "ExtendedOffsetTable":
            continue
        text = charset.decode(value)[0].rstrip(" \0")
        if keyword in _IDENTIFYING:
            _check_identity(text, value, f"{tag:08X}")
        texts[keyword] = text.strip(" ").replace("\0", "\ufffd") if keyword not in _UIDS else text
    for keyword in _UIDS:
        check_uid(texts.get(keyword, ""), f"{_TAGS[keyword]:08X}", note)
    _check_time(texts.get("StudyTime", ""), note)
    return Summary(
        transfer_syntax,
        texts,
        {key: person_name(texts[key].split("\\")[0]) for key in _NAMES if key in texts},
        {key: number for key in _NUMBERS if (number := _number(key, texts)) is not None},
        {key: day for key in texts if key.endswith("Date") and (day := _date(key, texts, note))},
    )


def _check_identity(text: str, value: bytes, tag: str) -> None:
    if "\0" in text:
        refuse("nul-in-identity", tag)
    if len(value) > _LONGEST_IDENTITY:
        refuse("value-too-long", tag)


def _number(keyword: str, texts: dict[str, str]) -> int | None:
    text = texts.get(keyword, "").strip(" ")
    if not text:
        return None
    try:
        return integer(text)
    except ValueError:
        refuse("number-invalid", f"{_TAGS[keyword]:08X}")


def _date(keyword: str, texts: dict[str, str], note: Note) -> date | None:
    """Read a date; the study's must exist, for schedules run from it (PS3.5 6.2, DA)."""
    text = texts[keyword].strip(" ")
    match = _DATE.fullmatch(text)
    if text and (not match or len(text) != 8):
        note("date-unusual", f"{_TAGS[keyword]:08X}")
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        if keyword == "StudyDate":
            refuse("date-impossible", f"{_TAGS[keyword]:08X}")
        note("date-unusual", f"{_TAGS[keyword]:08X}")
        return None


def _check_time(text: str, note: Note) -> None:
    text = text.strip(" ")
    if text and not _TIME.fullmatch(text):
        note("date-unusual", "00080030")


def _word(raw: Raw, keyword: str, order: str) -> int | None:
    vr, value = raw.get(_TAGS[keyword], ("", b""))
    if not value:
        return None
    if vr not in ("US", "UN", "SS") or len(value) != 2:
        refuse("pixel-description", f"{_TAGS[keyword]:08X}")
    return int.from_bytes(value, "little" if order == "<" else "big")


def read_shape(raw: Raw, order: str, note: Note) -> Shape:
    """Read the description of the pixels (PS3.3 C.7.6.3). Raises `Refused` if it cannot be true."""
    rows, columns, samples, allocated = (
        _word(raw, keyword, order)
        for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    )
    if not rows or not columns or not allocated or allocated > 64 or (samples or 1) > 4:
        refuse("pixel-description", "00280010")
    if allocated != 1 and allocated % 8 and allocated != 12:
        refuse("pixel-description", "00280100")
    if samples is None:
        note("pixel-without-size", "00280002")
    texts = {"NumberOfFrames": raw.get(0x00280008, ("", b""))[1].decode("latin-1").strip(" \0")}
    frames = _number("NumberOfFrames", texts)
    if frames is not None and not 0 <= frames <= MAX_FRAMES:
        refuse("number-invalid", "00280008")
    if frames == 0:
        note("number-unreadable", "00280008")
    photometric = raw.get(0x00280004, ("", b""))[1].decode("latin-1").strip(" \0")
    return Shape(rows, columns, samples or 1, allocated, frames or 1, photometric)
