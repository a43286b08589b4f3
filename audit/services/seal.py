"""Seal what was recorded: number it, hash it into the tree, sign the tree.

One sealer at a time, under a lock of the database. Each seal starts from the compact
range beside the last checkpoint, so its cost is that of the new events and does not grow
with the log. What commits after a seal with an earlier time is sealed by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from audit.models import EVENT_COLUMNS, Checkpoint, Event, Leaf, PendingEvent, entry_of
from audit.rules.canonical import canonical_json
from audit.rules.merkle import Frontier, leaf_hash
from audit.rules.notes import CheckpointBody, NoteRefused, open_checkpoint, sign_checkpoint
from audit.services.keys import signing_key, trusted_keys

BATCH = 4096
# Any constant will do, as long as nothing else in the database locks it ("audit").
ADVISORY_LOCK = 0x6175646974


class SealRefused(RuntimeError):
    """Raised when the tree in the database is not the one that was last signed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Say what a seal did: events added, and the size of the tree after it."""

    added: int
    size: int


def seal_events(*, limit: int = BATCH) -> Sealed | None:
    """Seal at most ``limit`` waiting events; None if another sealer is at work.

    Raises SealRefused rather than sign a tree that is smaller than, or does not follow
    from, the last signed one: an operator must then run ``verify_audit``.
    """
    with transaction.atomic(durable=True):
        if not _locked():
            return None
        last = Checkpoint.objects.order_by("-size").first()
        frontier = _continued_from(last)
        entries = _waiting(limit)
        if not entries:
            return Sealed(added=0, size=frontier.size)
        leaves = []
        for event_id, data in entries:
            digest = leaf_hash(data)
            leaves.append(Leaf(number=frontier.size, event_id=event_id, leaf_hash=digest))
            frontier.append(digest)
        Leaf.objects.bulk_create(leaves, batch_size=500)
        _sign(frontier, at=timezone.now())
        for start in range(0, len(entries), 500):
            ids = [event_id for event_id, _ in entries[start : start + 500]]
            PendingEvent.objects.filter(event_id__in=ids).delete()
        return Sealed(added=len(entries), size=frontier.size)


def seal_all() -> Sealed | None:
    """Seal until nothing waits; None if another sealer is at work."""
    added = 0
    while (sealed := seal_events()) is not None:
        added += sealed.added
        if sealed.added < BATCH:
            return Sealed(added=added, size=sealed.size)
    return None


def is_sealing_wanted() -> bool:
    """Say whether an event waits to be sealed."""
    return PendingEvent.objects.exists()


def _locked() -> bool:
    if connection.vendor != "postgresql":
        return True  # the transaction began IMMEDIATE: there is no other writer
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _continued_from(last: Checkpoint | None) -> Frontier:
    """Return the compact range of the last signed tree, once it is known to be that."""
    highest = Leaf.objects.aggregate(highest=Max("number"))["highest"]
    leaves = 0 if highest is None else highest + 1
    if last is None:
        if leaves:
            raise SealRefused("there are leaves that no checkpoint has signed")
        return Frontier()
    try:
        body = open_checkpoint(last.note, trusted_keys())
        frontier = Frontier(last.size, [bytes.fromhex(one) for one in last.frontier])
    except (NoteRefused, ValueError) as error:
        raise SealRefused(f"the last checkpoint does not verify: {error}") from error
    if body.size != last.size or body.root != frontier.root():
        raise SealRefused("the last checkpoint is not what was signed")
    if leaves != frontier.size:
        raise SealRefused(f"{frontier.size} leaves were signed and {leaves} are there")
    return frontier


def _waiting(limit: int) -> list[tuple[UUID, bytes]]:
    """Return ids and canonical bytes of waiting events, in order of time and id.

    A waiting event whose row is gone stays in the queue, as evidence for ``verify_audit``.
    """
    present = Event.objects.filter(pk=OuterRef("event_id"))
    waiting = PendingEvent.objects.filter(Exists(present)).order_by("occurred_at", "event_id")
    ids = list(waiting.values_list("event_id", flat=True)[:limit])
    rows: list[dict[str, Any]] = []
    for start in range(0, len(ids), 500):
        batch = Event.objects.filter(pk__in=ids[start : start + 500])
        rows += batch.values(*EVENT_COLUMNS)
    rows.sort(key=lambda row: (row["occurred_at"], row["id"]))
    return [(row["id"], canonical_json(entry_of(row))) for row in rows]


def _sign(frontier: Frontier, *, at: datetime) -> None:
    key = signing_key()
    body = CheckpointBody(key.name, frontier.size, frontier.root())
    Checkpoint.objects.create(
        size=body.size,
        root=body.root,
        frontier=[one.hex() for one in frontier.hashes],
        note=sign_checkpoint(body, key),
        created_at=at,
    )
