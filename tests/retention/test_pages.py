"""The pages of retention, for those who may and for those who may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from retention.models import ClockMark, Hold
from retention.rules.disposal import RunState
from retention.rules.holds import Scope
from retention.selectors import forecast
from retention.services.holds import ask_to_lift
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, held, planned, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browse = Callable[[User], Client]


def hold_of(form: dict[str, str], browser: Client) -> int:
    given = {
        "matter": "Adler against the hospital", "reason": "A claim was announced.",
        "review_on": (timezone.now().date() + timedelta(days=30)).isoformat(), **form,
    }  # fmt: skip
    return browser.post("/retention/holds/new/", given).status_code


# How long -----------------------------------------------------------------------------------------
def test_the_page_of_a_study_says_until_when_and_why(cast: Cast, client_of: Browse) -> None:
    study = take_in_old(cast, PatientBirthDate="20090314")
    page = client_of(cast.clinician).get(f"/studies/{study.uid}/").content.decode()
    assert "Kept until 2030-03-14: born 2009, a minor at the examination" in page
    assert f"/retention/studies/{study.uid}/" in page


def test_a_recipient_is_not_told_how_long_the_holder_keeps_it(
    cast: Cast, client_of: Browse
) -> None:
    study = take_in_old(cast)
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    browser = client_of(cast.stranger)
    page = browser.get(f"/studies/{study.uid}/")
    assert page.status_code == 200
    assert "Kept until" not in page.content.decode()
    assert browser.get(f"/retention/studies/{study.uid}/").status_code == 404


def test_every_reason_and_the_floor_of_law_are_shown(cast: Cast, client_of: Browse) -> None:
    study = take_in_old(cast)
    page = client_of(cast.officer).get(f"/retention/studies/{study.uid}/").content.decode()
    assert "10 NYCRR 405.10(a)(4)" in page
    assert "42 CFR 482.26(d)(2)" in page
    assert "Law alone asks for it until" in page
    assert "Place a hold" in page


def test_a_milestone_is_noted_by_those_who_know(cast: Cast, client_of: Browse) -> None:
    study = take_in_old(cast)
    path = f"/retention/studies/{study.uid}/noted/"
    form = {"milestone": "diagnosis-complete", "happened_on": "2010-02-01"}
    assert client_of(cast.stranger).post(path, form).status_code == 404
    assert client_of(cast.auditor).post(path, form).status_code == 403
    clinician = client_of(cast.clinician)
    assert clinician.post(path, {**form, "happened_on": "2099-01-01"}).status_code == 422
    assert clinician.post(path, form).status_code == 302
    assert "noted by Dr Clara Reyes" in clinician.get(path[: -len("noted/")]).content.decode()


def test_a_picture_of_some_studies_says_so(
    cast: Cast, client_of: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        take_in_old(cast, name)
    page = f"/retention/runs/{planned(cast).number}/"
    assert "for this picture" not in client_of(cast.officer).get(page).content.decode()
    monkeypatch.setattr(forecast, "MOST_LOOKED_AT", 2)
    assert planned(cast).forecast["2017"] in {2, 4}
    for address in (page, "/retention/"):
        shown = client_of(cast.officer).get(address).content.decode()
        assert "one of 2 was looked at for this picture" in shown


def test_the_schedule_shows_policy_law_and_the_catalogue(cast: Cast, client_of: Browse) -> None:
    page = client_of(cast.auditor).get("/retention/schedule/").content.decode()
    assert "7 years from the examination" in page
    assert "a minor at the examination: until the age of 21" in page
    assert "StrlSchG § 85(2) no. 2 b" in page


# Holds --------------------------------------------------------------------------------------------
def test_an_officer_places_a_hold_on_the_page(cast: Cast, client_of: Browse) -> None:
    study = take_in_old(cast)
    officer = client_of(cast.officer)
    form = {"scope": "subject", "study": study.uid, "custodian": str(cast.officer.pk)}
    assert hold_of({**form, "scope": ""}, officer) == 422
    assert hold_of({**form, "study": ""}, officer) == 422
    assert hold_of({**form, "study": "1.2.3"}, officer) == 422
    assert hold_of({**form, "custodian": str(cast.stranger.pk)}, officer) == 422
    assert hold_of({**form, "scope": "search", "modalities": "<b>"}, officer) == 422
    assert hold_of({**form, "scope": "search", "study": ""}, officer) == 422
    assert not Hold.objects.exists()
    assert hold_of(form, officer) == 302
    assert Hold.objects.get().subject_id == study.subject_id
    page = officer.get("/retention/holds/1/").content.decode()
    assert "Adler against the hospital" in page
    assert study.uid in page
    assert Event.objects.filter(action="hold.viewed").count() == 1


def test_a_hold_of_another_organisation_is_not_there(cast: Cast, client_of: Browse) -> None:
    held(cast, Scope.ORGANISATION)
    other = client_of(cast["officer@imaging.example"])
    assert other.get("/retention/holds/1/").status_code == 404
    assert other.post("/retention/holds/1/ask/", {"reason": "x"}).status_code == 404
    assert "H-1" not in other.get("/retention/holds/").content.decode()


def test_lifting_goes_over_two_pages_of_two_people(cast: Cast, client_of: Browse) -> None:
    hold = held(cast, Scope.ORGANISATION)
    officer, admin = client_of(cast.officer), client_of(cast.administrator)
    assert admin.post("/retention/holds/1/ask/", {"reason": "x"}).status_code == 409
    assert officer.post("/retention/holds/1/ask/", {"reason": ""}).status_code == 422
    assert officer.post("/retention/holds/1/ask/", {"reason": "It is over."}).status_code == 302
    assert officer.post("/retention/holds/1/lift/").status_code == 409
    page = admin.get("/retention/holds/1/").content.decode()
    assert "It is over." in page
    assert "Agree to lift it" in page
    assert admin.post("/retention/holds/1/lift/").status_code == 302
    hold.refresh_from_db()
    assert hold.lifted_by == cast.administrator
    assert officer.get("/retention/holds/1/nonsense/").status_code == 404


def test_an_old_proof_leads_to_proving_again_before_lifting(cast: Cast, client_of: Browse) -> None:
    hold = held(cast, Scope.ORGANISATION)
    ask_to_lift(actor=actor_of(cast.officer), hold=hold, reason="It is over.")
    admin = client_of(cast.administrator)
    session = admin.session
    session["stepped_up_at"] = (timezone.now() - timedelta(hours=1)).isoformat()
    session.save()
    answer = admin.post("/retention/holds/1/lift/")
    hold.refresh_from_db()
    assert hold.lifted_at is None
    assert answer["Location"].startswith("/sign-in/again/")


# Disposal -----------------------------------------------------------------------------------------
def test_the_way_from_the_plan_to_the_certificate(cast: Cast, client_of: Browse) -> None:
    study = take_in_old(cast)
    take_in(actor_of(cast.clinician), small_ct_object())
    officer, admin = client_of(cast.officer), client_of(cast.administrator)
    assert "Nothing has been planned yet" in officer.get("/retention/").content.decode()
    run = planned(cast)
    page = officer.get("/retention/runs/1/").content.decode()
    assert study.uid in page
    assert "privacy policy" in page
    assert "Adler" not in page
    assert officer.post("/retention/runs/1/approve/").status_code == 302
    page = officer.get("/retention/runs/1/").content.decode()
    assert "You have approved it. Somebody else has to as well." in page
    assert officer.post("/retention/runs/1/approve/").status_code == 409
    assert admin.post("/retention/runs/1/approve/").status_code == 302
    run.refresh_from_db()
    assert run.state == RunState.APPROVED
    carried_out(run)
    page = officer.get("/retention/runs/1/").content.decode()
    assert "Gone, and verified" in page
    assert "certificate 1" in page
    page = client_of(cast.auditor).get("/retention/certificates/1/").content.decode()
    assert "the signature is good" in page
    assert "Owen Hart" in page
    note = officer.get("/retention/certificates/1/note/")
    assert note.content.decode().startswith("Collimate certificate of destruction")
    assert note["Content-Disposition"] == 'attachment; filename="certificate-1.txt"'


def test_a_run_of_another_organisation_is_not_there(cast: Cast, client_of: Browse) -> None:
    take_in_old(cast)
    carried_out(approved(cast))
    other = client_of(cast["officer@imaging.example"])
    for path in ("runs/1/", "runs/1/approve/", "certificates/1/", "certificates/1/note/"):
        assert other.get(f"/retention/{path}").status_code == 404


def test_those_who_decide_see_the_progress_and_others_do_not(cast: Cast, client_of: Browse) -> None:
    take_in_old(cast)
    run = approved(cast)
    path = f"/jobs/{run.job_id}/"
    for who in (cast.officer, cast.administrator, cast.auditor):
        assert client_of(who).get(path).status_code == 200
    for who in (cast.clinician, cast["officer@imaging.example"], cast.patient):
        assert client_of(who).get(path).status_code == 404


def test_a_jumped_clock_is_shown_and_confirmed(cast: Cast, client_of: Browse) -> None:
    ClockMark.objects.create(seen_at=timezone.now() - timedelta(days=60))
    officer = client_of(cast.officer)
    assert "The clock has to be looked at" in officer.get("/retention/").content.decode()
    assert officer.get("/retention/clock/").status_code == 200
    assert officer.post("/retention/clock/").status_code == 302
    assert "The clock has to be looked at" not in officer.get("/retention/").content.decode()
