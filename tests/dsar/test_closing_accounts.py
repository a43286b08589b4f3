"""Closing an account for somebody who asked: not before it is known who they are (C28)."""

from __future__ import annotations

import pytest

from audit.models import Event
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.rules.closing import refusal_to_answer, refusal_to_close
from dsar.rules.kinds import Kind
from dsar.rules.states import Door, Outcome, Proof
from dsar.selectors import case_of_token, read_token
from dsar.services.closing_accounts import close_for_case
from dsar.services.collecting import collect, link_subjects, whose_of
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.packaging import prepare_package
from jobs.services import run_job
from retention.models import ArchivedStudy
from studies.models import Study
from tests.dsar.asking import by_form, post, signed_in, written_down
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in, text_of
from tests.retention.archives import Committed, archived, of_patient, young

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
ADDRESS = "patient@home.example"


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


@pytest.fixture
def mine(cast: Cast) -> Study:
    return of_patient(cast, young(cast))


def mailed(cast: Cast, email: str = ADDRESS) -> Case:
    return written_down(
        actor_of(cast.officer), kind=Kind.ACCOUNT_CLOSURE, door=Door.EMAIL, email=email
    )


def test_each_thing_that_is_missing_leaves_the_account_as_it_is() -> None:
    known = {"is_open": True, "is_identified": True}
    assert refusal_to_close(Kind.ACCOUNT_CLOSURE, **known) == ""
    assert refusal_to_close(Kind.COPY, **known)
    assert refusal_to_close(Kind.ACCOUNT_CLOSURE, is_open=False, is_identified=True)
    assert "stays as it is" in refusal_to_close(
        Kind.ACCOUNT_CLOSURE, is_open=True, is_identified=False
    )
    assert refusal_to_answer(Outcome.GRANTED, has_open_account=True)
    assert not refusal_to_answer(Outcome.DENIED, has_open_account=True)
    assert not refusal_to_answer(Outcome.GRANTED, has_open_account=False)


def test_an_email_makes_a_case_and_touches_nothing_before_it_is_known_who_wrote(
    cast: Cast, mine: Study
) -> None:
    """LIFEIMAGE-12.6, LIFEIMAGE-12.7."""
    case = mailed(cast)
    officer = signed_in_client(cast.officer)
    page = f"/requests/{case.number}/account/"
    shown = text_of(officer.get(page))
    assert "Until then the account stays as it is" in shown
    assert ADDRESS in shown
    assert officer.post(page).status_code == 409
    with pytest.raises(CaseRefused, match="stays as it is"):
        close_for_case(actor=actor_of(cast.officer, fresh=True), case=case)
    cast.patient.refresh_from_db()
    assert cast.patient.is_active
    assert not ArchivedStudy.objects.exists()
    assert signed_in_client(cast.clinician).get(f"/studies/{mine.uid}/").status_code == 200
    identify_person(actor=actor_of(cast.officer), case=case, proof=Proof.KNOWN)
    told = text_of(officer.get(page))
    assert "One study at" in told
    assert officer.post(page)["Location"] == f"/requests/{case.number}/"
    cast.patient.refresh_from_db()
    assert not cast.patient.is_active
    assert ArchivedStudy.objects.get().case_number == case.number
    assert signed_in_client(cast.clinician).get(f"/studies/{mine.uid}/").status_code == 404
    assert Event.objects.filter(action="request.account_closed").count() == 1
    assert "Account closed" in text_of(officer.get(f"/requests/{case.number}/"))


def test_it_takes_a_fresh_proof_of_the_officer(cast: Cast, mine: Study) -> None:
    case = mailed(cast)
    identify_person(actor=actor_of(cast.officer), case=case, proof=Proof.KNOWN)
    with pytest.raises(CaseRefused, match="Prove again"):
        close_for_case(actor=actor_of(cast.officer), case=case)
    for email in ("clinician@hospital.example", "officer@imaging.example"):
        with pytest.raises(NotYours):
            close_for_case(actor=actor_of(cast[email], fresh=True), case=case)
    cast.patient.refresh_from_db()
    assert cast.patient.is_active


def test_nothing_is_called_closed_that_is_open(cast: Cast, mine: Study) -> None:
    case, officer = mailed(cast), actor_of(cast.officer, fresh=True)
    identify_person(actor=officer, case=case, proof=Proof.KNOWN)
    with pytest.raises(CaseRefused, match="still open"):
        answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    close_for_case(actor=officer, case=case)
    answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    assert any("answer" in letter for letter in post())


def test_who_asked_while_signed_in_reads_the_answer_by_a_link(cast: Cast, mine: Study) -> None:
    case = signed_in(actor_of(cast.patient), kind=Kind.ACCOUNT_CLOSURE, email=ADDRESS)
    close_for_case(actor=actor_of(cast.officer, fresh=True), case=case)
    case.refresh_from_db()
    assert case.person_id is None
    assert case_of_token(read_token(case)) == case
    answer_case(
        actor=actor_of(cast.officer), case=case, text="It is closed.", outcome=Outcome.GRANTED
    )
    assert len(post()) == 1


def test_an_account_of_another_address_is_looked_for(cast: Cast, mine: Study) -> None:
    case = mailed(cast, "other@home.example")
    identify_person(actor=actor_of(cast.officer), case=case, proof=Proof.KNOWN)
    officer = signed_in_client(cast.officer)
    page = f"/requests/{case.number}/account/"
    assert "No open account is found" in text_of(officer.get(page))
    assert officer.post(page).status_code == 409
    # Of another organisation: as if there were none.
    foreign = officer.get(page, {"email": "clinician@imaging.example"})
    assert "No open account is found" in text_of(foreign)
    assert ADDRESS in text_of(officer.get(page, {"email": ADDRESS}))
    assert officer.post(page, {"email": ADDRESS}).status_code == 302
    cast.patient.refresh_from_db()
    assert not cast.patient.is_active


def test_only_a_request_for_it_has_the_page(cast: Cast) -> None:
    case = by_form(kind=Kind.COPY)
    officer = signed_in_client(cast.officer)
    assert officer.get(f"/requests/{case.number}/account/").status_code == 404


# What lies in the archive, in other requests ------------------------------------------------------
def test_a_copy_tells_of_the_archive_and_opens_nothing_of_it(
    cast: Cast, committed: Committed
) -> None:
    study = archived(cast, young(cast), committed)
    take_in(actor_of(cast.clinician), small_ct_object(study="new", PatientID="HVH-young"))
    officer = actor_of(cast.officer, fresh=True)
    case = by_form(kind=Kind.COPY)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    link_subjects(actor=officer, case=case, subject_ids=[study.subject_id])
    collection = collect(whose_of(case))
    assert collection.is_complete
    told = {line.what: line for part in collection.parts for line in part.holdings or []}
    assert told["Studies in the legal archive"].number == 1
    assert "signed authorization" in told["Studies in the legal archive"].withheld
    package, _ = prepare_package(actor=officer, case=case)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    package.refresh_from_db()
    assert package.state == "ready"
    page = signed_in_client(cast.officer).get(f"/requests/{case.number}/held/")
    assert "Studies in the legal archive" in text_of(page)


def test_a_correction_reaches_what_is_not_archived(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    case = by_form(kind=Kind.CORRECTION)
    officer = actor_of(cast.officer, fresh=True)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    link_subjects(actor=officer, case=case, subject_ids=[study.subject_id])
    page = signed_in_client(cast.officer).get(f"/requests/{case.number}/answer/")
    assert page.status_code == 200


def test_the_account_of_the_other_parent_keeps_the_images(cast: Cast, mine: Study) -> None:
    link_account(user=cast.owner, subject=mine.subject)
    case = mailed(cast)
    identify_person(actor=actor_of(cast.officer), case=case, proof=Proof.KNOWN)
    closed = close_for_case(actor=actor_of(cast.officer, fresh=True), case=case)
    assert (closed.is_whole, closed.archived) == (True, 0)
