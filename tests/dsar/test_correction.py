"""Corrections as requests: granted with old and new values, or refused with a right to disagree."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification, User
from accounts.rules import Actor
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.states import (
    AMENDMENT_DENIALS,
    Denial,
    Outcome,
    Proof,
    Standing,
    State,
    denials_for,
    refusal_to_answer,
)
from dsar.selectors import read_token
from dsar.services import handling, identifying
from dsar.services.collecting import link_subjects
from dsar.services.correcting import disagree, grant_correction, rebut
from dsar.services.entries import CaseRefused
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.holdings import Whose
from policies.rules.purposes import Purpose
from studies.holdings import _files, _holdings
from studies.models import Correction, Statement, Study
from tests.consent.test_directives import shared
from tests.dsar.asking import signed_in, written_down
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Browsers = Callable[[User], Client]


@pytest.fixture
def subject(cast: Cast) -> DataSubject:
    take_in(actor_of(cast.clinician), small_ct_object())
    subject = DataSubject.objects.get()
    link_account(user=cast.patient, subject=subject)
    return subject


def written(officer: Actor, subject: DataSubject) -> Case:
    case = written_down(officer, kind=Kind.CORRECTION)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    identifying.identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    return case


def denied(cast: Cast, subject: DataSubject) -> Case:
    case = signed_in(actor_of(cast.patient), kind=Kind.CORRECTION)
    handling.answer_case(
        actor=actor_of(cast.officer), case=case, text="It is right as it stands.",
        outcome=Outcome.DENIED, denial=Denial.ACCURATE,
    )  # fmt: skip
    return case


def answer(cast: Cast, client_of: Browsers, case: Case, **more: object) -> int:
    given = {"outcome": "granted", "text": "We put it right.", **more}
    path = f"/requests/{case.number}/answer/"
    return client_of(cast.officer).post(path, given).status_code


def test_granting_corrects_in_the_same_act_and_the_letter_says_what(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    """AVMI-8.2."""
    case, browser = written(actor_of(cast.officer), subject), client_of(cast.officer)
    page = text_of(browser.get(f"/requests/{case.number}/answer/"))
    assert "Now: Adler^Paula." in page
    assert "Species" not in page, "of a person nobody asks for the breed"
    status = answer(
        cast, client_of, case, **{"00100010": "Adler^Pauline", "00100030": "1972-03-15"}
    )
    assert status == 302
    letter = text_of(browser.get(f"/requests/{case.number}/letter/"))
    assert "Patient&#x27;s name: Adler, Paula → Adler, Pauline" in letter
    assert "Birth date: 1972-03-14 → 1972-03-15" in letter
    found = text_of(client_of(cast.clinician).get(f"/studies/{Study.objects.get().uid}/"))
    assert "Adler, Pauline" in found and "Adler, Paula" not in found
    event = Event.objects.get(action="study.corrected")
    assert event.details["attributes"] == ["0010.0010", "0010.0030"]
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.ANSWERED, Outcome.GRANTED)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"00100030": "2099-01-01"}, "cannot lie in the future"),
        ({"00100010": "A^B^C^D^E^F"}, "At most five parts"),
        ({"00100010": "x" * 65}, "At most 64"),
        ({"00100010": "x" * 201}, "at most 200"),
        ({"00100040": "female"}, "F, M or O"),
        ({"00080050": "A\\B"}, "No backslash"),
        ({"studies": ["9.9.9"], "00081030": "X"}, "9.9.9 is not one of"),
        ({}, "at least one new value"),
        ({"00080018": "1.2.3"}, "at least one new value"),
        ({"00100010": "Adler^Paula"}, "says that already"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_half_done(
    cast: Cast, subject: DataSubject, client_of: Browsers, wrong: dict[str, object], says: str
) -> None:
    case = written(actor_of(cast.officer), subject)
    given = {"outcome": "granted", "text": "Done.", **wrong}
    refused = client_of(cast.officer).post(f"/requests/{case.number}/answer/", given)
    assert refused.status_code in {409, 422}
    assert says in text_of(refused)
    case.refresh_from_db()
    assert case.state == State.OPEN
    assert not Correction.objects.exists()
    assert not case.entries.filter(act__in=["answer", "corrected"]).exists()


def test_markup_in_a_name_stays_text(cast: Cast, subject: DataSubject, client_of: Browsers) -> None:
    case = written(actor_of(cast.officer), subject)
    answer(cast, client_of, case, **{"00100010": "<script>x</script>^<b>"})
    for who, path in ((cast.clinician, "/"), (cast.officer, f"/requests/{case.number}/letter/"),
                      (cast.clinician, f"/studies/{Study.objects.get().uid}/")):  # fmt: skip
        page = client_of(who).get(path).content.decode()
        assert "<script>x" not in page
        assert "&lt;script&gt;x" in page


def test_no_way_grants_without_correcting(cast: Cast, subject: DataSubject) -> None:
    officer, case = actor_of(cast.officer), written(actor_of(cast.officer), subject)
    with pytest.raises(CaseRefused, match="what it says from now on"):
        handling.answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    grant_correction(
        actor=officer, case=case, text="Your telephone number.", outcome=Outcome.GRANTED, values={},
        elsewhere=True,
    )  # fmt: skip
    assert not Correction.objects.exists()


def test_one_person_at_a_time_and_known(cast: Cast, subject: DataSubject) -> None:
    officer, values = actor_of(cast.officer), {"00100010": "A^B"}
    facts = {"actor": officer, "text": "Done.", "outcome": Outcome.GRANTED, "values": values}
    take_in(actor_of(cast.clinician), small_ct_object(study="2", series="2", PatientID="HVH-2"))
    case = written(officer, subject)
    link_subjects(
        actor=officer, case=case,
        subject_ids=DataSubject.objects.exclude(pk=subject.pk).values_list("pk", flat=True),
    )  # fmt: skip
    with pytest.raises(CaseRefused, match="exactly one"):
        grant_correction(case=case, **facts)
    unknown = written_down(officer, kind=Kind.CORRECTION)
    with pytest.raises(CaseRefused, match="how it is known who asks"):
        grant_correction(case=unknown, **facts)
    with pytest.raises(CaseRefused):
        grant_correction(case=written(officer, subject), **{
            **facts, "actor": actor_of(cast["officer@imaging.example"])
        })  # fmt: skip
    assert not Correction.objects.exists()


# Refused -----------------------------------------------------------------------------------------
def test_reasons_of_the_law_are_for_corrections_alone() -> None:
    known = Standing(Kind.CORRECTION, State.OPEN, is_identified=True)
    copy = Standing(Kind.COPY, State.OPEN, is_identified=True)
    for denial, cites in AMENDMENT_DENIALS.items():
        assert "164.526(a)(2)" in cites
        assert not refusal_to_answer(Outcome.DENIED, denial, known)
        assert "refusing a correction" in refusal_to_answer(Outcome.DENIED, denial, copy)
        assert denial not in denials_for(Kind.COPY)


def test_a_refusal_cites_its_law_and_says_what_can_be_done(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    case = denied(cast, subject)
    letter = text_of(client_of(cast.officer).get(f"/requests/{case.number}/letter/"))
    assert "(45 cfr 164.526(a)(2)(iv); gdpr art. 16)" in letter.lower()
    assert "statement of disagreement" in letter
    page = text_of(client_of(cast.patient).get(f"/requests/mine/{case.number}/"))
    assert "Add this statement" in page


def test_a_statement_and_its_reply_go_wherever_the_study_goes(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    """45 CFR 164.526(d)(2), (3), (5)."""
    study = Study.objects.get()
    shared(cast, study)
    case = denied(cast, subject)
    patient, officer = client_of(cast.patient), client_of(cast.officer)
    said = {"text": "It was the <b>left</b> knee."}
    assert patient.post(f"/requests/mine/{case.number}/disagree/", said).status_code == 302
    assert Notification.objects.filter(template="request-disagreed").exists()
    assert Notification.objects.filter(template="study-disputed", user=cast.stranger).exists()
    path = f"/requests/{case.number}/rebut/"
    assert "statement" in text_of(officer.get(f"/requests/{case.number}/"))
    assert officer.post(path, {"text": "Two readers saw the right one."}).status_code == 302
    assert Notification.objects.filter(template="request-rebutted", user=cast.patient).exists()
    assert officer.post(path, {"text": "Once more."}).status_code == 409
    for who in (cast.clinician, cast.stranger):
        page = client_of(who).get(f"/studies/{study.uid}/").content.decode()
        assert "It was the &lt;b&gt;left&lt;/b&gt; knee." in page
        assert "Two readers" in page
        archive = client_of(who).get(f"/studies/{study.uid}/download/")
        body = b"".join(archive.streaming_content)
        assert len(body) == int(archive["Content-Length"])
        with zipfile.ZipFile(io.BytesIO(body)) as opened:
            text = opened.read("STATEMNT.TXT").decode()
        assert "left" in text and "Two readers" in text
    whose = Whose(study.organisation_id, frozenset({subject.pk}))
    assert f"images/{study.uid}/statements.txt" in {one.path for one in _files(whose)}
    assert "Statements of disagreement" in {one.what for one in _holdings(whose)}


def test_a_statement_is_sealed_and_in_no_event(cast: Cast, subject: DataSubject) -> None:
    case = denied(cast, subject)
    disagree(actor=actor_of(cast.patient), case=case, text="MARKER-STATEMENT")
    row = Statement.objects.get()
    assert b"MARKER" not in bytes(row.sealed_text)
    assert "MARKER" not in str(list(Event.objects.values("details", "reason")))


def test_a_statement_is_written_once_and_by_its_person(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    case, patient = denied(cast, subject), actor_of(cast.patient)
    path = f"/requests/mine/{case.number}/disagree/"
    assert client_of(cast.owner).post(path, {"text": "Not mine."}).status_code == 404
    with pytest.raises(CaseRefused):
        disagree(actor=actor_of(cast.owner), case=case, text="Not mine.")
    for text in ("", "x" * 4001):
        assert client_of(cast.patient).post(path, {"text": text}).status_code == 422
    assert not Statement.objects.exists()
    disagree(actor=patient, case=case, text="It is wrong.")
    with pytest.raises(CaseRefused, match="already"):
        disagree(actor=patient, case=case, text="Again.")
    assert "Add this statement" not in text_of(
        client_of(cast.patient).get(f"/requests/mine/{case.number}/")
    )


def test_there_is_nothing_to_disagree_with_before_a_refusal(
    cast: Cast, subject: DataSubject
) -> None:
    patient, officer = actor_of(cast.patient), actor_of(cast.officer)
    for kind in (Kind.CORRECTION, Kind.COPY):
        case = signed_in(patient, kind=kind)
        with pytest.raises(CaseRefused):
            disagree(actor=patient, case=case, text="It is wrong.")
    with pytest.raises(CaseRefused):
        rebut(actor=officer, case=denied(cast, subject), text="No statement yet.")


def test_a_statement_can_be_written_after_the_case_is_closed(
    cast: Cast, subject: DataSubject
) -> None:
    case = denied(cast, subject)
    handling.close_case(actor=actor_of(cast.officer), case=case)
    disagree(actor=actor_of(cast.patient), case=case, text="It is wrong.")
    rebut(actor=actor_of(cast.officer), case=case, text="It is right.")
    assert {one.kind for one in Statement.objects.all()} == {"disagreement", "rebuttal"}


def test_the_holder_of_a_letters_link_writes_one_if_it_is_known_who_they_are(
    cast: Cast, subject: DataSubject
) -> None:
    officer = actor_of(cast.officer)
    case = written(officer, subject)
    handling.answer_case(
        actor=officer, case=case, text="No.", outcome=Outcome.DENIED, denial=Denial.NOT_CREATED
    )
    path = f"/requests/read/{read_token(case)}/"
    assert "Add this statement" in text_of(Client().get(path))
    assert Client().post(f"{path}disagree/", {"text": "It is wrong."}).status_code == 302
    assert Statement.objects.count() == 1
    unknown = written_down(officer, kind=Kind.CORRECTION)
    handling.answer_case(
        actor=officer, case=unknown, text="No.", outcome=Outcome.DENIED, denial=Denial.IDENTITY
    )
    Client().post(f"/requests/read/{read_token(unknown)}/disagree/", {"text": "Mine!"})
    assert Statement.objects.count() == 1


def test_a_study_page_asks_as_much_for_two_statements_as_for_one(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    browser, counts, path = client_of(cast.clinician), [], f"/studies/{Study.objects.get().uid}/"
    cases = [denied(cast, subject), denied(cast, subject)]
    for case in cases:
        with using(Purpose.RIGHTS, Category.REQUESTS):
            disagree(actor=actor_of(cast.patient), case=case, text="It is wrong.")
        browser.get(path)
        with CaptureQueriesContext(connection) as asked:
            browser.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1]
