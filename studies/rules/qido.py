"""What a search asks for (DICOM PS3.18 section 8.3.4 and 10.6), checked and typed. Pure."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from studies.rules.attributes import text_of

MAX_LIMIT: Final = 1_000
MAX_PARAMETERS: Final = 60
MAX_VALUE: Final = 256
MAX_OFFSET: Final = 10_000_000
EARLIEST, LATEST = date(1850, 1, 1), date(2199, 12, 31)

STUDY_KEYS: Final = {
    "00080020": "StudyDate", "00080030": "StudyTime", "00080050": "AccessionNumber",
    "00080061": "ModalitiesInStudy", "00080090": "ReferringPhysicianName",
    "00081030": "StudyDescription", "00100010": "PatientName", "00100020": "PatientID",
    "00100021": "IssuerOfPatientID", "00100030": "PatientBirthDate", "00100040": "PatientSex",
    "00102297": "ResponsiblePerson", "0020000D": "StudyInstanceUID", "00200010": "StudyID",
}  # fmt: skip
SERIES_KEYS: Final = {
    "00080060": "Modality", "0008103E": "SeriesDescription", "0020000E": "SeriesInstanceUID",
    "00200011": "SeriesNumber", "00080021": "SeriesDate", "00180015": "BodyPartExamined",
}  # fmt: skip
INSTANCE_KEYS: Final = {
    "00080016": "SOPClassUID", "00080018": "SOPInstanceUID", "00200013": "InstanceNumber",
}  # fmt: skip
LEVELS: Final = {
    "study": STUDY_KEYS,
    "series": STUDY_KEYS | SERIES_KEYS,
    "instance": STUDY_KEYS | SERIES_KEYS | INSTANCE_KEYS,
}
NAME_START: Final = 16
_TAGS: Final = {keyword: tag for tag, keyword in LEVELS["instance"].items()}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_UID = re.compile(r"[0-9.]{1,64}")
_DATE = re.compile(r"\d{8}")
_NAMES: Final = {"00100010", "00080090", "00102297"}
_UIDS: Final = {"0020000D", "0020000E", "00080016", "00080018"}
_NUMBERS: Final = {"00200011", "00200013"}
_DATES: Final = {"00080020", "00080021", "00100030"}
_TIMES: Final = {"00080030"}
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?")


class SearchInvalid(ValueError):
    """What is wrong with the search, in a sentence for whoever asks."""


@dataclass(frozen=True, slots=True)
class DateRange:
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From and to, both included, as HHMMSSFFFFFF: twelve digits, which sort as times do."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Search:
    """A checked search: wanted texts and ranges by tag, and which slice of the answer."""

    level: str
    texts: dict[str, str] = field(default_factory=dict)
    uids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    dates: dict[str, DateRange] = field(default_factory=dict)
    times: dict[str, TimeRange] = field(default_factory=dict)
    include: frozenset[str] = frozenset()
    include_all: bool = False
    fuzzy: bool = False
    limit: int = MAX_LIMIT
    offset: int = 0


def parse_search(level: str, parameters: Iterable[tuple[str, str]]) -> Search:
    """Read the query's parameters.

    Raises `SearchInvalid` for what is not an attribute of this level, a number out of range, a
    date that does not exist.
    """
    values: dict[str, Any] = {"texts": {}, "uids": {}, "numbers": {}, "dates": {}, "times": {}}
    include: set[str] = set()
    seen: set[str] = set()
    for count, (name, value) in enumerate(parameters):
        if count >= MAX_PARAMETERS:
            raise SearchInvalid(f"More than {MAX_PARAMETERS} parameters.")
        if len(value) > MAX_VALUE * (8 if name == "includefield" else 1) or "\0" in value:
            raise SearchInvalid(f"The value of {_shown(name)} is too long, or not text.")
        if name == "includefield":
            include |= {part for part in value.split(",") if part}
        elif name in {"limit", "offset", "fuzzymatching"}:
            values[name] = value
        elif name not in {"emptyvaluematching", "multiplevaluematching", "accept"}:
            tag = _tag(level, name)
            if tag in seen:
                raise SearchInvalid(f"{_shown(name)} is asked for twice.")
            seen.add(tag)
            _read(tag, value.strip(), values)
    return Search(
        level=level,
        texts=values["texts"],
        uids=values["uids"],
        numbers=values["numbers"],
        dates=values["dates"],
        times=values["times"],
        include=frozenset(_included(name) for name in include if name != "all"),
        include_all="all" in include,
        fuzzy=_flag(values.get("fuzzymatching", "false")),
        limit=_whole("limit", values.get("limit"), MAX_LIMIT, least=1, default=MAX_LIMIT),
        offset=_whole("offset", values.get("offset"), MAX_OFFSET, least=0, default=0),
    )


def _tag(level: str, name: str) -> str:
    tag = name.upper() if _TAG.fullmatch(name) else _TAGS.get(name, "")
    if tag not in LEVELS[level]:
        raise SearchInvalid(f"{_shown(name)} cannot be searched for here.")
    return tag


def _shown(name: str) -> str:
    return name if name.isalnum() and len(name) <= 64 else "A parameter"


def _included(name: str) -> str:
    """Give the tag of a wanted attribute; of one inside a sequence, that of the sequence."""
    outer = name.split(".", maxsplit=1)[0]
    if _TAG.fullmatch(outer):
        return outer.upper()
    if outer in _TAGS:
        return _TAGS[outer]
    # The whole dictionary is large, and this is asked for rarely.
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(outer)
    if tag is None:
        raise SearchInvalid(f"includefield: DICOM knows no attribute named {_shown(outer)}.")
    return f"{tag:08X}"


def _read(tag: str, value: str, values: dict[str, Any]) -> None:
    if not value or set(value) == {"*"}:
        return  # universal matching (PS3.4 C.2.2.2.3)
    if tag in _UIDS:
        uids = tuple(re.split(r"[,\\]", value))
        if not all(_UID.fullmatch(uid) for uid in uids):
            raise SearchInvalid("An identifier (UID) holds only digits and dots.")
        values["uids"][tag] = uids
    elif tag in _NUMBERS:
        if not re.fullmatch(r"-?\d{1,9}", value):
            raise SearchInvalid(f"{LEVELS['instance'][tag]} is a whole number.")
        values["numbers"][tag] = int(value)
    elif tag in _DATES:
        values["dates"][tag] = _range(value)
    elif tag in _TIMES:
        values["times"][tag] = _time_range(value)
    else:
        values["texts"][tag] = value


def _range(value: str) -> DateRange:
    start, dash, end = value.partition("-")
    first = _day(start) if start else EARLIEST
    last = (_day(end) if end else LATEST) if dash else first
    if not dash and not start:
        raise SearchInvalid("A date is written YYYYMMDD, a range YYYYMMDD-YYYYMMDD.")
    if not EARLIEST <= first <= LATEST or not EARLIEST <= last <= LATEST:
        raise SearchInvalid("A date must lie between 1850 and 2199.")
    return DateRange(first, last)


def _day(text: str) -> date:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise SearchInvalid("A date is written YYYYMMDD, a range YYYYMMDD-YYYYMMDD.") from None


def _time_range(value: str) -> TimeRange:
    """Read HHMMSS.FFFFFF-HHMMSS.FFFFFF; what is left out counts as a whole hour or minute."""
    start, dash, end = value.partition("-")
    if dash and not (start or end):
        raise SearchInvalid("A time is written HHMMSS, a range HHMMSS-HHMMSS.")
    first, last = _moment(start, "000000"), _moment(end if dash else start, "999999")
    return TimeRange(first if start else "0" * 12, last if end or not dash else "9" * 12)


def _moment(text: str, fraction: str) -> str:
    if not text:
        return ""
    found = _TIME.fullmatch(text)
    least = fraction == "000000"
    if found is None:
        raise SearchInvalid("A time is written HHMMSS, a range HHMMSS-HHMMSS.")
    hour, minute, second, part = found.groups()
    if int(hour) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        raise SearchInvalid("There is no such time of day.")
    rest = "00" if least else "59"
    return hour + (minute or rest) + (second or rest) + (part or "").ljust(6, fraction[0])


def _flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise SearchInvalid("fuzzymatching is true or false.")
    return value == "true"


def _whole(name: str, value: str | None, most: int, *, least: int, default: int) -> int:
    if value is None:
        return default
    if not re.fullmatch(r"\d{1,12}", value) or int(value) < least:
        raise SearchInvalid(f"{name} is a whole number from {least} on.")
    if int(value) > most and name == "offset":
        raise SearchInvalid(f"{name} is at most {most}.")
    if int(value) > 1_000_000_000:
        raise SearchInvalid(f"{name} is at most {most}.")
    return min(int(value), most)


def literal_start(pattern: str) -> str:
    """Return what stands before the first wildcard."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def is_name_start(pattern: str) -> bool:
    """Does a pattern for a name ask for its beginning alone, in a way that hashes can settle?

    They hold the first 16 characters, and know nothing of what pads a name.
    """
    start = literal_start(pattern)
    folded = _folded(start)
    at_rest = _folded(folded) == folded and _folded(start + "*") == folded + "*"
    return pattern == start + "*" and at_rest and 0 < len(folded) <= NAME_START


def is_literal(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def matches(pattern: str, attributes: dict[str, Any], tag: str, *, fuzzy: bool = False) -> bool:
    """Single value and wildcard matching (PS3.4 C.2.2.2); of names, any component group.

    Fuzzy matching of names (PS3.18 section 8.3.4.2): each word asked for begins a word of the name.
    """
    if tag not in _NAMES:
        return _fits(pattern.strip(), text_of(attributes, tag).strip())
    value = (attributes.get(tag, {}).get("Value") or [{}])[0]
    groups = [str(group) for group in (value.values() if isinstance(value, dict) else [value])]
    if fuzzy:
        wanted = [_folded(word) for word in words_of(pattern)]
        words = [_folded(word) for group in groups for word in words_of(group)]
        return all(any(word.startswith(one) for word in words) for one in wanted)
    return any(_fits(_folded(pattern), _folded(group)) for group in groups)


def words_of(name: str) -> list[str]:
    """Split a name, or a pattern for one, into its words."""
    return [word for word in re.split(r"[\^=\s,*?]+", name) if word]


def _fits(pattern: str, value: str) -> bool:
    if is_literal(pattern):
        return pattern == value
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _folded(text: str) -> str:
    """PS3.4 C.2.2.2.1: names may be matched without regard to case, accents and padding."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip().rstrip("^ ")


def in_range(wanted: DateRange, attributes: dict[str, Any], tag: str) -> bool:
    text = text_of(attributes, tag)
    return f"{wanted.start:%Y%m%d}" <= text <= f"{wanted.end:%Y%m%d}" if text else False


def in_times(wanted: TimeRange, attributes: dict[str, Any], tag: str) -> bool:
    found = _TIME.fullmatch(text_of(attributes, tag).strip())
    if found is None:
        return False
    hour, minute, second, part = found.groups()
    moment = hour + (minute or "00") + (second or "00") + (part or "").ljust(6, "0")
    return wanted.start <= moment <= wanted.end


def fits(search: Search, attributes: dict[str, Any], tags: Iterable[str]) -> bool:
    """Does what is asked of these attributes hold for them? Identifiers and numbers aside."""
    of = set(tags)
    return (
        all(
            matches(text, attributes, tag, fuzzy=search.fuzzy)
            for tag, text in search.texts.items()
            if tag in of
        )
        and all(in_range(one, attributes, tag) for tag, one in search.dates.items() if tag in of)
        and all(in_times(one, attributes, tag) for tag, one in search.times.items() if tag in of)
    )
