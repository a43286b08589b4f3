"""An erasure takes two, is called done when it is, and is read by its person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, User
from consent.models import Grant
from dsar.models import Erasure
from dsar.rules.erasure import ErasureState
from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome, Proof
from dsar.selectors import read_token
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.erasing import erasure_of, plan_case_erasure
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from jobs.models import Job
from jobs.services import RunOutcome, run_job
from policies.rules import erasing, holdings
from policies.rules.erasing import Erased, Eraser, erasers
from policies.rules.holdings import holders
from retention.models import DisposalRun
from retention.rules.disposal import RunState
from retention.services.approving import approve_run, cancel_run, reject_run
from retention.services.planning import plan_disposal
from retention.services.refusals import RetentionRefused
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import by_form
from tests.dsar.erasures import approve, asked, erased, run_of
from tests.factories import Cast, actor_of, text_of
from tests.retention.cases import carried_out, hospital, take_in_old
from vault.services.data_keys import open_data_key

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]


# Who may, and when -------------------------------------------------------------------------------
def test_nothing_is_planned_before_it_is_known_who_asks_and_about_whom(
    cast: Cast, old: Study
) -> None:
    officer = actor_of(cast.officer)
    case = by_form(kind=Kind.ERASURE)
    with pytest.raises(CaseRefused, match="how it is known who asks"):
        plan_case_erasure(actor=officer, case=case)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    with pytest.raises(CaseRefused, match="whom the request is about"):
        plan_case_erasure(actor=officer, case=case)
    assert not DisposalRun.objects.exists()
    copy = by_form(kind=Kind.COPY)
    with pytest.raises(CaseRefused, match="Nobody asked"):
        plan_case_erasure(actor=officer, case=copy)


@pytest.mark.parametrize("email", ["clinician@hospital.example", "officer@imaging.example"])
def test_nobody_else_plans_it(cast: Cast, old: Study, email: str) -> None:
    case = asked(cast, old)
    with pytest.raises(NotYours):
        plan_case_erasure(actor=actor_of(cast[email]), case=case)
    assert not Erasure.objects.exists()


def test_one_person_alone_erases_nothing(cast: Cast, old: Study) -> None:
    case = asked(cast, old)
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    officer = actor_of(cast.officer, fresh=True)
    approve_run(actor=officer, run=run_of(case))
    with pytest.raises(RetentionRefused, match="Somebody else"):
        approve_run(actor=officer, run=run_of(case))
    assert open_data_key(id=old.key_id)


def test_a_room_that_cannot_say_what_it_holds_stops_the_plan(
    cast: Cast, old: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = asked(cast, old)
    broken = holdings.Holder("studies", "Images", lambda _: 1 / 0, lambda _: [])  # type: ignore[arg-type, return-value]
    monkeypatch.setitem(holdings._holders, "studies", broken)
    with pytest.raises(CaseRefused, match="cannot say"):
        plan_case_erasure(actor=actor_of(cast.officer), case=case)


def test_every_room_that_holds_something_says_what_becomes_of_it() -> None:
    assert {one.code for one in holders()} == {one.code for one in erasers()}


# Called done when it is ---------------------------------------------------------------------------
def test_nothing_is_called_erased_that_is_not(cast: Cast, old: Study) -> None:
    officer = actor_of(cast.officer)
    case = asked(cast, old)
    with pytest.raises(CaseRefused, match="Nothing was erased yet"):
        answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    plan_case_erasure(actor=officer, case=case)
    for outcome in (Outcome.GRANTED, Outcome.PARTLY):
        with pytest.raises(CaseRefused, match="planned or under way"):
            answer_case(actor=officer, case=case, text="Done.", outcome=outcome)
    carried_out(approve(cast, run_of(case)))
    with pytest.raises(CaseRefused, match="planned or under way"):
        answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    for job in Job.objects.filter(kind="dsar.erase"):
        run_job(job_id=job.pk)
    answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)


def test_a_refusal_needs_no_erasure(cast: Cast, young: Study) -> None:
    case = asked(cast, young)
    answer_case(
        actor=actor_of(cast.officer), case=case, text="The law asks to keep it.",
        outcome=Outcome.DENIED, denial="legal-duty-to-keep",
    )  # fmt: skip
    assert open_data_key(id=young.key_id)


@pytest.mark.parametrize("how", ["rejected", "cancelled"])
def test_what_is_taken_back_erases_nothing_and_can_be_planned_anew(
    cast: Cast, old: Study, how: str
) -> None:
    case = asked(cast, old)
    share(old, actor_of(cast.clinician, fresh=True), cast.people)
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    if how == "rejected":
        reject_run(actor=actor_of(cast.officer), run=run_of(case))
    else:
        run = approve(cast, run_of(case))
        cancel_run(actor=actor_of(cast.officer), run=run)
        carried_out(run)
    assert not Job.objects.filter(kind="dsar.erase").exists()
    assert Study.objects.get(pk=old.pk).instance_count == 2
    assert Grant.objects.get().revoked_at is None
    shown = erasure_of(case)
    assert shown is not None
    assert shown.state is ErasureState.NOT_DONE
    erased(cast, case)
    assert not Study.objects.filter(pk=old.pk).exists()


def test_a_room_that_fails_is_tried_again_and_the_others_are_not_repeated(
    cast: Cast, old: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, turns = asked(cast, old), []

    def broken(_: Erased) -> None:
        turns.append("requests")
        if len(turns) == 1:
            raise OSError("gone for lunch")

    grant = share(old, actor_of(cast.clinician, fresh=True), cast.people)
    monkeypatch.setitem(erasing._erasers, "requests", Eraser("requests", lambda _: [], broken))
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    carried_out(approve(cast, run_of(case)))
    job = Job.objects.get(kind="dsar.erase")
    assert run_job(job_id=job.pk) is RunOutcome.RETRY
    shown = erasure_of(case)
    assert shown is not None
    assert shown.state is ErasureState.RUNNING
    Job.objects.update(not_before=timezone.now())
    assert run_job(job_id=job.pk) is RunOutcome.DONE
    assert len(turns) == 2
    told = Notification.objects.filter(template="share-erased", target_id=str(grant.pk))
    assert told.values("user").distinct().count() == told.count()


def test_a_nightly_plan_neither_replaces_it_nor_runs_beside_it(cast: Cast, old: Study) -> None:
    other = take_in_old(cast, "other", PatientID="P-2")
    case = asked(cast, old)
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    nightly = plan_disposal(organisation=hospital(cast))
    assert nightly is not None
    assert set(nightly.items.filter(kept_for="").values_list("study_uid", flat=True)) == {other.uid}
    assert run_of(case).state == RunState.PLANNED
    first = approve(cast, nightly)
    with pytest.raises(RetentionRefused, match="under way"):
        approve(cast, run_of(case))
    carried_out(first)
    carried_out(approve_run(actor=actor_of(cast.administrator, fresh=True), run=run_of(case)))
    assert Study.objects.count() == 0


# Pages --------------------------------------------------------------------------------------------
def test_from_the_case_to_the_answer_in_pages(
    cast: Cast, old: Study, young: Study, client_of: Browsers
) -> None:
    case = asked(cast, old, young)
    officer = client_of(cast.officer)
    assert b"/erasure/" in officer.get(f"/requests/{case.number}/").content
    page = officer.get(f"/requests/{case.number}/erasure/")
    assert b"Plan the erasure" in page.content
    assert officer.post(f"/requests/{case.number}/erasure/").status_code == 302
    planned = text_of(officer.get(f"/requests/{case.number}/erasure/"))
    assert "the law asks to keep it" in planned
    run = run_of(case)
    for who in (cast.officer, cast.administrator):
        seen = text_of(client_of(who).get(f"/retention/runs/{run.number}/approve/"))
        assert "Stays: Requests and their answers, 1" in seen
    approve(cast, run)
    carried_out(run)
    for job in Job.objects.filter(kind="dsar.erase"):
        run_job(job_id=job.pk)
    answer = officer.get(f"/requests/{case.number}/answer/")
    assert b"This was erased, and cannot be brought back:" in answer.content
    answer_case(actor=actor_of(cast.officer), case=case, text="As told.", outcome=Outcome.PARTLY)
    told = text_of(Client().get(f"/requests/read/{read_token(case)}/"))
    assert "What was erased, and what stays" in told
    assert "Certificate of destruction" in told


def test_the_page_is_for_officers_and_for_erasure_alone(
    cast: Cast, old: Study, client_of: Browsers
) -> None:
    case, copy = asked(cast, old), by_form(kind=Kind.COPY)
    where = f"/requests/{case.number}/erasure/"
    assert client_of(cast.officer).get(f"/requests/{copy.number}/erasure/").status_code == 404
    assert client_of(cast["officer@imaging.example"]).get(where).status_code == 404
    assert client_of(cast.clinician).post(where).status_code == 403
    assert not Erasure.objects.exists()
