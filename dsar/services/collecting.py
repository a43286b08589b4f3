"""What is held about the person of a case: found in every room, listed, and nothing left out."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction

from accounts.rules import Actor
from consent.models import DataSubject
from dsar.models import Case, CaseSubject
from dsar.permissions import can_answer
from dsar.rules.states import UNANSWERED
from dsar.selectors.agents import authority_of
from dsar.services.entries import CaseRefused, NotYours, locked, write_event
from policies.rules.holdings import Holding, Whose, holders

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """What one room holds; None: it could not say."""

    label: str
    holdings: list[Holding] | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    parts: list[Part]

    @property
    def is_complete(self) -> bool:
        return all(part.holdings is not None for part in self.parts)

    @property
    def missing(self) -> list[str]:
        return [part.label for part in self.parts if part.holdings is None]

    @property
    def is_empty(self) -> bool:
        return not any(part.holdings for part in self.parts)


def whose_of(case: Case) -> Whose:
    """The person of a case: whom officers found, and the account that asked for itself."""
    ids = case.subjects.values_list("subject_id", flat=True)
    user_id = None if authority_of(case) else case.person_id
    return Whose(case.organisation_id, frozenset(ids), user_id, case.ends_account)


def collect(whose: Whose, *, but_for: AbstractSet[str] = frozenset()) -> Collection:
    """Ask every room what it holds. A room that cannot say is named, and nothing is complete."""
    parts = []
    for holder in holders():
        if holder.code in but_for:
            continue
        try:
            found: list[Holding] | None = list(holder.holdings(whose))
        except Exception as error:  # noqa: BLE001 - whatever it was, the room has not answered
            log.warning("collection.room_failed", room=holder.code, fault=type(error).__name__)
            found = None
        parts.append(Part(holder.label, found, holder.code))
    return Collection(parts)


@transaction.atomic
def link_subjects(*, actor: Actor, case: Case, subject_ids: Iterable[UUID]) -> int:
    """Say whom a case is about. Only people that the organisation itself knows. Safe to repeat."""
    row = _for_linking(actor, case)
    known = DataSubject.objects.filter(
        pk__in=list(subject_ids), organisation_id=row.organisation_id
    ).values_list("pk", flat=True)
    linked = 0
    for subject_id in known:
        _, made = CaseSubject.objects.get_or_create(
            case=row, subject_id=subject_id, defaults={"linked_by_id": actor.user_id}
        )
        if made:
            linked += 1
            write_event("request.subject_linked", row, actor=actor, subject=str(subject_id))
    return linked


@transaction.atomic
def unlink_subject(*, actor: Actor, case: Case, subject_id: UUID) -> None:
    """Take somebody out again who was found by mistake."""
    row = _for_linking(actor, case)
    if CaseSubject.objects.filter(case=row, subject_id=subject_id).delete()[0]:
        write_event("request.subject_unlinked", row, actor=actor, subject=str(subject_id))


def _for_linking(actor: Actor, case: Case) -> Case:
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    if row.state not in UNANSWERED:
        raise CaseRefused("This case is answered. A new request makes a new one.")
    return row
