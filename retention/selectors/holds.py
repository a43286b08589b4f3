"""What keeps records from being disposed of: holds in force, and open requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.rules import Actor, Capability
from retention.models import Hold
from retention.rules.disposal import Kept
from retention.rules.holds import Held, HoldFacts, Scope, Search
from retention.rules.requests import subjects_of_open_requests
from studies.models import Study

# Of a search: enough to see what it catches, and bounded.
MOST_LISTED = 50


def holds_of(actor: Actor) -> QuerySet[Hold]:
    """The holds of the organisation that somebody answers for; nobody else's."""
    if not (actor.can(Capability.PLACE_HOLDS) or actor.can(Capability.APPROVE_DISPOSAL)):
        return Hold.objects.none()
    rows = Hold.objects.filter(organisation_id=actor.organisation_id)
    people = ("custodian", "placed_by", "lift_asked_by", "lifted_by")
    return rows.select_related("organisation", *people).order_by("-number")


def facts_of_hold(hold: Hold) -> HoldFacts:
    return HoldFacts(
        hold.pk, Scope(hold.scope), hold.subject_id, hold.study_uid, Search.from_json(hold.search)
    )


def holds_in_force(organisation_id: UUID) -> list[HoldFacts]:
    rows = Hold.objects.filter(organisation_id=organisation_id, lifted_at=None).order_by("number")
    return [facts_of_hold(row) for row in rows]


def as_held(study: Study) -> Held:
    """A study as holds see it."""
    modalities = frozenset(filter(None, study.modalities.split("\\")))
    return Held(study.uid, study.subject_id, modalities, study.created_at.date())


@dataclass(frozen=True, slots=True)
class Bar:
    """Why a study must stay, whatever its schedule says."""

    kept_for: Kept
    hold_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Holds and requests as they stand in this transaction, for the studies of one organisation."""

    holds: tuple[HoldFacts, ...]
    requested: frozenset[UUID]

    def bar_for(self, study: Study) -> Bar | None:
        held = as_held(study)
        for hold in self.holds:
            if hold.covers(held):
                return Bar(Kept.HELD, hold.id)
        return Bar(Kept.REQUESTED) if study.subject_id in self.requested else None


def guard_of(
    organisation_id: UUID, studies: Collection[Study], but_for: UUID | None = None
) -> Guard:
    """Ask for every hold and every open request about these studies, but for one request."""
    subjects = {study.subject_id for study in studies}
    return Guard(
        tuple(holds_in_force(organisation_id)),
        frozenset(subjects_of_open_requests(organisation_id, subjects, but_for)),
    )


def studies_covered(organisation_id: UUID, hold: HoldFacts) -> QuerySet[Study]:
    """What a hold covers at this moment, for its page."""
    rows = Study.objects.filter(organisation_id=organisation_id).order_by("-id")
    match hold.scope:
        case Scope.STUDY:
            return rows.filter(uid=hold.study_uid)
        case Scope.SUBJECT:
            return rows.filter(subject_id=hold.subject_id)
        case Scope.SEARCH:
            return rows.filter(_found_by(hold.search))
    return rows


def _found_by(search: Search) -> Q:
    """The same as `Search.catches`, for lists."""
    kinds = Q()
    for modality in sorted(search.modalities):
        kinds |= Q(modalities__contains=f"\\{modality}\\")
    found = kinds
    if search.received_from:
        found &= Q(created_at__date__gte=search.received_from)
    if search.received_to:
        found &= Q(created_at__date__lte=search.received_to)
    return found


def holds_on(study: Study, holds: Sequence[Hold]) -> list[Hold]:
    held = as_held(study)
    return [hold for hold in holds if facts_of_hold(hold).covers(held)]
