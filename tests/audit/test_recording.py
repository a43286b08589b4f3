"""What is done is written down once, with its cause, and without what would need erasing."""

from __future__ import annotations

import json
from datetime import UTC
from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from audit import services
from audit.models import Event, EventCommitment, PendingEvent
from audit.rules.vocabulary import UnknownAction
from audit.services import recording
from audit.services.commitments import opened_value
from audit.services.recording import RequestMeta, TargetRef
from tests.audit.conftest import CLINICIAN
from vault.rules.errors import KeyDestroyed

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_every_value_of_an_event_is_stored_and_read_back() -> None:
    study, subject = uuid4(), uuid4()
    event = services.record(
        action="test.viewed",
        actor=CLINICIAN,
        organisation_id=3,
        subject_id=subject,
        target=TargetRef("study", str(study), "1.2.840.1"),
        purpose="treatment",
        reason="own_patient",
        details={"instances": 12, "series": [uuid4()], "rendered": False},
        request_meta=RequestMeta("ab12", "192.0.2.0/24", "req-1"),
    )
    stored = Event.objects.get()
    assert stored.entry() == event.entry()
    assert (stored.actor_id, stored.actor_role, stored.organisation_id) == ("17", "clinician", "3")
    assert (stored.subject_id, stored.target_id) == (str(subject), str(study))
    assert stored.occurred_at.tzinfo == UTC and stored.id.version == 7


def test_an_event_is_one_statement(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        services.record(action="test.viewed", actor=CLINICIAN)
    assert PendingEvent.objects.count() == 1  # queued for the sealer by the database itself


def test_an_event_vanishes_with_the_act_that_was_rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        services.record(action="test.viewed", actor=CLINICIAN)
        raise RuntimeError
    assert not Event.objects.exists() and not PendingEvent.objects.exists()


def test_an_action_that_nobody_registered_cannot_be_recorded() -> None:
    with pytest.raises(UnknownAction):
        services.record(action="test.invented", actor=CLINICIAN)


@pytest.mark.parametrize(
    "values",
    [
        {"details": {"who": "Jane Roe"}},
        {"details": {"patient_name": "x"}},
        {"details": {"value": "19800131"}},
        {"details": {"ratio": 0.5}},
        {"reason": "because she asked"},
        {"subject_id": "Roe^Jane"},
        {"target": TargetRef("study", "Jane Roe")},
        {"purpose": "Some purpose"},
    ],
)
def test_names_and_free_text_never_enter_the_trail(values: dict) -> None:
    with pytest.raises(services.DetailsRefused):
        services.record(action="test.viewed", actor=CLINICIAN, **values)
    assert not Event.objects.exists()


@pytest.mark.parametrize("wrong", [{"outcome": "splendid"}, {"actor": services.ActorRef("ghost")}])
def test_an_outcome_or_an_actor_of_no_known_kind_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        services.record(**{"action": "test.viewed", "actor": CLINICIAN} | wrong)


def test_a_refusal_is_recorded_with_its_reason() -> None:
    services.record_refusal(action="test.viewed", actor=CLINICIAN, reason="no_grant")
    event = Event.objects.get()
    assert (event.outcome, event.reason) == ("refused", "no_grant")
    with pytest.raises(services.DetailsRefused):
        services.record_refusal(action="test.viewed", actor=CLINICIAN, reason="")


def test_an_event_holds_only_a_salted_commitment_of_a_personal_value() -> None:
    event = services.record(
        action="test.released", actor=CLINICIAN, private={"recipient": "Dr Jane Roe"}
    )
    row = EventCommitment.objects.get()
    salt, value = opened_value(row)
    assert value == b"Dr Jane Roe" and len(salt) == 32
    assert b"Roe" not in bytes(row.sealed) and salt not in bytes(row.sealed)
    expected = sha256(salt + b"Dr Jane Roe").hexdigest()
    assert Event.objects.get().commitments == {"recipient": expected}
    assert "Roe" not in json.dumps(event.entry())


def test_two_commitments_to_the_same_value_do_not_look_alike() -> None:
    digests = {
        services.record(
            action="test.released", actor=CLINICIAN, private={"recipient": "Dr Jane Roe"}
        ).commitments["recipient"]
        for _ in range(3)
    }
    assert len(digests) == 3


def test_a_personal_value_can_be_erased_and_the_trail_still_verifies() -> None:
    event = services.record(
        action="test.released", actor=CLINICIAN, subject_id="s-1", private={"recipient": "Roe"}
    )
    before, backup = event.entry(), EventCommitment.objects.get()
    assert services.erase_private_values(subject_id="s-2") == 0
    assert services.erase_private_values(subject_id="s-1") == 1
    assert not EventCommitment.objects.exists()
    # An older copy of the row cannot be read any more, and is no fault where it comes back.
    with pytest.raises(KeyDestroyed):
        opened_value(backup)
    backup.save(force_insert=True)
    services.seal_all()
    assert services.verify_database().verified
    assert Event.objects.get().entry() == before


def test_erasing_everything_by_saying_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="say either"):
        services.erase_private_values()


def test_the_sealer_is_rung_for_after_so_many_events(
    rings: list[str], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
) -> None:
    monkeypatch.setattr(recording, "RING_EVERY", 4)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(8):
            services.record(action="test.viewed", actor=CLINICIAN)
    assert rings == ["audit.seal"] * 2


CHANGES = {
    "update": "UPDATE audit_event SET action = 'test.released'",
    "delete": "DELETE FROM audit_event",
    "leaf update": "UPDATE audit_leaf SET number = number + 7",
    "leaf delete": "DELETE FROM audit_leaf",
    "checkpoint update": "UPDATE audit_checkpoint SET note = ''",
    "checkpoint delete": "DELETE FROM audit_checkpoint",
}
PER_ENGINE = {
    "postgresql": {
        "truncate": "TRUNCATE audit_event",
        "leaf truncate": "TRUNCATE audit_leaf",
        "checkpoint truncate": "TRUNCATE audit_checkpoint",
    },
    "sqlite": {
        "replace": "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event",
        "leaf replace": "INSERT OR REPLACE INTO audit_leaf SELECT 9, event_id, leaf_hash"
        " FROM audit_leaf",
        "checkpoint replace": "INSERT OR REPLACE INTO audit_checkpoint"
        " SELECT 9, size, root, frontier, '', created_at FROM audit_checkpoint",
    },
}


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_every_change_of_the_trail() -> None:
    services.record(action="test.viewed", actor=CLINICIAN)
    services.seal_events()
    statements = CHANGES | PER_ENGINE[connection.vendor]
    for name, statement in statements.items():
        with (
            pytest.raises(DatabaseError, match="append-only"),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            pytest.fail(f"{name} was not refused")
    assert services.verify_database().verified
