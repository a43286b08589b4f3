"""Requests in somebody's name: shown by a paper, told to the person, answered within it (C29)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from accounts.rules.marketing import EEA
from audit.models import Event
from consent.models import DataSubject
from dsar.models import Authority, Case, RequestDraft
from dsar.rules.agents import (
    AGE_OF_CONSENT,
    AuthorityState,
    Decides,
    Fault,
    Relation,
    Shown,
    deciding_age,
    refusal_to_accept,
    who_decides,
)
from dsar.rules.documents import DocumentKind
from dsar.rules.kinds import Kind
from dsar.rules.states import Denial, Outcome, Proof
from dsar.sealing import OpenCase, Person
from dsar.selectors import read_token
from dsar.selectors.agents import authority_of, person_token
from dsar.services.collecting import link_subjects, whose_of
from dsar.services.documents import add_document
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.intake import Acting
from dsar.services.packaging import open_package, prepare_package
from dsar.services.representing import (
    PERSON_LETTER,
    Decision,
    decide_authority,
    hear_the_person,
    tell_the_person,
)
from jobs.models import Job
from jobs.services import run_job
from tests.dsar.asking import FORM, WRITTEN, by_form, here, signed_in
from tests.dsar.papers import picture
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]
PERSON = Person("Paula Adler")
CHILD = Acting(Relation.GUARDIAN, Person("Tim Adler", age=9))
AGENT = Acting(Relation.AGENT, PERSON)
TODAY = date(2026, 11, 26)


def decided(officer: Actor, case: Case, **more: Any) -> Authority:
    """Take a paper in, and accept it."""
    paper = add_document(actor=officer, case=case, kind=DocumentKind.AUTHORITY, content=picture())
    return decide_authority(
        actor=officer, case=case, decision=Decision(document_id=paper.pk, **more)
    )


def of(case: Case) -> Authority:
    found = authority_of(case)
    assert found is not None
    return found


def grant(officer: Actor, case: Case) -> Case:
    return answer_case(actor=officer, case=case, text="MARKER-ANSWER", outcome=Outcome.GRANTED)


def letters(django_mail: list[Any]) -> list[Any]:
    for job in Job.objects.filter(kind=PERSON_LETTER, state="waiting"):
        run_job(job_id=job.pk)
    return django_mail


# Who decides -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("places", "age"),
    [
        ("BE EE FI LV MT PT SE GB NO IS", 13),
        ("AT BG CY ES IT LT", 14),
        ("CZ DK FR GR SI", 15),
        ("DE HR HU IE LU NL PL RO SK LI", 16),
        ("US", 13),
    ],
)
def test_the_age_from_which_a_young_person_has_a_say_is_that_of_their_country(
    places: str, age: int
) -> None:
    """GDPR Art. 8(1), COPPA: the statutory rules of category children."""
    for place in places.split():
        assert deciding_age(place, 13) == age
    assert deciding_age(places.split(maxsplit=1)[0], 17) == 17


def test_every_country_of_the_eea_has_an_age() -> None:
    assert set(AGE_OF_CONSENT) >= set(EEA)
    assert deciding_age("US-CA", 13) == 13 and deciding_age("", 16) == 16


@pytest.mark.parametrize(
    ("age", "decides"),
    [(0, Decides.GUARDIAN), (15, Decides.GUARDIAN), (16, Decides.BOTH), (17, Decides.BOTH),
     (18, Decides.PERSON), (40, Decides.PERSON)],
)  # fmt: skip
def test_below_that_age_a_guardian_decides_above_it_both_and_of_age_the_person(
    age: int, decides: Decides
) -> None:
    assert who_decides(age, 16) is decides


SHOWN = Shown(Relation.GUARDIAN, has_paper=True, confirmed=False, today=TODAY,
              decides=Decides.GUARDIAN)  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (SHOWN, ""),
        (replace(SHOWN, has_paper=False), "No paper"),
        (replace(SHOWN, decides=Decides.BOTH), "wait until they have confirmed"),
        (replace(SHOWN, decides=Decides.BOTH, confirmed=True), ""),
        (replace(SHOWN, decides=Decides.PERSON, confirmed=True), "of age"),
        (replace(SHOWN, valid_until=TODAY), ""),
        (replace(SHOWN, valid_until=TODAY - timedelta(days=1)), "has passed"),
        (replace(SHOWN, relation=Relation.AGENT, decides=Decides.PERSON), ""),
        (replace(SHOWN, relation=Relation.ATTORNEY, has_paper=False), "No paper"),
    ],
)
def test_what_shows_that_somebody_may_ask_for_the_person(shown: Shown, why: str) -> None:
    refusal = refusal_to_accept(shown)
    assert why in refusal and bool(why) == bool(refusal)


# Taking in ---------------------------------------------------------------------------------------
def test_the_form_takes_in_whom_somebody_asks_for(cast: Cast, client: Client) -> None:
    wrong = client.post(FORM, {**WRITTEN, "relation": "guardian", "person_name": "Tim Adler"})
    assert wrong.status_code == 422 and "age of the child" in text_of(wrong)
    wrong = client.post(FORM, {**WRITTEN, "relation": "agent"})
    assert wrong.status_code == 422 and "name of the person you ask for" in text_of(wrong)
    name = "<b>Tim</b>\u202e Adler"
    client.post(FORM, {**WRITTEN, "relation": "guardian", "person_name": name, "person_age": "9"})
    assert b"Tim" not in bytes(RequestDraft.objects.get().sealed_record)
    case = by_form(acting=CHILD)
    assert OpenCase(case).person_of(of(case)) == CHILD.person
    assert b"Tim" not in bytes(of(case).sealed_person)


def test_an_officer_writes_down_whom_somebody_asks_for(cast: Cast, client_of: Browsers) -> None:
    today = here(cast)
    client_of(cast.officer).post("/requests/record/", {
        "door": "post", "received_on": today.isoformat(), "kind": "copy", "name": "Law & Co",
        "text": "For our client.", "relation": "attorney", "person_name": "Paula Adler",
    })  # fmt: skip
    case = Case.objects.get()
    assert of(case).relation == Relation.ATTORNEY
    said = text_of(client_of(cast.officer).get(f"/requests/{case.number}/"))
    assert "Paula Adler" in said and "not shown yet" in said


def test_an_account_that_asks_for_somebody_else_proves_nothing_of_them(cast: Cast) -> None:
    case = signed_in(actor_of(cast.patient), acting=AGENT)
    assert case.identified_at is None and case.proof == ""
    assert whose_of(case).user_id is None


# Shown, or not -----------------------------------------------------------------------------------
def test_nothing_is_done_for_somebody_who_shows_nothing(officer: Actor) -> None:
    case = by_form(kind=Kind.SHINE_THE_LIGHT, acting=AGENT)
    with pytest.raises(CaseRefused, match="not shown that they may act"):
        grant(officer, case)
    with pytest.raises(CaseRefused, match="No paper"):
        decide_authority(actor=officer, case=case, decision=Decision())
    row = answer_case(
        actor=officer, case=case, text="Send a signed permission.", outcome=Outcome.DENIED,
        denial=Denial.AUTHORITY,
    )  # fmt: skip
    assert row.outcome == Outcome.DENIED


def test_a_forged_paper_is_refused_and_recorded_and_a_better_one_can_follow(
    officer: Actor,
) -> None:
    case = by_form(kind=Kind.ACCESS, acting=AGENT)
    decide_authority(actor=officer, case=case, decision=Decision(fault=Fault.FORGED))
    event = Event.objects.get(action="request.authority_refused")
    assert event.details["fault"] == "forged"
    with pytest.raises(CaseRefused, match="not shown that they may act"):
        grant(officer, case)
    assert decided(officer, case).state == AuthorityState.ACCEPTED


def test_a_paper_of_another_request_shows_nothing(officer: Actor) -> None:
    other = by_form(kind=Kind.ACCESS, acting=AGENT, email="other@post.example")
    paper = add_document(actor=officer, case=other, kind=DocumentKind.AUTHORITY, content=picture())
    case = by_form(kind=Kind.ACCESS, acting=AGENT)
    identity = add_document(actor=officer, case=case, kind=DocumentKind.IDENTITY, content=picture())
    for document in (paper, identity):
        with pytest.raises(CaseRefused, match="No paper"):
            decide_authority(actor=officer, case=case, decision=Decision(document_id=document.pk))


def test_the_person_is_told_directly_before_anything_goes_out(
    officer: Actor, mailoutbox: list[Any]
) -> None:
    case = by_form(kind=Kind.ACCESS, acting=AGENT)
    decided(officer, case, answer_to_agent=True)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    with pytest.raises(CaseRefused, match="Tell the person first"):
        grant(officer, case)
    tell_the_person(actor=officer, case=case, email="paula@record.example")
    (letter,) = letters(mailoutbox)
    assert letter.to == ["paula@record.example"]
    assert "Adler" not in letter.body and "/requests/person/" in letter.body
    assert grant(officer, case).outcome == Outcome.GRANTED


def test_a_person_who_says_no_ends_it(officer: Actor, client: Client) -> None:
    case = by_form(kind=Kind.ACCESS, acting=AGENT)
    decided(officer, case)
    tell_the_person(actor=officer, case=case, email="paula@record.example")
    page = f"/requests/person/{person_token(of(case))}/"
    said = text_of(client.get(page))
    assert "Greta Marker" in said and "Is that so?" in said
    client.post(page, {"agrees": "no"})
    assert of(case).fault == Fault.DENIED
    assert "Nothing is done for them" in text_of(client.get(page))
    with pytest.raises(CaseRefused, match="nobody asks for them"):
        decided(officer, case)
    with pytest.raises(CaseRefused):
        hear_the_person(authority=of(case), agrees=True)


def test_a_young_person_above_the_age_has_a_say(officer: Actor) -> None:
    """France: 15. The hospital's own policy may be stricter, never weaker."""
    young = Acting(Relation.GUARDIAN, Person("Tim Adler", age=17))
    case = by_form(kind=Kind.ACCESS, acting=young, residence="FR")
    with pytest.raises(CaseRefused, match="young person decides as well"):
        decided(officer, case)
    hear_the_person(authority=of(case), agrees=True)
    assert decided(officer, case).state == AuthorityState.ACCEPTED
    grown = Acting(Relation.GUARDIAN, Person("Tim Adler", age=18))
    with pytest.raises(CaseRefused, match="of age"):
        decided(officer, by_form(kind=Kind.ACCESS, acting=grown, email="b@post.example"))


def test_an_authority_that_has_ended_hands_nothing_out(officer: Actor) -> None:
    case = by_form(kind=Kind.SHINE_THE_LIGHT, acting=AGENT)
    today = timezone.now().date()
    with pytest.raises(CaseRefused, match="has passed"):
        decided(officer, case, valid_until=today - timedelta(days=3))
    decided(officer, case, valid_until=today + timedelta(days=3))
    Authority.objects.update(valid_until=today - timedelta(days=3))
    with pytest.raises(CaseRefused, match="has ended since"):
        grant(officer, case)


# Within the authority ----------------------------------------------------------------------------
@pytest.fixture
def adler(cast: Cast) -> DataSubject:
    take_in(actor_of(cast.clinician), small_ct_object())
    return DataSubject.objects.get(organisation__slug="hospital")


def copied(officer: Actor, adler: DataSubject, **more: Any) -> tuple[Case, str]:
    case = by_form(kind=Kind.COPY, acting=AGENT)
    link_subjects(actor=officer, case=case, subject_ids=[adler.pk])
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    decided(officer, case, **more)
    tell_the_person(actor=officer, case=case, email="paula@record.example")
    package, code = prepare_package(actor=officer, case=case)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    grant(officer, case)
    case.refresh_from_db()
    return case, code


def test_the_answer_goes_to_the_person_alone_where_the_paper_says_no_more(
    officer: Actor, adler: DataSubject, client: Client, mailoutbox: list[Any]
) -> None:
    case, code = copied(officer, adler)
    agents = text_of(client.get(f"/requests/read/{read_token(case)}/"))
    assert "MARKER-ANSWER" not in agents and "Fetch your copy" not in agents
    assert "the answer goes to the person" in agents
    with pytest.raises(NotYours):
        open_package(case=case, actor=None, code=code)
    page = f"/requests/person/{person_token(of(case))}/"
    assert "MARKER-ANSWER" in text_of(client.get(page))
    answer = client.post(f"{page}copy/", {"code": code})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    assert any("goes to you alone" in one.body.replace("\n", " ") for one in letters(mailoutbox))


def test_the_answer_goes_to_whoever_asks_where_the_paper_says_so(
    officer: Actor, adler: DataSubject, client: Client
) -> None:
    case, code = copied(officer, adler, answer_to_agent=True)
    assert "MARKER-ANSWER" in text_of(client.get(f"/requests/read/{read_token(case)}/"))
    page = f"/requests/person/{person_token(of(case))}/"
    assert "MARKER-ANSWER" not in text_of(client.get(page))
    assert client.get(f"{page}copy/").status_code == 410
    _, blob = open_package(case=case, actor=None, code=code)
    blob.close()


def test_an_officer_decides_on_the_page(cast: Cast, officer: Actor, client_of: Browsers) -> None:
    case, browser = by_form(kind=Kind.ACCESS, acting=CHILD), client_of(cast.officer)
    page = f"/requests/{case.number}/authority/"
    assert "a parent or guardian decides" in text_of(browser.get(page))
    assert browser.post(page, {"answer_to": "agent"}).status_code == 409
    paper = add_document(actor=officer, case=case, kind=DocumentKind.AUTHORITY, content=picture())
    given = {"answer_to": "agent", "document": str(paper.pk)}
    assert browser.post(page, given).status_code == 302
    assert of(case).answer_to_agent
    for path in ("authority", "tell-person"):
        other = by_form(kind=Kind.ACCESS, email=f"{path}@post.example")
        answer = browser.get(f"/requests/{other.number}/{path}/")
        assert answer.status_code == 409
        assert "Nobody asks for somebody else" in text_of(answer)


def test_an_officer_sees_that_a_record_is_of_a_child(
    cast: Cast, officer: Actor, client_of: Browsers
) -> None:
    """Somebody asks alone; the record says that a guardian has a say."""
    year = timezone.now().year
    take_in(
        actor_of(cast.clinician),
        small_ct_object(study="young", PatientID="P-9", PatientBirthDate=f"{year - 9}0101"),
        small_ct_object(study="grown", PatientID="P-8", PatientBirthDate="19720314"),
    )
    case = by_form(kind=Kind.ACCESS)
    ids = DataSubject.objects.filter(organisation__slug="hospital").values_list("pk", flat=True)
    link_subjects(actor=officer, case=case, subject_ids=ids)
    said = text_of(client_of(cast.officer).get(f"/requests/{case.number}/held/"))
    assert said.count("years old") == 1
    assert "9 years old: a parent or guardian decides" in said
