"""What fails is listed, tried again and never called done; what is left is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from jobs.models import Job
from jobs.rules.states import State
from jobs.services import RunOutcome
from retention.models import Certificate, DisposalItem
from retention.rules.disposal import RunState, Step
from retention.services import disposing, steps
from retention.services.approving import approve_run, resume_run
from retention.services.leftovers import what_is_left
from retention.services.refusals import ProveAgain
from retention.services.steps import advance
from studies.models import Blob, Study
from tests.factories import Cast, actor_of
from tests.retention.cases import OLD, approved, carried_out, planned, take_in_old
from vault.models import DataKey
from vault.rules.errors import StorageUnreachable

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def blob_names(study: Study) -> list[str]:
    return list(Blob.objects.filter(study=study).values_list("name", flat=True))


# Failing ------------------------------------------------------------------------------------------
def test_a_store_out_of_reach_is_said_so_and_never_called_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = take_in_old(cast, "one"), take_in_old(cast, "two")
    broken = set(blob_names(one))

    def unreachable(*, names: Sequence[str]) -> None:
        if broken & set(names):
            raise StorageUnreachable("out of reach")
        real(names=names)

    real = steps.delete_blobs
    run = approved(cast)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "delete_blobs", unreachable)
        assert carried_out(run) is RunOutcome.RETRY
        steps_now = dict(run.items.values_list("study_uid", "step"))
        assert steps_now == {one.uid: Step.KEY_DESTROYED, two.uid: Step.GONE}
        assert run.state == RunState.RUNNING
        for _ in range(4):
            Job.objects.update(not_before=timezone.now())
            carried_out(run)
        assert (run.state, run.stopped_for) == (
            RunState.STOPPED, "1 studies could not be finished",
        )  # fmt: skip
    item = run.items.get(study_uid=one.uid)
    assert (item.failure, item.tries) == ("StorageUnreachable", 5)
    job = Job.objects.get(pk=run.job_id)
    assert (job.state, job.failures[0]["what"]) == (State.FAILED, one.uid)
    assert not Certificate.objects.exists()
    resume_run(actor=actor_of(cast.administrator, fresh=True), run=run)
    assert carried_out(run) is RunOutcome.DONE
    assert set(run.items.values_list("step", flat=True)) == {Step.GONE}


def test_the_keys_of_all_are_destroyed_before_the_first_file(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [take_in_old(cast, name).key_id for name in ("one", "two", "three")]
    monkeypatch.setattr(disposing, "TOGETHER", 1)
    living = []

    def noting(*, names: Sequence[str]) -> None:
        living.append(DataKey.objects.filter(pk__in=keys, destroyed_at=None).count())
        # Whoever holds something meanwhile does not wait for the disk.
        assert not connection.savepoint_ids or not names
        real(names=names)

    real = steps.delete_blobs
    run = approved(cast)
    monkeypatch.setattr(steps, "delete_blobs", noting)
    assert carried_out(run) is RunOutcome.DONE
    assert set(living) == {0}
    assert len(living) >= 3


def test_a_store_that_comes_back_is_tried_again_without_anybody_asking(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise StorageUnreachable("out of reach")

    for name in ("one", "two", "three"):
        take_in_old(cast, name)
    run = approved(cast)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "delete_blobs", unreachable)
        assert carried_out(run) is RunOutcome.RETRY
    assert set(run.items.values_list("failure", flat=True)) == {"StorageUnreachable"}
    Job.objects.update(not_before=timezone.now())
    assert carried_out(run) is RunOutcome.DONE
    assert set(run.items.values_list("step", "failure")) == {(Step.GONE, "")}


def test_what_is_found_left_is_listed_and_never_called_gone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = take_in_old(cast, "one"), take_in_old(cast, "two")
    run = approved(cast)
    stubborn = set(blob_names(one))
    real = steps.delete_blobs

    def pretending(*, names: Sequence[str]) -> None:
        real(names=[name for name in names if name not in stubborn])

    with monkeypatch.context() as patch:
        # A store that says it deleted, and did not.
        patch.setattr(steps, "delete_blobs", pretending)
        assert carried_out(run) is RunOutcome.RETRY
    found = {uid: (step, why) for uid, step, why in run.items.values_list(
        "study_uid", "step", "failure"
    )}  # fmt: skip
    assert found == {
        one.uid: (Step.ROWS_DELETED, "left: file"), two.uid: (Step.GONE, ""),
    }  # fmt: skip
    job = Job.objects.get(pk=run.job_id)
    assert job.failures == [{"what": one.uid, "why": "left: file"}]
    assert not Certificate.objects.exists()


@pytest.mark.parametrize("what", ["key", "file", "row"])
def test_verification_finds_what_is_left(cast: Cast, what: str) -> None:
    study = take_in_old(cast)
    names = blob_names(study)
    wrapped = DataKey.objects.get(pk=study.key_id).wrapped
    run = approved(cast)
    item_id = run.items.get().pk
    for _ in range(4):
        with transaction.atomic():
            advance([item_id])
    item = DisposalItem.objects.get(pk=item_id)
    assert (item.step, what_is_left([item])) == (Step.ROWS_DELETED, {})
    if what == "key":
        DataKey.objects.filter(pk=study.key_id).update(wrapped=wrapped, destroyed_at=None)
    elif what == "file":
        other = take_in_old(cast, "other")
        item.blob_names = [*names, *blob_names(other)]
    else:
        study.save(force_insert=True)
    assert what_is_left([item]) == {item.pk: what}
    Study.objects.filter(pk=study.pk).delete()


def test_a_sample_that_still_opens_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in_old(cast)
    run = approved(cast)
    item_id = run.items.get().pk
    for _ in range(4):
        with transaction.atomic():
            advance([item_id])
    item = DisposalItem.objects.select_related("run").get(pk=item_id)
    monkeypatch.setattr("retention.services.leftovers.open_data_key", lambda **_: bytes(32))
    monkeypatch.setattr("retention.services.leftovers.FieldSealer.open", lambda *_: b"opened")
    assert what_is_left([item]) == {item.pk: "ciphertext"}


# By command ---------------------------------------------------------------------------------------
def test_an_operator_carries_out_what_was_approved(cast: Cast, capsys) -> None:
    take_in_old(cast)
    planned(cast)
    call_command("run_disposal")
    assert "No run is approved" in capsys.readouterr().out
    approved(cast)
    call_command("run_disposal", organisation="hospital")
    assert "1: Gone, and verified" in capsys.readouterr().out
    assert not Study.objects.filter(uid=OLD).exists()


def test_an_operator_hears_of_what_is_not_finished(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def unreachable(**_: object) -> None:
        raise StorageUnreachable("out of reach")

    take_in_old(cast)
    approved(cast)
    monkeypatch.setattr("retention.services.steps.delete_blobs", unreachable)
    with pytest.raises(CommandError, match="not finished"):
        call_command("run_disposal")
    assert "files are still there" in capsys.readouterr().out


def test_an_actor_of_yesterday_is_not_fresh(cast: Cast) -> None:
    take_in_old(cast)
    stale = replace(
        actor_of(cast.officer, fresh=True), stepped_up_at=timezone.now() - timedelta(hours=1)
    )
    with pytest.raises(ProveAgain):
        approve_run(actor=stale, run=planned(cast))
