"""What a database owner could do to the trail."""

from __future__ import annotations

from django.db import connection

from audit import services
from audit.models import Checkpoint, Event, Leaf
from audit.rules.append_only import drop_queue_statements, queue_statements
from audit.rules.canonical import canonical_json
from audit.rules.merkle import leaf_hash
from tests.audit.append_only import run_each, triggers_bypassed
from tests.audit.conftest import CLINICIAN


def leaf(event: Event) -> Leaf:
    return Leaf.objects.get(event_id=event.id)


def edit(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(actor_id="18")


def recompute_leaf(event: Event) -> None:
    """Hide an edit as well as one can without the signing key."""
    digest = leaf_hash(canonical_json(Event.objects.get(pk=event.pk).entry()))
    Leaf.objects.filter(event_id=event.id).update(leaf_hash=digest)


def insert_without_a_trace(**values: object) -> Event:
    run_each(drop_queue_statements(connection.vendor))
    forged = services.record(action="test.viewed", actor=CLINICIAN, **values)  # type: ignore[arg-type]
    run_each(queue_statements(connection.vendor))
    return forged


def swap(one: Leaf, other: Leaf, *columns: str) -> None:
    values = {name: (getattr(one, name), getattr(other, name)) for name in columns}
    with triggers_bypassed():
        # The columns are unique: one of the two steps aside first.
        Leaf.objects.filter(pk=one.pk).delete()
        Leaf.objects.filter(pk=other.pk).update(**{name: pair[0] for name, pair in values.items()})
        for name, pair in values.items():
            setattr(one, name, pair[1])
        one.save(force_insert=True)


def cut_tail() -> None:
    """Remove the last batch and its checkpoint, so that what is left agrees with itself."""
    with triggers_bypassed():
        ids = list(Leaf.objects.filter(number__gte=15).values_list("event_id", flat=True))
        Checkpoint.objects.filter(size=20).delete()
        Leaf.objects.filter(number__gte=15).delete()
        Event.objects.filter(pk__in=ids).delete()
