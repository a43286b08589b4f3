"""Which attributes describe a study, a series, an object (PS3.18 table 10.6.3-3 to -5). Pure."""

from __future__ import annotations

from typing import Any, Final

import orjson

from consent.rules.identity import Identity
from studies.rules.gate import Verdict

DicomJson = dict[str, Any]

PATIENT: Final = (
    "00100010", "00100020", "00100021", "00100030", "00100040", "00101001", "00101002",
    "00102201", "00102202", "00102292", "00102293", "00102297", "00102298", "00102299",
)  # fmt: skip
STUDY: Final = (
    "00080005", "00080020", "00080030", "00080050", "00080051", "00080090", "00080201",
    "00081030", "00081032", *PATIENT, "00101010", "00101020", "00101030", "0020000D", "00200010",
)  # fmt: skip
SERIES: Final = (
    "00080005", "00080021", "00080031", "00080060", "00080070", "00080201", "0008103E",
    "00081090", "00180015", "0020000E", "00200011", "00200060", "00400244", "00400245",
    "00400275", "00181030", "00185100",
)  # fmt: skip
# What a search for objects answers without being asked for more.
INSTANCE: Final = (
    "00080005", "00080016", "00080018", "00080056", "00080201", "00200013", "00280008",
    "00280010", "00280011", "00280100",
)  # fmt: skip


def parsed(header: bytes) -> DicomJson:
    """Read the gate's DICOM JSON."""
    value: DicomJson = orjson.loads(header)
    return value


def picked(attributes: DicomJson, tags: tuple[str, ...]) -> DicomJson:
    return {tag: attributes[tag] for tag in tags if tag in attributes}


def value_of(attributes: DicomJson, tag: str) -> Any:
    """Return the first value of an attribute, or None."""
    values = attributes.get(tag, {}).get("Value")
    return values[0] if values else None


def text_of(attributes: DicomJson, tag: str) -> str:
    """Return the first value as words; of a person's name its first component group given."""
    value = value_of(attributes, tag)
    if isinstance(value, dict):
        return str(value.get("Alphabetic") or value.get("Ideographic") or value.get("Phonetic", ""))
    return "" if value is None else str(value)


def identity_of(verdict: Verdict, attributes: DicomJson) -> Identity:
    """Say whom an object is about, as its header has it."""
    name = verdict.summary.names.get("PatientName", {})
    owner = verdict.summary.names.get("ResponsiblePerson", {})
    texts = verdict.summary.texts
    return Identity(
        name=name.get("Alphabetic", ""),
        name_ideographic=name.get("Ideographic", ""),
        name_phonetic=name.get("Phonetic", ""),
        identifier=texts.get("PatientID", ""),
        issuer=texts.get("IssuerOfPatientID", ""),
        birth_date=texts.get("PatientBirthDate", ""),
        sex=text_of(attributes, "00100040"),
        species=texts.get("PatientSpeciesDescription", ""),
        breed=texts.get("PatientBreedDescription", ""),
        responsible_person=owner.get("Alphabetic", ""),
        responsible_role=text_of(attributes, "00102298"),
        responsible_organisation=texts.get("ResponsibleOrganization", ""),
    )


def absolute_bulk(header: bytes, *, study: str, series: str, instance: str) -> bytes:
    """Let the gate's relative bulk references point to where the object is served.

    A quotation mark inside a JSON text is escaped, so no value can look like a reference.
    """
    path = f"/dicom-web/studies/{study}/series/{series}/instances/{instance}/bulkdata/"
    return header.replace(b'"BulkDataURI":"bulkdata/', b'"BulkDataURI":"' + path.encode())
