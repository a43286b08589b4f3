"""Descriptions as a clinician reads them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from consent.rules.identity import readable_name
from studies.rules.attributes import text_of


@dataclass(frozen=True, slots=True)
class StudyWords:
    """What a list or a page shows of a study, decoded and in words."""

    name: str
    identifier: str
    birth_date: date | None
    sex: str
    species: str
    breed: str
    owner: str
    date: date | None
    time: str
    description: str
    accession: str
    referring: str

    @property
    def title(self) -> str:
        return self.description or "Study without a description"


SEXES = {"M": "male", "F": "female", "O": "other"}


def words_of_study(attributes: dict[str, Any]) -> StudyWords:
    time = text_of(attributes, "00080030")
    identifier = text_of(attributes, "00100020")
    name = readable_name(text_of(attributes, "00100010"))
    return StudyWords(
        # Where the person was taken out, the name repeats what stands for them.
        name="No name given" if name in {"", identifier} else name,
        identifier=identifier,
        birth_date=day_of(text_of(attributes, "00100030")),
        sex=SEXES.get(text_of(attributes, "00100040"), ""),
        species=text_of(attributes, "00102201"),
        breed=text_of(attributes, "00102292"),
        owner=readable_name(text_of(attributes, "00102297")),
        date=day_of(text_of(attributes, "00080020")),
        time=f"{time[:2]}:{time[2:4]}" if len(time) >= 4 else "",
        description=text_of(attributes, "00081030"),
        accession=text_of(attributes, "00080050"),
        referring=readable_name(text_of(attributes, "00080090")),
    )


@dataclass(frozen=True, slots=True)
class SeriesWords:
    modality: str
    number: str
    description: str
    body_part: str

    @property
    def title(self) -> str:
        return self.description or self.body_part.capitalize() or "Series without a description"


def words_of_series(attributes: dict[str, Any]) -> SeriesWords:
    return SeriesWords(
        modality=text_of(attributes, "00080060"),
        number=text_of(attributes, "00200011"),
        description=text_of(attributes, "0008103E"),
        body_part=text_of(attributes, "00180015"),
    )


def day_of(text: str) -> date | None:
    digits = text.replace(".", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
