"""A copy that programs read: one document with a published schema, and tables. Pure.

GDPR Art. 20(1); XENRAD-8.4, MEDDIM-7.9. The document says which DICOM file is which object.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import jsonschema

from consent.rules.identity import Identity

FORMAT, VERSION = "portable-copy", 1
FOLDER: Final = "portable/"
DATA: Final = f"{FOLDER}data.json"
SCHEMA_FILE: Final = f"{FOLDER}schema.json"
SCHEMA_TEXT: Final = Path(__file__).with_name("portable_copy.schema.json").read_bytes()
SCHEMA: Final[Mapping[str, Any]] = json.loads(SCHEMA_TEXT)
# What a spreadsheet takes for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
LARGEST: Final = 64 << 20


class NotPortable(Exception):
    """One sentence that says what a document has that the schema does not allow."""


@dataclass(frozen=True, slots=True)
class ObjectTold:
    uid: str
    series: str
    sop_class: str
    file: str


@dataclass(frozen=True, slots=True)
class StudyTold:
    uid: str
    person: UUID
    date: date | None
    description: str
    modalities: tuple[str, ...]
    objects: tuple[ObjectTold, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a portable copy says, before it is written down."""

    made_at: datetime
    organisation: str
    request: str
    people: Mapping[UUID, Identity]
    studies: Sequence[StudyTold]
    shares: Sequence[Mapping[str, Any]]
    consents: Sequence[Mapping[str, Any]]


def document_of(told: Told) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": told.made_at.isoformat(timespec="seconds"),
        "organisation": told.organisation,
        "request": told.request,
        "people": [_person(pk, one) for pk, one in told.people.items()],
        "studies": [_study(one) for one in told.studies],
        "shares": list(told.shares),
        "consents": list(told.consents),
    }


def _person(pk: UUID, one: Identity) -> dict[str, str]:
    return {"id": str(pk), **{name: value for name, value in asdict(one).items() if value}}


def _study(one: StudyTold) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "person": str(one.person),
        "date": one.date.isoformat() if one.date else "",
        "description": one.description,
        "modalities": list(one.modalities),
        "objects": [
            {"uid": obj.uid, "series": obj.series, "class": obj.sop_class, "file": obj.file}
            for obj in one.objects
        ],
    }


def tables_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The same as tables: people, studies, objects and shares, by the names of their files."""
    studies = document["studies"]
    about = ("id", "name", "identifier", "issuer", "birth_date", "sex")
    people = [[one.get(name, "") for name in about] for one in document["people"]]
    listed = [
        (one["uid"], one["person"], one["date"], one["description"], " ".join(one["modalities"]))
        for one in studies
    ]
    objects = [
        (one["uid"], obj["series"], obj["uid"], obj["class"], obj["file"])
        for one in studies for obj in one["objects"]
    ]  # fmt: skip
    shares = [
        (one["to"], one["purpose"], one["from"], one["until"], one["revoked"] or "",
         " ".join(one["studies"])) for one in document["shares"]
    ]  # fmt: skip
    return {
        "people.csv": _table(" ".join(about), people),
        "studies.csv": _table("uid person date description modalities", listed),
        "objects.csv": _table("study series uid class file", objects),
        "shares.csv": _table("to purpose from until revoked studies", shares),
    }


def _table(columns: str, rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(columns.split())
    table.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """A value as text: what a spreadsheet would run as a formula gets an apostrophe."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def checked(text: bytes) -> dict[str, Any]:
    """Read a document, and hold it against the schema. Raises `NotPortable`."""
    if len(text) > LARGEST:
        raise NotPortable(f"{DATA} is larger than {LARGEST >> 20} MB.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise NotPortable(f"{DATA} is no JSON.") from None
    check_document(document)
    found: dict[str, Any] = document
    return found


def check_document(document: object) -> None:
    """Raises `NotPortable` with the place of the first fault, and nothing of the data there."""
    faults = jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)
    if (fault := next(faults, None)) is not None:
        place = "/".join(str(one) for one in fault.path) or "the document"
        raise NotPortable(f"{place} does not fit the schema: {fault.validator}.")
