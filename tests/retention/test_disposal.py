"""What two people approved is destroyed and read back; what is held, asked for or changed stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from audit.models import Event
from consent.models import DataSubject, Grant
from jobs.models import Job
from jobs.services import RunOutcome
from retention.models import Certificate, DisposedStudy
from retention.rules.disposal import RunState, Step
from retention.rules.holds import Scope
from retention.services.approving import (
    approve_run,
    cancel_run,
    pause_run,
    reject_run,
    resume_run,
)
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from retention.services.steps import advance, delete_study_rows
from studies.models import Blob, Instance, Series, Study, StudyNameToken
from studies.services.filing import StudyLeaving
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, held, planned, take_in_old
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def blob_names(study: Study) -> list[str]:
    return list(Blob.objects.filter(study=study).values_list("name", flat=True))


def is_whole(study: Study) -> bool:
    now = Study.objects.get(pk=study.pk)
    counts = (now.instance_count, now.series_count, Instance.objects.filter(study=study).count())
    return counts == (2, 1, 2) and bool(open_data_key(id=study.key_id))


# Gone ---------------------------------------------------------------------------------------------
def test_a_study_goes_key_first_and_nothing_of_it_is_left(cast: Cast) -> None:
    study, stays = take_in_old(cast), take_in(actor_of(cast.clinician), small_ct_object())
    names, subject = blob_names(study), study.subject
    assert stays
    run = approved(cast)
    assert carried_out(run) is RunOutcome.DONE
    assert run.state == RunState.DONE
    with pytest.raises(KeyDestroyed):
        open_data_key(id=study.key_id)
    with pytest.raises(KeyDestroyed):
        open_data_key(id=subject.key_id)
    assert not any(is_stored(name=name) for name in names)
    for model in (Study, Series, Instance, Blob):
        assert model.objects.count() == 1
    assert not StudyNameToken.objects.filter(study_id=study.pk).exists()
    assert not DataSubject.objects.filter(pk=subject.pk).exists()
    item = run.items.get()
    assert (item.step, item.sample, item.failure) == (Step.GONE, None, "")
    assert [
        Event.objects.filter(action=one, target_uid=study.uid).count()
        for one in ("study.key_destroyed", "study.disposed")
    ] == [1, 1]
    ledger = DisposedStudy.objects.get()
    assert (ledger.study_key_id, ledger.blob_names) == (study.key_id, names)


def test_the_subject_of_another_study_stays(cast: Cast) -> None:
    take_in_old(cast, "old", PatientID="P-1")
    run = approved(cast)
    take_in_old(cast, "new", PatientID="P-1", StudyDate="20100106")
    carried_out(run)
    assert DataSubject.objects.count() == 1
    assert open_data_key(id=DataSubject.objects.get().key_id)


def test_grants_and_the_trail_stay(cast: Cast) -> None:
    study = take_in_old(cast)
    grant = share(study, actor_of(cast.clinician, fresh=True), cast.people)
    before = Event.objects.filter(target_uid=study.uid).count()
    carried_out(approved(cast))
    assert Grant.objects.get(pk=grant.pk).items.get().study_uid == study.uid
    assert Event.objects.filter(target_uid=study.uid).count() >= before + 2


def test_nobody_comes_to_a_study_on_its_way_out(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    browser = client_of(cast.clinician)
    assert browser.get(f"/studies/{study.uid}/").status_code == 200
    for _ in range(4):
        with transaction.atomic():
            advance([run.items.get().pk])
        assert browser.get(f"/studies/{study.uid}/").status_code == 404
        assert browser.get(f"/dicom-web/studies/{study.uid}/metadata").status_code == 404
        assert browser.get("/").status_code == 200


def test_what_is_sent_to_a_study_on_its_way_out_is_refused_and_later_taken_anew(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    same = small_ct_object(study="old", series="old", number=1, StudyDate="20100105",
                           PatientID="HVH-old")  # fmt: skip
    for _ in range(3):
        with transaction.atomic():
            advance([run.items.get().pk])
        with pytest.raises(StudyLeaving):
            take_in(actor_of(cast.clinician), same)
    carried_out(run)
    take_in(actor_of(cast.clinician), same)
    now = Study.objects.get(uid=study.uid)
    assert now.key_id != study.key_id
    assert open_data_key(id=now.key_id)


# Kept ---------------------------------------------------------------------------------------------
def test_a_hold_placed_after_the_approvals_keeps_the_study(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    hold = held(cast, Scope.STUDY, study_uid=study.uid)
    carried_out(run)
    item = run.items.get()
    assert (item.step, item.kept_for, item.hold_id) == (Step.KEPT, "held", hold.pk)
    assert is_whole(study)
    job = Job.objects.get(pk=run.job_id)
    assert (job.done, job.total) == (5, 5)
    assert not Certificate.objects.exists()
    event = Event.objects.get(action="study.kept")
    assert (event.reason, event.details["hold"]) == ("held", str(hold.pk))


def test_a_hold_placed_in_the_last_moment_brings_the_study_back(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    with transaction.atomic():
        advance([run.items.get().pk])
    assert Study.objects.get(pk=study.pk).instance_count == 0
    held(cast, Scope.SUBJECT, subject_id=study.subject_id)
    carried_out(run)
    assert run.items.get().kept_for == "held"
    assert is_whole(study)


def test_a_study_that_got_more_images_or_a_later_examination_stays(cast: Cast) -> None:
    changed = take_in_old(cast, "changed")
    younger = take_in_old(cast, "younger", PatientID="P-2")
    run = approved(cast)
    more = {"StudyDate": "20100105", "PatientID": "HVH-changed"}
    take_in(
        actor_of(cast.clinician),
        small_ct_object(study="changed", series="changed", number=3, **more),
        small_ct_object(study="later", PatientID="P-2", StudyDate="20260105"),
    )
    carried_out(run)
    why = dict(run.items.values_list("study_uid", "kept_for"))
    assert why == {changed.uid: "changed", younger.uid: "not-due"}
    assert is_whole(younger)
    assert Study.objects.get(pk=changed.pk).instance_count == 3


def test_a_study_that_is_not_there_any_more_is_said_to_be_absent(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    delete_study_rows([study])
    carried_out(run)
    assert run.items.get().kept_for == "absent"
    assert not Certificate.objects.exists()


# Two people ---------------------------------------------------------------------------------------
def test_two_different_people_have_to_approve(cast: Cast) -> None:
    take_in_old(cast)
    run = planned(cast)
    officer = actor_of(cast.officer, fresh=True)
    with pytest.raises(ProveAgain):
        approve_run(actor=actor_of(cast.officer), run=run)
    run = approve_run(actor=officer, run=run)
    with pytest.raises(RetentionRefused, match="Somebody else"):
        approve_run(actor=officer, run=run)
    assert (run.state, run.job_id) == (RunState.APPROVED_ONCE, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(run).objects.filter(pk=run.pk).update(second_by=cast.officer)
    run = approve_run(actor=actor_of(cast.administrator, fresh=True), run=run)
    assert (run.state, Job.objects.get(pk=run.job_id).total) == (RunState.APPROVED, 5)
    assert Event.objects.filter(action="disposal.approved").count() == 2


@pytest.mark.parametrize("who", ["clinician", "auditor", "stranger"])
@pytest.mark.parametrize("act", [approve_run, reject_run, pause_run, resume_run, cancel_run])
def test_nobody_else_decides(cast: Cast, who: str, act: Callable[..., object]) -> None:
    take_in_old(cast)
    with pytest.raises(NotYours):
        act(actor=actor_of(getattr(cast, who), fresh=True), run=planned(cast))


def test_an_officer_of_another_organisation_decides_nothing_here(cast: Cast) -> None:
    take_in_old(cast)
    with pytest.raises(NotYours):
        approve_run(actor=actor_of(cast["officer@imaging.example"], fresh=True), run=planned(cast))


def test_a_rejected_plan_destroys_nothing(cast: Cast) -> None:
    study = take_in_old(cast)
    run = reject_run(actor=actor_of(cast.officer), run=planned(cast))
    assert run.state == RunState.REJECTED
    with pytest.raises(RetentionRefused, match="rejected"):
        approve_run(actor=actor_of(cast.officer, fresh=True), run=run)
    assert is_whole(study)


def test_a_first_approval_lasts_two_weeks(cast: Cast) -> None:
    take_in_old(cast)
    run = approve_run(actor=actor_of(cast.officer, fresh=True), run=planned(cast))
    run.first_at = timezone.now() - timedelta(days=15)
    run.save()
    run = approve_run(actor=actor_of(cast.administrator, fresh=True), run=run)
    assert (run.state, run.first_by, run.second_by) == (
        RunState.APPROVED_ONCE, cast.administrator, None,
    )  # fmt: skip


# Stopping -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365)])
def test_a_clock_that_jumps_by_a_year_stops_the_disposal(cast: Cast, jump: timedelta) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    Job.objects.update(not_before=timezone.now() - timedelta(days=800))
    with time_machine.travel(timezone.now() + jump):
        assert carried_out(run) is RunOutcome.FAILED
    assert run.state == RunState.STOPPED
    assert "the clock" in run.stopped_for
    assert is_whole(study)
    resume_run(actor=actor_of(cast.officer, fresh=True), run=run)
    assert carried_out(run) is RunOutcome.DONE
    assert run.items.get().step == Step.GONE


def test_approvals_that_nobody_carried_out_for_two_weeks_are_stale(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    type(run).objects.update(second_at=timezone.now() - timedelta(days=15))
    assert carried_out(run) is RunOutcome.FAILED
    assert (run.state, run.stopped_for) == (
        RunState.STOPPED, "the approvals are older than two weeks",
    )  # fmt: skip
    assert is_whole(study)


def test_a_paused_run_goes_on_from_where_it_was(cast: Cast) -> None:
    take_in_old(cast)
    run = approved(cast)
    pause_run(actor=actor_of(cast.officer), run=run)
    assert carried_out(run) is RunOutcome.NOT_CLAIMED
    assert run.state == RunState.PAUSED
    resume_run(actor=actor_of(cast.officer, fresh=True), run=run)
    assert carried_out(run) is RunOutcome.DONE


def test_cancelled_in_the_middle_the_rest_stays_and_what_lost_its_key_is_finished(
    cast: Cast,
) -> None:
    gone, hidden, stays = (take_in_old(cast, name) for name in ("gone", "hidden", "stays"))
    run = approved(cast)
    items = {item.study_uid: item.pk for item in run.items.all()}
    for uid in (gone.uid, gone.uid, hidden.uid):
        with transaction.atomic():
            advance([items[uid]])
    cancel_run(actor=actor_of(cast.officer), run=run)
    assert carried_out(run) is RunOutcome.DONE
    steps = dict(run.items.values_list("study_uid", "step"))
    assert steps == {gone.uid: Step.GONE, hidden.uid: Step.KEPT, stays.uid: Step.KEPT}
    assert is_whole(hidden)
    assert is_whole(stays)
    assert Certificate.objects.get().run == run


def test_a_run_is_started_once(cast: Cast) -> None:
    take_in_old(cast)
    run = approved(cast)
    with pytest.raises(RetentionRefused):
        approve_run(actor=actor_of(cast.officer, fresh=True), run=run)
    assert carried_out(run) is RunOutcome.DONE
    assert carried_out(run) is RunOutcome.NOT_CLAIMED
    assert Certificate.objects.count() == 1
