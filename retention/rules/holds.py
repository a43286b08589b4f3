"""What a hold covers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID


class Scope(StrEnum):
    STUDY = "study"
    SUBJECT = "subject"
    SEARCH = "search"
    ORGANISATION = "organisation"


SCOPE_LABELS = {
    Scope.STUDY: "One study",
    Scope.SUBJECT: "All studies of a patient or an animal",
    Scope.SEARCH: "Whatever a search finds, now and later",
    Scope.ORGANISATION: "Everything of the organisation",
}
LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Held:
    """What a hold needs to know of a study."""

    uid: str
    subject_id: UUID
    modalities: frozenset[str]
    received_on: date


@dataclass(frozen=True, slots=True)
class Search:
    """Kinds of images, and days of receipt; what is left out does not narrow it.

    By what stands readable in the rows, so that a hold can be asked for every study at once.
    """

    modalities: frozenset[str] = frozenset()
    received_from: date | None = None
    received_to: date | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.modalities or self.received_from or self.received_to)

    def catches(self, study: Held) -> bool:
        return (
            (not self.modalities or bool(self.modalities & study.modalities))
            and (self.received_from is None or study.received_on >= self.received_from)
            and (self.received_to is None or study.received_on <= self.received_to)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "modalities": sorted(self.modalities),
            "received_from": self.received_from.isoformat() if self.received_from else None,
            "received_to": self.received_to.isoformat() if self.received_to else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Search:
        days = (stored.get("received_from"), stored.get("received_to"))
        return cls(
            frozenset(stored.get("modalities", ())),
            *(date.fromisoformat(day) if day else None for day in days),
        )

    @property
    def words(self) -> str:
        parts = []
        if self.modalities:
            parts.append(f"images of kind {', '.join(sorted(self.modalities))}")
        if self.received_from:
            parts.append(f"received from {self.received_from.isoformat()} on")
        if self.received_to:
            parts.append(f"received until {self.received_to.isoformat()}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A hold in force, as far as it decides."""

    id: UUID
    scope: Scope
    subject_id: UUID | None = None
    study_uid: str = ""
    search: Search = Search()

    def covers(self, study: Held) -> bool:
        match self.scope:
            case Scope.ORGANISATION:
                return True
            case Scope.STUDY:
                return self.study_uid == study.uid
            case Scope.SUBJECT:
                return self.subject_id == study.subject_id
            case Scope.SEARCH:
                return self.search.catches(study)


def refusal_to_lift(*, asked_by: int | None, lifter: int) -> str:
    """Lifting needs two people: one who asks for it with reasons, and another."""
    if asked_by is None:
        return "Nobody has asked for this hold to be lifted yet."
    if asked_by == lifter:
        return "You asked for it to be lifted. Somebody else has to agree."
    return ""
