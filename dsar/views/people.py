"""Whom a request is about, as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consent.models import DataSubject
from consent.rules.identity import Identity
from consent.selectors import identities
from dsar.models import Case
from dsar.rules.agents import DECIDES_WORDS
from dsar.rules.identity import LEVEL_LABELS, Level
from dsar.selectors import today_at
from dsar.selectors.agents import decides_about
from dsar.selectors.identity import levels_of
from studies.rules.display import day_of
from studies.rules.minors import MAJORITY, age_on


@dataclass(frozen=True, slots=True)
class Linked:
    """A patient or an owner, and how sure it is that the record is of whoever asks."""

    subject: DataSubject
    identity: Identity
    born: date | None
    level: Level
    # Of somebody who is not of age: who decides; empty: alone.
    young: str = ""

    @property
    def shown(self) -> str:
        return LEVEL_LABELS[self.level] if self.level else ""


def people_of(case: Case) -> list[Linked]:
    levels = levels_of(case)
    subjects = list(DataSubject.objects.filter(pk__in=levels, organisation_id=case.organisation_id))
    people = identities(subjects)
    return [_linked(case, one, people[one.pk], levels[one.pk]) for one in subjects]


def _linked(case: Case, subject: DataSubject, identity: Identity, level: Level) -> Linked:
    born = day_of(identity.birth_date)
    is_person = subject.kind == DataSubject.Kind.PERSON
    return Linked(subject, identity, born, level, _young(case, born) if born and is_person else "")


def _young(case: Case, born: date) -> str:
    """Who decides about a request for somebody who is not of age, by the record's birth date."""
    age = age_on(born, today_at(case.organisation))
    if age >= MAJORITY:
        return ""
    return f"{age} years old: {DECIDES_WORDS[decides_about(case, age)]}"
