"""Whatever a database owner does to the trail, an auditor is told, and told which event."""

from __future__ import annotations

import pytest

from audit import services
from audit.models import Checkpoint, Event, EventCommitment, Leaf, PendingEvent
from audit.rules.canonical import canonical_json
from audit.rules.merkle import leaf_hash
from audit.rules.notes import SigningKey, sign_note
from audit.rules.verification import Verdict
from audit.services.keys import signing_key
from tests.audit.append_only import triggers_bypassed
from tests.audit.conftest import CLINICIAN
from tests.audit.tampering import cut_tail, edit, insert_without_a_trace, leaf, recompute_leaf, swap

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def faults(verdict: Verdict) -> set[tuple[str, str]]:
    return {(one.fault.value, one.event_id) for one in verdict.findings}


def test_an_untouched_trail_verifies(trail: list[Event]) -> None:
    verdict = services.verify_database()
    assert verdict.findings == []
    assert (verdict.leaves, verdict.checkpoints, verdict.waiting) == (20, 3, 2)


def test_an_empty_trail_verifies() -> None:
    assert services.verify_database().verified


@pytest.mark.parametrize("victim", range(20))
def test_an_edited_event_is_named(trail: list[Event], victim: int) -> None:
    with triggers_bypassed():
        edit(trail[victim])
    assert faults(services.verify_database()) == {("edited", str(trail[victim].id))}


@pytest.mark.parametrize(
    "column",
    [
        "action",
        "outcome",
        "actor_kind",
        "actor_role",
        "subject_id",
        "target_kind",
        "target_id",
        "target_uid",
        "purpose",
        "reason",
        "session",
        "network",
        "request_id",
        "organisation_id",
    ],
)
def test_no_column_of_an_event_can_be_edited_unseen(trail: list[Event], column: str) -> None:
    with triggers_bypassed():
        Event.objects.filter(pk=trail[3].pk).update(**{column: "forged"})
    assert faults(services.verify_database()) == {("edited", str(trail[3].id))}


@pytest.mark.parametrize("victim", [0, 9, 19])
def test_an_edit_whose_leaf_was_rewritten_too_is_seen(trail: list[Event], victim: int) -> None:
    with triggers_bypassed():
        edit(trail[victim])
        recompute_leaf(trail[victim])
    verdict = services.verify_database()
    assert ("altered", str(trail[victim].id)) in faults(verdict)
    # What lies under other checkpoints is not under suspicion.
    batches = (trail[:8], trail[8:15], trail[15:])
    (batch,) = [batch for batch in batches if trail[victim] in batch]
    assert {one.event_id for one in verdict.findings} <= {str(one.id) for one in batch} | {""}


def test_a_rewritten_leaf_beside_a_true_event_is_told_apart_from_an_edit(trail) -> None:
    with triggers_bypassed():
        Leaf.objects.filter(event_id=trail[10].id).update(leaf_hash=b"\x07" * 32)
    assert faults(services.verify_database()) == {("leaf-rewritten", str(trail[10].id))}


@pytest.mark.parametrize("victim", [0, 7, 12, 19])
def test_a_deleted_event_is_named(trail: list[Event], victim: int) -> None:
    with triggers_bypassed():
        Event.objects.filter(pk=trail[victim].pk).delete()
    assert faults(services.verify_database()) == {("deleted", str(trail[victim].id))}


def test_an_event_deleted_with_its_leaf_leaves_a_gap(trail: list[Event]) -> None:
    with triggers_bypassed():
        leaf(trail[9]).delete()
        Event.objects.filter(pk=trail[9].pk).delete()
    words = [str(one) for one in services.verify_database().findings]
    assert "deleted: leaf 9 is not there" in words


def test_an_event_deleted_with_its_leaf_and_all_numbers_closed_up_is_seen(trail) -> None:
    with triggers_bypassed():
        leaf(trail[9]).delete()
        Event.objects.filter(pk=trail[9].pk).delete()
        for number in range(10, 20):
            Leaf.objects.filter(number=number).update(number=number - 1)
    found = {one.fault.value for one in services.verify_database().findings}
    assert {"altered", "truncated"} <= found


def test_an_event_slipped_in_beside_the_queue_is_named(trail: list[Event]) -> None:
    forged = insert_without_a_trace()
    assert faults(services.verify_database()) == {("inserted", str(forged.id))}


def test_an_event_slipped_in_with_a_leaf_of_its_own_is_named(trail: list[Event]) -> None:
    forged = insert_without_a_trace()
    digest = leaf_hash(canonical_json(forged.entry()))
    Leaf.objects.create(number=20, event_id=forged.id, leaf_hash=digest)
    assert faults(services.verify_database()) == {("unsigned", str(forged.id))}


def test_an_event_slipped_into_the_middle_is_seen(trail: list[Event]) -> None:
    forged = insert_without_a_trace()
    with triggers_bypassed():
        for number in reversed(range(10, 20)):
            Leaf.objects.filter(number=number).update(number=number + 1)
        digest = leaf_hash(canonical_json(forged.entry()))
        Leaf.objects.create(number=10, event_id=forged.id, leaf_hash=digest)
    assert ("altered", str(forged.id)) in faults(services.verify_database())


@pytest.mark.parametrize("columns", [("event_id",), ("event_id", "leaf_hash")])
def test_two_events_that_changed_places_are_both_named(trail, columns: tuple[str, ...]) -> None:
    swap(leaf(trail[2]), leaf(trail[5]), *columns)
    expected = {("reordered", str(trail[2].id)), ("reordered", str(trail[5].id))}
    assert faults(services.verify_database()) == expected


def test_a_tail_cut_off_under_its_checkpoint_is_seen(trail: list[Event]) -> None:
    with triggers_bypassed():
        ids = list(Leaf.objects.filter(number__gte=18).values_list("event_id", flat=True))
        Leaf.objects.filter(number__gte=18).delete()
        Event.objects.filter(pk__in=ids).delete()
    assert ("truncated", "") in faults(services.verify_database())


def test_a_tail_cut_off_with_its_checkpoint_is_seen_by_whoever_kept_one(trail) -> None:
    kept = Checkpoint.objects.get(size=20).note
    cut_tail()
    assert services.verify_database().verified  # nobody can see it from the inside
    assert faults(services.verify_database(kept=[kept])) == {("truncated", "")}


def test_a_history_rewritten_with_the_signing_key_is_seen_by_whoever_kept_a_checkpoint(
    trail: list[Event],
) -> None:
    kept = Checkpoint.objects.get(size=15).note
    with triggers_bypassed():
        edit(trail[3])
        for event in Event.objects.exclude(pk__in=PendingEvent.objects.values("event_id")):
            PendingEvent.objects.create(event_id=event.id, occurred_at=event.occurred_at)
        Leaf.objects.all().delete()
        Checkpoint.objects.all().delete()
    services.seal_all()
    assert services.verify_database().verified
    assert ("rewritten", "") in faults(services.verify_database(kept=[kept]))


def test_a_kept_checkpoint_of_an_untouched_trail_agrees(trail: list[Event]) -> None:
    kept = list(Checkpoint.objects.values_list("note", flat=True))
    assert services.verify_database(kept=kept).verified


def test_a_forged_checkpoint_is_seen(trail: list[Event]) -> None:
    forger = SigningKey(signing_key().name, bytes(32))
    body = "\n".join(Checkpoint.objects.get(size=15).note.split("\n")[:3]) + "\n"
    with triggers_bypassed():
        Checkpoint.objects.filter(size=15).update(note=sign_note(body, forger))
    assert ("bad-checkpoint", "") in faults(services.verify_database())


def test_a_forged_compact_range_is_seen(trail: list[Event]) -> None:
    with triggers_bypassed():
        Checkpoint.objects.filter(size=8).update(frontier=["00" * 32])
    assert ("bad-checkpoint", "") in faults(services.verify_database())


def test_a_personal_value_that_was_exchanged_is_seen_and_an_erased_one_is_no_fault() -> None:
    event = services.record(
        action="test.released", actor=CLINICIAN, private={"recipient": "Dr Roe"}
    )
    services.seal_all()
    other = services.record(
        action="test.released", actor=CLINICIAN, private={"recipient": "Dr Doe"}
    )
    services.seal_all()
    theirs = EventCommitment.objects.get(event_id=other.id)
    EventCommitment.objects.filter(event_id=event.id).update(
        sealed=theirs.sealed, key_id=theirs.key_id
    )
    assert faults(services.verify_database()) == {("commitment", str(event.id))}
    EventCommitment.objects.all().delete()
    assert services.verify_database().verified
