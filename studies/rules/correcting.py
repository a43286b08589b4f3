"""What can be corrected in a study, and how it is told in DICOM JSON. Pure (C31).

GDPR Art. 16; 45 CFR 164.526; Cal. Civ. Code 1798.106. An object says what it said before: Original
Attributes Sequence, PS3.3 C.12.1 (table C.12-1), reason CORRECT.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from consent.rules.identity import readable_name
from studies.rules.values import LONGEST, person_name

ORIGINALS: Final = "04000561"
MODIFIED, MODIFIED_AT, SYSTEM, SOURCE, REASON = (
    "04000550", "04000562", "04000563", "04000564", "04000565",
)  # fmt: skip
MODIFYING_SYSTEM: Final = "COLLIMATE"
CORRECT: Final = "CORRECT"
EARLIEST: Final = date(1850, 1, 1)
_SEXES: Final = ("F", "M", "O")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`of_person`: it is of the patient, and so of all their studies."""

    tag: str
    vr: str
    label: str
    of_person: bool = False
    # The field of `Identity` that says the same.
    identity: str = ""


ATTRIBUTES: Final = {
    one.tag: one
    for one in (
        Attribute("00100010", "PN", "Patient's name", True, "name"),
        Attribute("00100020", "LO", "Patient ID", True, "identifier"),
        Attribute("00100021", "LO", "Issuer of the patient ID", True, "issuer"),
        Attribute("00100030", "DA", "Birth date", True, "birth_date"),
        Attribute("00100040", "CS", "Sex", True, "sex"),
        Attribute("00102201", "LO", "Species", True, "species"),
        Attribute("00102292", "LO", "Breed", True, "breed"),
        Attribute("00102297", "PN", "Owner or guardian", True, "responsible_person"),
        Attribute("00081030", "LO", "Description of the study"),
        Attribute("00080020", "DA", "Date of the examination"),
        Attribute("00080050", "SH", "Accession number"),
        Attribute("00200010", "SH", "Study ID"),
        Attribute("00080090", "PN", "Referring physician"),
    )
}


@dataclass(frozen=True, slots=True)
class Coercion:
    """One correction: new values by tag, and when it was made."""

    at: datetime
    values: Mapping[str, str]


class ValueRefused(ValueError):
    """One sentence that says why a value cannot stand there."""


def checked_value(tag: str, text: str, *, today: date) -> str:
    """Give a value as DICOM writes it. Raises `ValueRefused`."""
    attribute = ATTRIBUTES.get(tag)
    if attribute is None:
        raise ValueRefused("This attribute cannot be corrected here.")
    value = unicodedata.normalize("NFC", text).strip()
    if not value:
        raise ValueRefused("A correction needs a value; leave out what stays as it is.")
    if "\\" in value or any(unicodedata.category(one)[0] == "C" for one in value):
        raise ValueRefused("No backslash, and nothing that cannot be seen.")
    if attribute.vr == "PN":
        return _name(value)
    if attribute.vr == "DA":
        return _day(value, today)
    if attribute.vr == "CS" and value.upper() not in _SEXES:
        raise ValueRefused("F, M or O for other (PS3.3 C.7.1.1).")
    if len(value) > LONGEST[attribute.vr]:
        raise ValueRefused(f"At most {LONGEST[attribute.vr]} characters.")
    return value.upper() if attribute.vr == "CS" else value


def _name(value: str) -> str:
    """PS3.5 6.2.1: up to three component groups of up to five components and 64 characters."""
    groups = value.split("=")
    if len(groups) > 3:
        raise ValueRefused("At most three ways of writing, parted by “=”.")
    for group in groups:
        if group.count("^") > 4:
            raise ValueRefused("At most five parts: family^given^middle^prefix^suffix.")
        if len(group) > LONGEST["PN"]:
            raise ValueRefused(f"At most {LONGEST['PN']} characters.")
    if not value.strip("^= "):
        raise ValueRefused("A name has letters.")
    return value


def _day(value: str, today: date) -> str:
    digits = value.replace("-", "")
    try:
        if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
            raise ValueError
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise ValueRefused("A day of the calendar, such as 1972-03-14.") from None
    if day > today:
        raise ValueRefused("It cannot lie in the future.")
    if day < EARLIEST:
        raise ValueRefused(f"Not before {EARLIEST.year}.")
    return digits


def value_words(tag: str, value: str) -> str:
    """A value as people read it."""
    match ATTRIBUTES[tag].vr:
        case "DA" if len(value) == 8:
            return f"{value[:4]}-{value[4:6]}-{value[6:]}"
        case "PN":
            return " = ".join(readable_name(group) for group in value.split("=") if group)
    return value


# DICOM JSON --------------------------------------------------------------------------------------
Json = dict[str, Any]


def corrected(attributes: Json, coercions: Sequence[Coercion], *, whole: bool) -> Json:
    """Give the attributes with their new values.

    `whole`: it is an object's whole description, which also says what it said before.
    """
    found, before = dict(attributes), []
    for coercion in coercions:
        before.append(_original(found, coercion))
        for tag, value in coercion.values.items():
            found[tag] = {"vr": ATTRIBUTES[tag].vr, "Value": [_json_value(tag, value)]}
    if whole and before:
        kept = attributes.get(ORIGINALS, {}).get("Value") or []
        found[ORIGINALS] = {"vr": "SQ", "Value": [*kept, *before]}
    return dict(sorted(found.items()))


def _original(attributes: Json, coercion: Coercion) -> Json:
    changed = {tag: attributes[tag] for tag in sorted(coercion.values) if tag in attributes}
    return {
        MODIFIED: {"vr": "SQ", "Value": [changed]},
        MODIFIED_AT: {"vr": "DT", "Value": [moment(coercion.at)]},
        SYSTEM: {"vr": "LO", "Value": [MODIFYING_SYSTEM]},
        SOURCE: {"vr": "LO"},
        REASON: {"vr": "CS", "Value": [CORRECT]},
    }


def _json_value(tag: str, value: str) -> Any:
    return person_name(value) if ATTRIBUTES[tag].vr == "PN" else value


def moment(at: datetime) -> str:
    """A moment as DICOM's DT writes it, with its offset from UTC."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000")


def identity_changes(values: Mapping[str, str]) -> dict[str, str]:
    """The fields of an `Identity` that these values change."""
    found: dict[str, str] = {}
    for tag, value in values.items():
        field = ATTRIBUTES[tag].identity
        if not field:
            continue
        if field == "name":
            groups = person_name(value)
            found |= {
                "name": groups.get("Alphabetic", ""),
                "name_ideographic": groups.get("Ideographic", ""),
                "name_phonetic": groups.get("Phonetic", ""),
            }
        elif ATTRIBUTES[tag].vr == "PN":
            found[field] = person_name(value).get("Alphabetic", "")
        else:
            found[field] = value
    return found
