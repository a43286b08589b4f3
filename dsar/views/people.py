"""Whom a request is about, as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consent.models import DataSubject
from consent.rules.identity import Identity
from consent.selectors import identities
from dsar.models import Case
from dsar.rules.identity import LEVEL_LABELS, Level
from dsar.selectors.identity import levels_of
from studies.rules.display import day_of


@dataclass(frozen=True, slots=True)
class Linked:
    """A patient or an owner, and how sure it is that the record is of whoever asks."""

    subject: DataSubject
    identity: Identity
    born: date | None
    level: Level

    @property
    def shown(self) -> str:
        return LEVEL_LABELS[self.level] if self.level else ""


def people_of(case: Case) -> list[Linked]:
    levels = levels_of(case)
    subjects = list(DataSubject.objects.filter(pk__in=levels, organisation_id=case.organisation_id))
    people = identities(subjects)
    return [
        Linked(one, people[one.pk], day_of(people[one.pk].birth_date), levels[one.pk])
        for one in subjects
    ]
