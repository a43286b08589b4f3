"""What is sealed stays provable, and sealing costs what is new, not what is old."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import selectors, services
from audit.models import Checkpoint, Event, Leaf, PendingEvent
from audit.rules.canonical import canonical_json
from audit.rules.merkle import leaf_hash, root_of, verify_inclusion
from audit.rules.notes import open_checkpoint
from audit.services import recording
from audit.services.keys import signing_key, trusted_keys
from audit.services.seal import is_sealing_wanted
from jobs.models import Job
from jobs.services import run_job, sweep_jobs
from tests.audit.append_only import triggers_bypassed
from tests.audit.conftest import CLINICIAN

pytestmark = pytest.mark.django_db


def happen(count: int) -> list[Event]:
    return [
        services.record(action="test.viewed", actor=CLINICIAN, details={"number": number})
        for number in range(count)
    ]


def test_events_are_numbered_without_gaps_in_order_of_time() -> None:
    events = happen(5)
    assert services.seal_events() == services.Sealed(added=5, size=5)
    leaves = list(Leaf.objects.order_by("number").values_list("number", "event_id"))
    ordered = sorted(events, key=lambda event: (event.occurred_at, event.id))
    assert leaves == [(number, event.id) for number, event in enumerate(ordered)]
    assert not PendingEvent.objects.exists()


def test_a_checkpoint_signs_the_root_over_the_canonical_events() -> None:
    events = happen(7)
    services.seal_events()
    note = Checkpoint.objects.get().note
    body = open_checkpoint(note, [signing_key().verifier])
    expected = root_of([leaf_hash(canonical_json(event.entry())) for event in events])
    assert (body.size, body.root, body.origin) == (7, expected, signing_key().name)


def test_an_event_that_commits_late_with_an_earlier_time_is_sealed_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happen(3)
    services.seal_events()
    earlier = timezone.now() - timedelta(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(recording.timezone, "now", lambda: earlier)
        (late,) = happen(1)
    assert services.seal_events() == services.Sealed(added=1, size=4)
    assert Leaf.objects.get(event_id=late.id).number == 3
    assert services.verify_database().verified


def test_sealing_with_nothing_new_signs_nothing() -> None:
    happen(2)
    services.seal_all()
    assert services.seal_all() == services.Sealed(added=0, size=2)
    assert Checkpoint.objects.count() == 1


def test_a_large_backlog_is_sealed_in_bounded_bites() -> None:
    happen(10)
    sizes = [services.seal_events(limit=4).size for _ in range(3)]
    assert sizes == [4, 8, 10]
    assert services.verify_database().verified


def test_sealing_reads_no_more_of_a_long_log_than_of_a_short_one() -> None:
    counts = []
    for _ in range(4):
        happen(64)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            services.seal_events()
        counts.append(len(captured))
    assert len(set(counts[1:])) == 1
    # All that is carried from one seal to the next is logarithmic.
    assert len(Checkpoint.objects.latest("size").frontier) <= 9


def tampered(statement: str) -> None:
    with triggers_bypassed(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_leaf WHERE number = 4",
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_checkpoint SET size = 3",
        "UPDATE audit_checkpoint SET frontier = '[]'",
        # Of the right shape for five leaves, and not what was signed.
        f"""UPDATE audit_checkpoint SET frontier = '["{"07" * 32}", "{"08" * 32}"]'""",
        "UPDATE audit_checkpoint SET note = 'forged'",
        """
        INSERT INTO audit_leaf SELECT 99, id, leaf_hash FROM audit_event, audit_leaf
        WHERE audit_event.id NOT IN (SELECT event_id FROM audit_leaf) LIMIT 1
        """,
    ],
)
def test_a_smaller_or_inconsistent_tree_is_never_signed(statement: str) -> None:
    happen(5)
    services.seal_events()
    happen(1)
    tampered(statement)
    checkpoints = Checkpoint.objects.count()
    with pytest.raises(services.SealRefused):
        services.seal_events()
    assert Checkpoint.objects.count() == checkpoints
    with pytest.raises(CommandError, match="verify_audit"):
        call_command("seal_audit")


def test_a_checkpoint_of_another_key_is_not_continued(settings) -> None:
    happen(2)
    services.seal_events()
    happen(1)
    old = str(trusted_keys()[0])
    settings.AUDIT_SIGNING_KEY = "ab" * 32
    with pytest.raises(services.SealRefused, match="verify"):
        services.seal_events()
    # Once the former key is named as retired the log goes on, and still verifies as a whole.
    settings.AUDIT_RETIRED_KEYS = [old]
    assert services.seal_events().size == 3
    assert services.verify_database().verified


def test_a_waiting_event_that_was_deleted_does_not_stop_the_sealer() -> None:
    happen(3)
    tampered("DELETE FROM audit_event WHERE details LIKE '%1%'") if (
        connection.vendor == "sqlite"
    ) else tampered("DELETE FROM audit_event WHERE (details->>'number')::int = 1")
    assert services.seal_events().size == 2
    (finding,) = services.verify_database().findings
    assert (finding.fault, finding.words) == ("deleted", "it was deleted before it was sealed")


def test_an_event_can_be_proved_to_someone_who_trusts_only_the_key() -> None:
    events = happen(11)
    assert selectors.receipt_of(events[4].id) is None
    services.seal_events()
    receipt = selectors.receipt_of(events[4].id)
    assert receipt is not None
    body = open_checkpoint(receipt.checkpoint, [signing_key().verifier])
    assert verify_inclusion(
        index=receipt.index,
        size=body.size,
        leaf=leaf_hash(canonical_json(receipt.entry)),
        proof=receipt.proof,
        root=body.root,
    )


def test_the_schedule_seals_what_waits_and_makes_no_job_when_nothing_does() -> None:
    sweep_jobs()
    assert not Job.objects.filter(kind="audit.seal").exists() and not is_sealing_wanted()
    happen(2)
    sweep_jobs()
    job = Job.objects.get(kind="audit.seal")
    assert run_job(job_id=job.id) == "done"
    assert Checkpoint.objects.get().size == 2 and not is_sealing_wanted()


def test_the_command_says_what_was_sealed() -> None:
    happen(3)
    out = StringIO()
    call_command("seal_audit", stdout=out)
    assert out.getvalue() == "Sealed 3 events; the tree has 3 leaves.\n"
