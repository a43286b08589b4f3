"""A plan finds what is due, says what stays and why, and destroys nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Notification
from audit.models import Event
from jobs.models import Job
from jobs.rules.states import State
from jobs.services import create_job, run_job
from policies.selectors import effective_pack
from retention.models import ClockMark, DisposalRun
from retention.rules.disposal import RunState, Step
from retention.rules.facts import Milestone
from retention.rules.holds import Scope
from retention.selectors.forecast import bars_of
from retention.selectors.keeping import facts_of, keeping_of_studies, terms_of
from retention.services.approving import approve_run
from retention.services.clock import ClockJumped, confirm_clock, mark_clock
from retention.services.milestones import note_milestone
from retention.services.planning import plan_disposal
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from retention.tasks import PLAN
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, held, hospital, planned, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def keeping(study: Study):
    return keeping_of_studies([study], terms_of(study.organisation))[study.pk]


# What is known ------------------------------------------------------------------------------------
def test_what_a_study_and_its_later_examinations_say_is_known(cast: Cast) -> None:
    first = take_in_old(cast, "first", PatientID="P-1")
    assert keeping(first).until == date(2017, 1, 5)
    take_in_old(cast, "second", PatientID="P-1", StudyDate="20250301", Modality="MG")
    facts = facts_of([first])[first.pk]
    assert (facts.later_on, facts.later_mammogram_on) == (date(2025, 3, 1), date(2025, 3, 1))
    assert facts.born_on == date(1972, 3, 14)
    # Recomputed: the hospital's law counts from the last examination here.
    found = keeping(first)
    assert (found.until, found.longest.code) == (date(2031, 3, 1), "ny.hospital")


def test_of_two_birth_dates_the_later_counts(cast: Cast) -> None:
    take_in_old(cast, "first", PatientID="P-1", PatientBirthDate="19720314")
    child = take_in_old(cast, "second", PatientID="P-1", PatientBirthDate="20080314")
    # The identifier is doubtful then, so nothing is due before somebody has settled it.
    assert keeping(child).contradiction
    Study.objects.update(doubts=[])
    child.refresh_from_db()
    assert keeping(child).until == date(2029, 3, 14)
    assert "born 2008, a minor at the examination" in keeping(child).words


def test_another_version_of_the_policy_counts_at_once(cast: Cast, announced) -> None:
    study = take_in_old(cast)
    assert keeping(study).is_due(date(2026, 1, 1))
    lines = terms_of(study.organisation)
    assert lines.schedule[0].keep.words == "7 years"
    version = announced({"retention": {
        **_retention(study), "images": {"trigger": "examination", "keep": "30 years",
                                        "action": "review"}}})  # fmt: skip
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        assert keeping(study).until == date(2040, 1, 5)


def _retention(study: Study) -> dict:
    return dict(effective_pack(study.organisation_id)["retention"])


def test_a_study_of_an_animal_waits_until_its_reading_is_complete(cast: Cast) -> None:
    vet = actor_of(cast["vet@practice.example"])
    take_in(vet, small_ct_object(
        study="dog", StudyDate="20100105", PatientID="D-1", PatientSpeciesDescription="Dog",
    ))  # fmt: skip
    study = Study.objects.get(organisation_id=vet.organisation_id)
    assert keeping(study).waits_for == (Milestone.DIAGNOSIS_COMPLETE,)
    note = {"study": study, "milestone": Milestone.DIAGNOSIS_COMPLETE}
    with pytest.raises(NotYours):
        note_milestone(actor=actor_of(cast.clinician), happened_on=date(2010, 2, 1), **note)
    with pytest.raises(RetentionRefused, match="yet to come"):
        note_milestone(actor=vet, happened_on=date(2099, 1, 1), **note)
    note_milestone(actor=vet, happened_on=date(2010, 2, 1), **note)
    assert keeping(study).until == date(2013, 1, 5)
    assert Event.objects.filter(action="milestone.noted").count() == 1
    # Its policy wants it made anonymous.
    run = plan_disposal(organisation=study.organisation)
    assert (run.due, run.anonymised, run.items.get().fate) == (1, 1, "anonymise")


# The plan -----------------------------------------------------------------------------------------
def test_a_plan_says_what_is_due_and_what_stays(cast: Cast) -> None:
    due = take_in_old(cast, "due")
    kept = take_in_old(cast, "kept")
    take_in(actor_of(cast.clinician), small_ct_object(study="young"))
    hold = held(cast, Scope.STUDY, study_uid=kept.uid)
    run = planned(cast)
    assert (run.studies, run.due, run.kept, run.state) == (3, 1, 1, RunState.PLANNED)
    assert (run.objects_due, run.bytes_due) == (2, due.bytes)
    assert run.forecast == {"2017": 2, "2033": 1}
    item = run.items.get(step=Step.PLANNED)
    assert (item.study_uid, item.objects_count, item.duty) == (due.uid, 2, "")
    stays = run.items.get(step=Step.KEPT)
    assert (stays.study_uid, stays.kept_for, stays.hold_id) == (kept.uid, "held", hold.pk)
    assert Study.objects.count() == 3
    told = set(Notification.objects.filter(template="disposal-planned").values_list("user", flat=1))
    assert told == {cast.officer.pk, cast.administrator.pk}


def test_the_same_plan_made_again_leaves_an_approval_in_place(cast: Cast) -> None:
    take_in_old(cast)
    first = planned(cast)
    approve_run(actor=actor_of(cast.officer, fresh=True), run=first)
    again = planned(cast)
    assert (again.pk, again.state) == (first.pk, RunState.APPROVED_ONCE)
    take_in_old(cast, "more")
    newer = planned(cast)
    first.refresh_from_db()
    assert (first.state, newer.state) == (RunState.SUPERSEDED, RunState.PLANNED)
    assert (newer.due, newer.first_by) == (2, None)


def test_no_plan_is_made_while_a_run_is_under_way(cast: Cast) -> None:
    take_in_old(cast)
    approved(cast)
    assert plan_disposal(organisation=hospital(cast)) is None
    assert DisposalRun.objects.count() == 1


def test_with_nothing_due_there_is_nothing_to_approve(cast: Cast) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    planned(cast)
    run = planned(cast)
    assert DisposalRun.objects.count() == 1
    assert run.state == RunState.NOTHING_DUE
    with pytest.raises(RetentionRefused, match="nothing is due"):
        approve_run(actor=actor_of(cast.officer, fresh=True), run=run)


def test_every_night_each_organisation_is_looked_through(cast: Cast) -> None:
    take_in_old(cast)
    job = create_job(kind=PLAN, natural_key="tonight")
    run_job(job_id=job.pk)
    assert Job.objects.get(pk=job.pk).state == State.DONE
    assert DisposalRun.objects.count() == 3
    assert DisposalRun.objects.get(organisation=hospital(cast)).due == 1


def test_an_operator_plans_by_command(cast: Cast, capsys) -> None:
    take_in_old(cast)
    call_command("plan_disposal", organisation="hospital")
    said = capsys.readouterr().out
    assert "hospital: run 1, 1 studies looked at, 1 due (2 objects" in said
    with pytest.raises(CommandError):
        call_command("plan_disposal", organisation="nowhere")


# The clock ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365)])
def test_a_clock_that_jumps_by_a_year_stops_the_plan(cast: Cast, jump: timedelta) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    assert mark_clock() == ""
    with time_machine.travel(timezone.now() + jump), pytest.raises(ClockJumped, match="the clock"):
        planned(cast)
    assert not DisposalRun.objects.exists()
    event = Event.objects.get(action="disposal.stopped")
    assert (event.reason, event.outcome) == ("clock", "failed")
    # Set right again, all goes on by itself.
    assert planned(cast).state == RunState.NOTHING_DUE


def test_a_person_confirms_the_time_after_a_long_stop(cast: Cast) -> None:
    ClockMark.objects.create(seen_at=timezone.now() - timedelta(days=60))
    with pytest.raises(ClockJumped):
        planned(cast)
    with pytest.raises(NotYours):
        confirm_clock(actor=actor_of(cast.clinician, fresh=True))
    with pytest.raises(ProveAgain):
        confirm_clock(actor=actor_of(cast.officer))
    confirm_clock(actor=actor_of(cast.officer, fresh=True))
    assert planned(cast).state == RunState.NOTHING_DUE
    assert Event.objects.filter(action="clock.confirmed").count() == 1


def test_marks_of_the_clock_never_go_back(cast: Cast) -> None:
    mark_clock()
    before = ClockMark.objects.get().seen_at
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        assert mark_clock() == ""
    assert ClockMark.objects.get().seen_at == before


# The picture --------------------------------------------------------------------------------------
def test_the_picture_shows_what_is_over_each_year_and_what_waits() -> None:
    bars = bars_of({"2017": 2, "2027": 4, "2060": 1, "open": 3}, 2026)
    assert [(one.label, one.count) for one in bars[:3]] == [
        ("before 2026", 2), ("2026", 0), ("2027", 4),
    ]  # fmt: skip
    assert [(one.label, one.count) for one in bars[-2:]] == [("later", 1), ("not known yet", 3)]
    assert bars[0].is_due
    assert (bars[2].width, bars[0].width) == (100, 50)
