"""Reads of release projects; who asks is an argument."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.models import Agreement, User
from accounts.rules import Actor, Capability
from accounts.rules.agreements import AgreementKind
from consent.models import DataSubject
from consent.selectors import consenting_to
from consent.selectors.directives import barred_among
from jobs.models import Job
from policies.rules.categories import Category
from policies.rules.gate import listed_since
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from policies.selectors import NoPolicy, effective_pack, packs_held
from releases.models import Link, Output, Project, ProjectStudy, Snapshot
from releases.rules.aggregates.blocks import AggregateRefused, Block, Blocks
from releases.rules.aggregates.vocabulary import EDITION, Dimension
from releases.rules.exclusions import Candidate, Exclusion, exclusion_of
from releases.rules.risk import Risk, risk_of
from releases.rules.states import RELEASABLE, Aside, State
from releases.rules.terms import needs_consent
from studies.models import Study

# SQLite takes at most 32,766 values in one statement.
IDS_PER_QUERY = 10_000


def batched(values: list[str], size: int) -> Iterator[list[str]]:
    for place in range(0, len(values), size):
        yield values[place : place + size]


# Projects ----------------------------------------------------------------------------------------
def projects_of(actor: Actor) -> QuerySet[Project]:
    """Projects of the actor's own organisation, for whoever prepares or approves them."""
    if not (actor.can(Capability.PREPARE_RELEASES) or actor.can(Capability.APPROVE_RELEASES)):
        return Project.objects.none()
    return _with_names(Project.objects.filter(organisation_id=actor.organisation_id))


def projects_received_by(actor: Actor) -> QuerySet[Project]:
    """What other organisations have released to the actor's: nothing that is not out yet."""
    if not actor.can(Capability.PREPARE_RELEASES):
        return Project.objects.none()
    received = Project.objects.filter(
        recipient_id=actor.organisation_id, state__in=[State.RELEASED, State.ENDED]
    ).exclude(organisation_id=actor.organisation_id)
    return _with_names(received)


def _with_names(projects: QuerySet[Project]) -> QuerySet[Project]:
    return projects.select_related(
        "organisation", "recipient", "agreement", "created_by", "approved_by", "released_by"
    ).order_by("-created_at")


def drafts_of(actor: Actor) -> QuerySet[Project]:
    """Projects that studies can be put into now."""
    return projects_of(actor).filter(state=State.DRAFT)


def data_use_agreement(owner_id: UUID, recipient_id: UUID) -> Agreement | None:
    """The agreement under which de-identified images go to another organisation, if one holds."""
    today = timezone.localdate()
    rows = Agreement.objects.filter(
        organisation_id=owner_id, partner_id=recipient_id, kind=AgreementKind.DATA_USE
    ).order_by("-starts_on", "-created_at")
    return next((row for row in rows if row.term.holds(today)), None)


def agreement_of(project: Project) -> Agreement | None:
    """Under which agreement a project goes out today: the one it began under, or its successor."""
    if not project.is_external:
        return None
    return data_use_agreement(project.organisation_id, project.recipient_id)


def policies_of(project: Project) -> tuple[Pack, Pack | None]:
    """The policy of the owner, and of a recipient that is another organisation."""
    owner = effective_pack(project.organisation_id)
    if not project.is_external:
        return owner, None
    try:
        return owner, effective_pack(project.recipient_id)
    except NoPolicy:
        return owner, None


def may_see_job(user: User, job: Job) -> bool:
    """How far a project is may be seen by everybody who works where it is made."""
    return (
        job.kind.startswith("releases.")
        and user.memberships.filter(organisation_id=job.organisation_id, is_active=True).exists()
    )


# Studies of a project ----------------------------------------------------------------------------
def exclusions_of(project: Project, studies: Iterable[ProjectStudy]) -> dict[int, Exclusion]:
    """Which of these studies may not be released now, and why: a few queries for 10,000 of them."""
    rows = list(studies)
    here = {
        study.uid: study
        for batch in batched([row.study_uid for row in rows], IDS_PER_QUERY)
        for study in Study.objects.filter(
            organisation_id=project.organisation_id,
            uid__in=batch,
            archived_at=None,
            rejected_at=None,
        ).only("uid", "doubts", "created_at", "subject_id", "organisation_id")
    }
    purpose = Purpose(project.purpose)
    consenting = consenting_to(purpose, {study.subject_id for study in here.values()})
    barred = barred_among(
        [(study.uid, study.subject_id) for study in here.values()],
        organisation_id=project.organisation_id,
        purpose=purpose,
        recipient=project.recipient_id,
    )
    since = listed_since(packs_held(project.organisation_id), purpose, Category.DEIDENTIFIED)
    owner, recipient = policies_of(project)
    asked = needs_consent(purpose, *filter(None, (owner, recipient)))
    found = {}
    for row in rows:
        one = _candidate(here.get(row.study_uid), consenting, since)
        one = replace(one, is_barred=row.study_uid in barred)
        if why := exclusion_of(one, needs_consent=asked):
            found[row.pk] = why
    return found


def _candidate(study: Study | None, consenting: set[UUID], since: datetime | None) -> Candidate:
    if study is None:
        return Candidate(False, False, False, False)
    return Candidate(
        is_here=True,
        is_settled=not study.doubts,
        has_consent=study.subject_id in consenting,
        came_before_purpose=since is None or study.created_at < since,
    )


def study_rows(project: Project) -> list[ProjectStudy]:
    return list(project.studies.select_related("added_by").order_by("pk"))


# Objects of a project ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """How far a project is: objects by state, people, studies and bytes of what can go out."""

    by_state: dict[str, int]
    people: int
    studies: int
    size: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def releasable(self) -> int:
        return sum(self.by_state.get(one, 0) for one in RELEASABLE)

    @property
    def waiting(self) -> int:
        return self.by_state.get(Aside.LOOK, 0)

    @property
    def held_back(self) -> int:
        return self.by_state.get(Aside.ASIDE, 0) + self.by_state.get(Aside.REFUSED, 0)


def standing_of(project: Project) -> Standing:
    """Two queries, however many objects there are."""
    rows = project.outputs.order_by().values_list("state").annotate(number=Count("pk"))
    facts = releasable_of(project).aggregate(
        people=Count("patient", distinct=True),
        studies=Count("study_uid", distinct=True),
        size=Sum("size"),
    )
    return Standing(dict(rows), facts["people"], facts["studies"], facts["size"] or 0)


def releasable_of(project: Project) -> QuerySet[Output]:
    return project.outputs.filter(state__in=RELEASABLE)


def risk_of_project(project: Project, pack: Pack) -> Risk:
    """Measure how many look the same, over what can go out."""
    people: dict[str, list[dict[str, str]]] = {}
    rows = releasable_of(project).values_list("patient", "facts")
    for patient, facts in rows.iterator(chunk_size=2000):
        people.setdefault(patient, []).append(facts)
    return risk_of(people, threshold=pack["deid.min_group_size"])


# The way back ------------------------------------------------------------------------------------
def token_of_source(link_key: bytes, value: object) -> bytes:
    """Keyed hash of an original's identifier: nobody without the link key finds it by that."""
    return hmac.digest(link_key, f"source\0{value}".encode(), sha256)[:16]


def subject_named(project: Project, subject_id: UUID) -> DataSubject | None:
    return DataSubject.objects.filter(
        pk=subject_id, organisation_id=project.organisation_id
    ).first()


def link_named(project: Project, code: str) -> Link | None:
    return Link.objects.filter(project=project, code=code.strip()).first()


# What a sweep must leave alone -------------------------------------------------------------------
def blobs_among(names: Collection[str]) -> set[str]:
    return set(Output.objects.filter(blob_name__in=names).values_list("blob_name", flat=True))


def keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Project.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def link_keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Project.objects.filter(link_key_id__in=keys).values_list("link_key_id", flat=True))


def in_batches(rows: QuerySet[Output], size: int = 500) -> Iterator[list[Output]]:
    """Go through many objects by their number, however long each batch takes."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        last = batch[-1].pk
        yield batch


# Counts ------------------------------------------------------------------------------------------
def blocks_told(snapshot: Snapshot) -> Blocks:
    """The blocks of a snapshot: all that an answer is made of. Nothing else is read for it."""
    if snapshot.edition != EDITION:
        raise AggregateRefused(
            "These people were counted by other vocabularies than there are now, so nothing is "
            "told of them any more."
        )
    blocks = tuple(
        Block({Dimension(one): frozenset(span) for one, span in row.box.items()}, row.people)
        for row in snapshot.blocks.order_by("place")
    )
    return Blocks(tuple(Dimension(one) for one in snapshot.dimensions), blocks, snapshot.at_least)
