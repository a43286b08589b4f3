"""Write an event down, with one INSERT, in the transaction of what it is about.

This runs on every request for pixels, so the statement is prepared once, and not by the
object mapper. Inside a transaction the event commits or vanishes with its cause. Outside
one (a read has none) it is a transaction of its own and is durable when ``record`` returns:
call it before the first byte leaves.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit.models import EVENT_COLUMNS, Event, EventCommitment
from audit.rules.identifiers import time_ordered_uuid
from audit.rules.vocabulary import ActorKind, Outcome, action_named
from audit.services.commitments import sealed_values
from audit.services.group_commit import GroupCommit
from config.celery import enqueue
from jobs.rules.payload import as_plain, is_code, offending_keys

# A checkpoint is due after so many events of this process, or ten seconds (audit.apps).
RING_EVERY = 256
_recorded = itertools.count(1)


class DetailsRefused(ValueError):
    """Raised for an event that holds more than ids, codes and counts.

    Always, not only in tests: what enters the trail can never be taken out again.
    """


@dataclass(frozen=True, slots=True)
class ActorRef:
    """Say who acted, in values: ``role`` is the role in which, at that time."""

    kind: str
    id: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class TargetRef:
    """Say upon what: a kind, our id, and the DICOM UID where it has one."""

    kind: str
    id: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class RequestMeta:
    """Say from where: digest of the session, truncated network, id of the request."""

    session: str = ""
    network: str = ""
    request_id: str = ""


SYSTEM = ActorRef(ActorKind.SYSTEM)
ANONYMOUS = ActorRef(ActorKind.ANONYMOUS)
_NO_TARGET = TargetRef("")
_NO_META = RequestMeta()


def record(
    *,
    action: str,
    actor: ActorRef,
    outcome: str = Outcome.SUCCESS,
    organisation_id: object = None,
    subject_id: object = None,
    target: TargetRef | None = None,
    purpose: str = "",
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
    request_meta: RequestMeta | None = None,
) -> Event:
    """Record one event and return it.

    ``details`` hold ids, codes and counts. ``private`` holds personal values by name: the
    event keeps only a salted commitment of each, and the value lies where it can be erased.
    Raises UnknownAction and DetailsRefused.
    """
    action_named(action)
    event = Event(
        id=time_ordered_uuid(),
        occurred_at=timezone.now(),
        action=action,
        outcome=Outcome(outcome).value,
        organisation_id=str(organisation_id or ""),
        subject_id=str(subject_id or ""),
        purpose=purpose,
        reason=reason,
        details=as_plain(details) if details else {},
        **_columns(actor, target or _NO_TARGET, request_meta or _NO_META),
    )
    _refuse_personal(event)
    if private:
        _record_with_private(event, private)
    else:
        _insert(event)
    if next(_recorded) % RING_EVERY == 0:
        enqueue("audit.seal")
    return event


def _columns(actor: ActorRef, target: TargetRef, meta: RequestMeta) -> dict[str, str]:
    return {
        "actor_kind": ActorKind(actor.kind).value,
        "actor_id": str(actor.id),
        "actor_role": actor.role,
        "target_kind": target.kind,
        "target_id": str(target.id),
        "target_uid": target.uid,
        "session": meta.session,
        "network": meta.network,
        "request_id": meta.request_id,
    }


def record_refusal(*, action: str, actor: ActorRef, reason: str, **values: Any) -> Event:
    """Record that an act was asked for and refused; ``reason`` is the code of why.

    Record it outside the transaction that the refusal rolls back, or it vanishes too.
    """
    if not reason:
        raise DetailsRefused("a refusal has a reason")
    return record(action=action, actor=actor, reason=reason, outcome=Outcome.REFUSED, **values)


_CODED = (
    "actor_id",
    "actor_role",
    "organisation_id",
    "subject_id",
    "target_kind",
    "target_id",
    "target_uid",
    "purpose",
    "reason",
    "session",
    "request_id",
)


def _refuse_personal(event: Event) -> None:
    offending = [name for name in _CODED if not is_code(getattr(event, name))]
    offending += [f"details.{key}" for key in offending_keys(event.details)]
    if offending:
        raise DetailsRefused(f"{event.action}: not an id, code or count: {', '.join(offending)}")


def _record_with_private(event: Event, private: Mapping[str, str]) -> None:
    rows, event.commitments = sealed_values(event, private)
    with transaction.atomic():
        _insert(event)
        EventCommitment.objects.bulk_create(rows)


def _insert(event: Event) -> None:
    native_uuid = connection.features.has_native_uuid_field
    values: list[Any] = [getattr(event, name) for name in EVENT_COLUMNS]
    values[_AT["id"]] = str(event.id) if native_uuid else event.id.hex
    values[_AT["occurred_at"]] = connection.ops.adapt_datetimefield_value(event.occurred_at)
    values[_AT["details"]] = json.dumps(event.details)
    values[_AT["commitments"]] = json.dumps(event.commitments)
    if connection.in_atomic_block:
        _write_rows([values])
    else:
        _reads.add(values)
    # What a save would have noted: the row is there.
    event._state.adding = False
    event._state.db = connection.alias


def _write_rows(rows: Sequence[list[Any]]) -> None:
    # A transaction even for one: SQLite's writers stand in line at its beginning.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.executemany(_insert_statement(), rows)


_reads = GroupCommit(_write_rows)
_AT = {name: place for place, name in enumerate(EVENT_COLUMNS)}


@cache
def _insert_statement() -> str:
    columns = ", ".join(EVENT_COLUMNS)
    places = ", ".join(["%s"] * len(EVENT_COLUMNS))
    return f"INSERT INTO audit_event ({columns}) VALUES ({places})"  # noqa: S608 - own columns
