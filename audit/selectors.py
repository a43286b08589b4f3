"""Reads of the trail. Who may read what is decided above; here it is an argument.

Pages go from the latest event backwards and are found by key, never by offset: they cost
the same on the first page as on the thousandth, and do not shift as events are added.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from audit.models import (
    EVENT_COLUMNS,
    Checkpoint,
    Event,
    EventCommitment,
    Leaf,
    PendingEvent,
    entry_of,
)
from audit.rules.merkle import inclusion_proof, over
from audit.rules.verification import SealedLeaf, SignedCheckpoint, Unsealed
from audit.rules.vocabulary import ActorKind, Outcome

PAGE = 50
MAX_PAGE = 500
CHUNK = 500


class PositionRefused(ValueError):
    """Raised for a position that no page gave out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Hold some events, the latest first; ``next`` continues, and is empty at the end."""

    events: list[Event]
    next: str


def events_for_target(
    *,
    kind: str,
    target_id: object = None,
    uid: str = "",
    organisation_id: object = None,
    after: str = "",
    limit: int = PAGE,
) -> Page:
    """Return what was done to one thing, named by our id or by its DICOM UID.

    With ``organisation_id`` only what that organisation's people did. Raises ValueError
    unless one of the names is given.
    """
    if target_id is None and not uid:
        raise ValueError("say which target")
    events = Event.objects.filter(target_kind=kind)
    if target_id is not None:
        events = events.filter(target_id=str(target_id))
    if uid:
        events = events.filter(target_uid=uid)
    return _page(_of_organisation(events, organisation_id), after, limit)


def events_for_subject(
    *, subject_id: object, organisation_id: object = None, after: str = "", limit: int = PAGE
) -> Page:
    """Return what was done with the data of one person or animal."""
    events = Event.objects.filter(subject_id=str(subject_id))
    return _page(_of_organisation(events, organisation_id), after, limit)


def number_for_subjects(*, subject_ids: Iterable[object], organisation_id: object) -> int:
    """Count what one organisation did with the data of these people: one query."""
    ids = [str(one) for one in subject_ids]
    return _of_organisation(Event.objects.filter(subject_id__in=ids), organisation_id).count()


def events_of_organisation(
    *, organisation_id: object, action: str = "", after: str = "", limit: int = PAGE
) -> Page:
    """Return what was done in one organisation, or one action of it."""
    events = Event.objects.filter(organisation_id=str(organisation_id))
    return _page(events.filter(action=action) if action else events, after, limit)


def events_by_actor(*, actor_id: object, after: str = "", limit: int = PAGE) -> Page:
    """Return what one person, token or job did."""
    return _page(Event.objects.filter(actor_id=str(actor_id)), after, limit)


def entries_between(
    *, organisation_id: object, since: date, until: date, study_uid: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the entries of an organisation from a day (UTC) up to another, which is not included.

    The earliest first; with ``study_uid`` only what was done to that study.
    """
    events = Event.objects.filter(
        organisation_id=str(organisation_id),
        occurred_at__gte=datetime.combine(since, time(), UTC),
        occurred_at__lt=datetime.combine(until, time(), UTC),
    )
    if study_uid:
        events = events.filter(target_uid=study_uid)
    rows = events.order_by("occurred_at", "id").values(*EVENT_COLUMNS)
    for row in rows.iterator(chunk_size=CHUNK):
        yield entry_of(row)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which of somebody's acts: of one kind, from a day on, to a day; empty: all."""

    action: str = ""
    since: datetime | None = None
    before: datetime | None = None


def own_acts(
    *,
    user_id: int,
    organisation_id: object = None,
    asked: Asked | None = None,
    after: str = "",
    limit: int = PAGE,
) -> Page:
    """Return what a person did themselves, by hand or by a program with their token.

    With ``organisation_id`` what they did for that organisation, wherever the images lay, and
    what concerns no organisation, such as signing in.
    """
    events = Event.objects.filter(
        actor_id=str(user_id), actor_kind__in=[ActorKind.USER.value, ActorKind.TOKEN.value]
    )
    if organisation_id is not None:
        for_it = Q(details__by_organisation=str(organisation_id))
        in_it = Q(organisation_id__in=["", str(organisation_id)])
        events = events.filter(for_it | in_it)
    asked = asked or Asked()
    if asked.action:
        events = events.filter(action=asked.action)
    if asked.since:
        events = events.filter(occurred_at__gte=asked.since)
    if asked.before:
        events = events.filter(occurred_at__lt=asked.before)
    return _page(events, after, limit)


@dataclass(frozen=True, slots=True)
class Touched:
    """A thing that somebody reached: whose it is, its UID, and whom it is about."""

    organisation_id: str
    uid: str
    subject_id: str


def things_touched(*, user_id: int, kind: str, since: datetime, until: datetime) -> set[Touched]:
    """Return everything of a kind that an account reached, by hand or by a program, between two
    moments; refusals are left out, for nothing was seen."""
    rows = Event.objects.filter(
        actor_id=str(user_id), actor_kind__in=[ActorKind.USER.value, ActorKind.TOKEN.value],
        target_kind=kind, outcome=Outcome.SUCCESS.value, occurred_at__gte=since,
        occurred_at__lte=until,
    ).exclude(target_uid="")  # fmt: skip
    columns = ("organisation_id", "target_uid", "subject_id")
    return {Touched(*row) for row in rows.values_list(*columns).distinct()}


def _of_organisation(events: QuerySet[Event], organisation_id: object) -> QuerySet[Event]:
    if organisation_id is None:
        return events
    return events.filter(organisation_id=str(organisation_id))


def _page(events: QuerySet[Event], after: str, limit: int) -> Page:
    limit = max(1, min(limit, MAX_PAGE))
    if after:
        at, event_id = _read_position(after)
        events = events.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, id__lt=event_id))
    found = list(events.order_by("-occurred_at", "-id")[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _position(found[-1]) if more else "")


def _position(event: Event) -> str:
    return base64.urlsafe_b64encode(f"{event.occurred_at.isoformat()} {event.id}".encode()).decode()


def _read_position(position: str) -> tuple[datetime, UUID]:
    try:
        at, _, event_id = base64.urlsafe_b64decode(position).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise PositionRefused("a position without a time zone")
        return moment, UUID(event_id)
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        raise PositionRefused("this is not a position of a page") from error


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Prove one event to someone who trusts only the key: entry, place, proof, checkpoint."""

    entry: dict[str, Any]
    index: int
    proof: list[bytes]
    checkpoint: str


def receipt_of(event_id: UUID) -> Receipt | None:
    """Return the inclusion proof of an event under the latest checkpoint; None until sealed.

    Reads the hash of every leaf: seconds for a log of a million.
    """
    leaf = Leaf.objects.filter(event_id=event_id).first()
    event = Event.objects.filter(pk=event_id).first()
    checkpoint = latest_checkpoint()
    if leaf is None or event is None or checkpoint is None:
        return None
    hashes = Leaf.objects.filter(number__lt=checkpoint.size).order_by("number")
    leaves = [bytes(one) for one in hashes.values_list("leaf_hash", flat=True).iterator()]
    proof = inclusion_proof(leaf.number, checkpoint.size, over(leaves))
    return Receipt(event.entry(), leaf.number, proof, checkpoint.note)


def signed_checkpoints() -> Iterator[SignedCheckpoint]:
    """Yield every checkpoint, the smallest first."""
    for row in Checkpoint.objects.order_by("size").iterator():
        try:
            frontier = tuple(bytes.fromhex(one) for one in row.frontier)
        except (TypeError, ValueError):
            frontier = ()
        yield SignedCheckpoint(row.size, row.note, frontier)


def sealed_leaves() -> Iterator[SealedLeaf]:
    """Yield every leaf by its number, with its event as it is now."""
    batch: list[Leaf] = []
    for leaf in Leaf.objects.order_by("number").iterator(chunk_size=CHUNK):
        batch.append(leaf)
        if len(batch) == CHUNK:
            yield from _with_entries(batch)
            batch = []
    yield from _with_entries(batch)


def _with_entries(batch: list[Leaf]) -> Iterator[SealedLeaf]:
    ids = [leaf.event_id for leaf in batch]
    rows = Event.objects.filter(pk__in=ids).values(*EVENT_COLUMNS)
    entries = {row["id"]: entry_of(row) for row in rows}
    for leaf in batch:
        yield SealedLeaf(
            leaf.number, str(leaf.event_id), bytes(leaf.leaf_hash), entries.get(leaf.event_id)
        )


def unsealed_events() -> Iterator[Unsealed]:
    """Yield every event without a leaf, and every place in the queue without an event."""
    sealed = Leaf.objects.filter(event_id=OuterRef("pk"))
    waiting = PendingEvent.objects.filter(event_id=OuterRef("pk"))
    events = Event.objects.filter(~Exists(sealed)).annotate(waits=Exists(waiting))
    for event_id, waits in events.order_by("occurred_at", "id").values_list("pk", "waits"):
        yield Unsealed(str(event_id), waiting=waits, present=True)
    gone = PendingEvent.objects.filter(~Exists(Event.objects.filter(pk=OuterRef("event_id"))))
    for event_id in gone.values_list("event_id", flat=True):
        yield Unsealed(str(event_id), waiting=True, present=False)


def waiting_entries() -> Iterator[dict[str, Any]]:
    """Yield the entries of events that wait to be sealed, in order of time and id."""
    waiting = Event.objects.filter(Exists(PendingEvent.objects.filter(event_id=OuterRef("pk"))))
    for row in waiting.order_by("occurred_at", "id").values(*EVENT_COLUMNS).iterator():
        yield entry_of(row)


def kept_commitments() -> Iterator[tuple[EventCommitment, str | None]]:
    """Yield each personal value that is still kept, with the digest its event holds of it."""
    digests = Event.objects.filter(pk=OuterRef("event_id")).values("commitments")[:1]
    for row in EventCommitment.objects.annotate(digests=Subquery(digests)).iterator():
        yield row, (row.digests or {}).get(row.name)
