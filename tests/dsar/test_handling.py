"""What is done with a case: who may, what is told to whom, and what is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import Notification, Organisation
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.states import Denial, Outcome, Proof, State
from dsar.sealing import OpenCase
from dsar.selectors import (
    case_of_token,
    deadlines_of,
    lines_of,
    read_token,
)
from dsar.services import handling, identifying
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.reminders import remind_of_cases
from dsar.services.routing import hand_over_case
from tests.dsar.asking import EMAIL, TEXT, by_form, post, signed_in, written_down
from tests.factories import Cast
from vault.models import DataKey

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]


def told(template: str) -> list[str]:
    rows = Notification.objects.filter(template=template).select_related("user").order_by("pk")
    return sorted(row.user.email for row in rows)


def events(action: str) -> int:
    return Event.objects.filter(action=action).count()


def again(case: Case) -> Case:
    return Case.objects.select_related("organisation").get(pk=case.pk)


ANSWER: dict[str, Any] = {"text": "Here it is.", "outcome": Outcome.REPLIED}

# Each act of an officer: how it is called, and the event that it leaves.
ACTS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (handling.note_on_case, {"text": "Ask radiology."}, "request.noted"),
    (identifying.identify_person, {"proof": Proof.DOCUMENT}, "request.identified"),
    (handling.ask_for_detail, {"text": "Which knee?"}, "request.detail_asked"),
    (handling.answer_case, ANSWER, "request.answered"),
]


@pytest.mark.parametrize(("act", "given", "event"), ACTS, ids=[one[2] for one in ACTS])
def test_an_officer_acts_and_it_is_one_event(
    cast: Cast, actor: Acting, act: Callable[..., Any], given: dict[str, Any], event: str
) -> None:
    case = by_form(kind=Kind.QUESTION)
    act(actor=actor(cast.officer), case=case, **given)
    found = Event.objects.get(action=event)
    assert (found.actor_id, found.target_id) == (str(cast.officer.pk), str(case.pk))
    assert "knee" not in str(found.details) and "radiology" not in str(found.details)


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "patient"])
@pytest.mark.parametrize(("act", "given", "event"), ACTS, ids=[one[2] for one in ACTS])
def test_nobody_else_acts_on_a_case(
    cast: Cast, actor: Acting, act: Callable[..., Any], given: dict[str, Any], event: str, who: str
) -> None:
    case = by_form(kind=Kind.QUESTION)
    with pytest.raises(NotYours):
        act(actor=actor(getattr(cast, who)), case=case, **given)
    assert events(event) == 0


def test_an_officer_of_another_organisation_has_no_business_with_it(
    cast: Cast, actor: Acting
) -> None:
    with pytest.raises(NotYours):
        handling.note_on_case(
            actor=actor(cast["officer@imaging.example"]), case=by_form(), text="Let me see."
        )


@pytest.mark.parametrize(("act", "given", "event"), ACTS, ids=[one[2] for one in ACTS])
def test_nothing_is_done_with_a_closed_case(
    cast: Cast, actor: Acting, act: Callable[..., Any], given: dict[str, Any], event: str
) -> None:
    officer, case = actor(cast.officer), by_form(kind=Kind.QUESTION)
    handling.answer_case(actor=officer, case=case, **ANSWER)
    handling.close_case(actor=officer, case=case)
    before = events(event)
    with pytest.raises(CaseRefused, match="closed"):
        act(actor=officer, case=case, **given)
    assert events(event) == before


def test_from_question_to_closure_each_step_has_its_time(cast: Cast, actor: Acting) -> None:
    """XENRAD-3.13: item, acknowledgement, response and closure, assigned to somebody."""
    officer = actor(cast.officer)
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False) as clock:
        case = by_form(kind=Kind.SUPPORT)
        clock.shift(3600)
        handling.assign_case(actor=officer, case=case, officer=cast.officer)
        clock.shift(3600)
        handling.answer_case(actor=officer, case=case, **ANSWER)
        clock.shift(3600)
        handling.close_case(actor=officer, case=case)
    row = again(case)
    hours = [row.received_at, row.acknowledged_at, row.answered_at, row.closed_at]
    assert [one.hour for one in hours if one] == [9, 9, 11, 12]
    assert (row.state, row.officer) == (State.CLOSED, cast.officer)
    assert [entry.act for entry in row.entries.order_by("at", "pk")] == [
        "received", "assign", "answer", "close",
    ]  # fmt: skip


def test_an_acknowledgement_by_letter_is_noted_once(cast: Cast, actor: Acting) -> None:
    case = written_down(actor(cast.officer), email="")
    handling.acknowledge_case(actor=actor(cast.officer), case=case)
    assert again(case).acknowledged_at is not None
    with pytest.raises(CaseRefused, match="already"):
        handling.acknowledge_case(actor=actor(cast.officer), case=case)
    assert events("request.acknowledged") == 1


def test_a_case_is_assigned_to_officers_only_and_they_are_told(cast: Cast, actor: Acting) -> None:
    case = by_form()
    with pytest.raises(CaseRefused, match="privacy officer of your organisation"):
        handling.assign_case(actor=actor(cast.officer), case=case, officer=cast.clinician)
    handling.assign_case(actor=actor(cast.officer), case=case, officer=cast.officer)
    handling.assign_case(actor=actor(cast.officer), case=case, officer=cast.officer)
    assert events("request.assigned") == 1


def test_a_wrong_address_is_changed_and_its_links_are_dead(cast: Cast, actor: Acting) -> None:
    case = by_form()
    old = read_token(case)
    handling.readdress_case(actor=actor(cast.officer), case=case, email="Right@post.example")
    assert case_of_token(old) is None
    row = again(case)
    assert OpenCase(row).written == replace(OpenCase(case).written, email="right@post.example")
    handling.ask_for_detail(actor=actor(cast.officer), case=row, text="Which knee?")
    post()
    assert mail.outbox[-1].to == ["right@post.example"]
    handling.readdress_case(actor=actor(cast.officer), case=row, email="")
    assert again(case).email_token is None
    assert events("request.readdressed") == 2
    with pytest.raises(NotYours):
        handling.readdress_case(actor=actor(cast.auditor), case=row, email="a@post.example")


def test_who_asked_signed_in_is_not_written_to_elsewhere(cast: Cast, actor: Acting) -> None:
    case = signed_in(actor(cast.patient))
    with pytest.raises(CaseRefused, match="signed in"):
        handling.readdress_case(actor=actor(cast.officer), case=case, email="x@post.example")


# More detail --------------------------------------------------------------------------------------
def test_a_vague_request_waits_for_detail_and_goes_on_with_it(cast: Cast, actor: Acting) -> None:
    """MEDDIM-7.25."""
    officer, case = actor(cast.officer), by_form()
    handling.ask_for_detail(actor=officer, case=case, text="Which knee?")
    assert again(case).state == State.NEEDS_DETAIL
    assert any("something more is needed" in letter for letter in post())
    handling.give_detail(case=case, text="The left one.")
    assert again(case).state == State.OPEN
    assert [line.text for line in lines_of(OpenCase(again(case)), for_person=True)] == [
        "", "Which knee?", "The left one.",
    ]  # fmt: skip
    assert told("request-detail-given") == ["officer@hospital.example"]
    with pytest.raises(CaseRefused, match="Nothing is asked"):
        handling.give_detail(case=case, text="And the right one.")


def test_a_signed_in_person_replies_to_their_own_case_only(cast: Cast, actor: Acting) -> None:
    case = signed_in(actor(cast.patient))
    handling.ask_for_detail(actor=actor(cast.officer), case=case, text="Which knee?")
    assert told("request-detail-asked") == ["patient@home.example"]
    with pytest.raises(NotYours):
        handling.give_detail(actor=actor(cast.owner), case=case, text="Mine.")
    handling.give_detail(actor=actor(cast.patient), case=case, text="The left one.")


def test_waiting_stops_the_british_clock_and_no_other(cast: Cast, actor: Acting) -> None:
    """MEDDIM-7.23."""
    officer = actor(cast["admin@practice.example"])
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        british = by_form("practice", residence="GB", kind=Kind.ERASURE)
        french = by_form("practice", residence="FR", kind=Kind.ERASURE, email="f@post.example")
        Case.objects.update(answer_days=60)
        for case in (british, french):
            handling.ask_for_detail(actor=officer, case=case, text="Which?")
        clock.shift(timedelta(days=6))
        for case in (british, french):
            handling.give_detail(case=case, text="This one, of the dog.")
    by_rule = [
        {clock.rule: clock.due_on for clock in deadlines_of(again(case)).clocks}
        for case in (british, french)
    ]
    # 1 October and six days; a month without pause.
    assert by_rule[0]["uk.dsar.all"] == date(2026, 10, 7)
    assert by_rule[1]["gdpr.dsar.erasure"] == date(2026, 10, 1)


# Extension ----------------------------------------------------------------------------------------
def test_the_time_is_extended_once_with_reasons_and_the_person_is_told(
    cast: Cast, actor: Acting
) -> None:
    officer = actor(cast["admin@practice.example"])
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False):
        case = by_form("practice", residence="FR", kind=Kind.ERASURE)
        with pytest.raises(CaseRefused, match="Write it in words"):
            handling.extend_case(actor=officer, case=case, text=" \u200b ")
        assert again(case).extended_at is None
        handling.extend_case(actor=officer, case=case, text="There are 200 studies.")
        assert again(case).answer_on == date(2026, 12, 1)
        assert any("takes longer" in letter or "extended" in letter for letter in post())
        with pytest.raises(CaseRefused, match="no second time"):
            handling.extend_case(actor=officer, case=case, text="Still more.")
    assert events("request.extended") == 1


def test_after_the_first_time_it_is_too_late_to_extend(cast: Cast, actor: Acting) -> None:
    officer = actor(cast["admin@practice.example"])
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = by_form("practice", residence="FR", kind=Kind.ERASURE)
        clock.shift(timedelta(days=29))
        with pytest.raises(CaseRefused, match="over"):
            handling.extend_case(actor=officer, case=case, text="So many studies.")


# The answer ---------------------------------------------------------------------------------------
def test_nothing_is_handed_out_before_it_is_known_who_asks(cast: Cast, actor: Acting) -> None:
    """MEDDIM-7.22."""
    officer, case = actor(cast.officer), by_form(kind=Kind.COPY)
    given = {"text": "All of it.", "outcome": Outcome.GRANTED}
    with pytest.raises(CaseRefused, match="who asks"):
        handling.answer_case(actor=officer, case=case, **given)
    assert again(case).answered_at is None
    with pytest.raises(CaseRefused, match="by the portal itself"):
        identifying.identify_person(actor=officer, case=case, proof=Proof.ACCOUNT)
    identifying.identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    handling.answer_case(actor=officer, case=case, **given)
    assert again(case).outcome == Outcome.GRANTED


def test_who_asked_signed_in_is_known(cast: Cast, actor: Acting) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.COPY)
    handling.answer_case(
        actor=actor(cast.officer), case=case, text="All of it.", outcome=Outcome.GRANTED
    )
    assert told("request-answered") == ["patient@home.example"]


@pytest.mark.parametrize(
    ("text", "denial", "words"),
    [("We keep it by law.", "", "choose a reason"), ("", Denial.LEGAL_DUTY, "Write it in words")],
)
def test_a_refusal_without_reason_or_words_is_refused(
    cast: Cast, actor: Acting, text: str, denial: str, words: str
) -> None:
    """LIFEIMAGE-12.5."""
    case = by_form(kind=Kind.ERASURE)
    with pytest.raises(CaseRefused, match=words):
        handling.answer_case(
            actor=actor(cast.officer), case=case, text=text, outcome=Outcome.DENIED, denial=denial
        )
    assert again(case).state == State.OPEN
    assert events("request.answered") == 0


def test_an_answer_is_sealed_and_given_once(cast: Cast, actor: Acting) -> None:
    case = by_form(kind=Kind.QUESTION)
    handling.answer_case(actor=actor(cast.officer), case=case, **ANSWER)
    with pytest.raises(CaseRefused, match="answered"):
        handling.answer_case(actor=actor(cast.officer), case=case, **ANSWER)
    entry = again(case).entries.get(act="answer")
    assert b"Here it is" not in bytes(entry.sealed_text or b"")
    assert OpenCase(again(case)).text_of(entry) == "Here it is."
    assert sum("The answer to your request" in letter for letter in post()) == 1


def test_no_case_is_closed_without_a_reply(cast: Cast, actor: Acting) -> None:
    """MEDDIM-7.19."""
    with pytest.raises(CaseRefused, match="Answer first"):
        handling.close_case(actor=actor(cast.officer), case=by_form())


def test_notes_among_officers_are_not_shown_to_the_person(cast: Cast, actor: Acting) -> None:
    case = by_form()
    handling.note_on_case(actor=actor(cast.officer), case=case, text="Rude on the telephone.")
    opened = OpenCase(again(case))
    assert [line.text for line in lines_of(opened, for_person=True)] == [""]
    assert [line.text for line in lines_of(opened, for_person=False)][
        -1
    ] == "Rude on the telephone."


def test_a_text_that_is_far_too_long_is_refused(cast: Cast, actor: Acting) -> None:
    with pytest.raises(CaseRefused, match="4000"):
        handling.note_on_case(actor=actor(cast.officer), case=by_form(), text="a" * 4001)


# Handing on ---------------------------------------------------------------------------------------
@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsar.selectors.routes_on", lambda _: True)


def test_a_request_moves_to_the_provider_with_its_clock(
    cast: Cast, actor: Acting, processor: None, django_capture_on_commit_callbacks: Any
) -> None:
    """MEDDIM-7.26."""
    officer = actor(cast.officer)
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = by_form(kind=Kind.CORRECTION, residence="US-TX")
        handling.note_on_case(actor=officer, case=case, text="Theirs.")
        before = again(case)
        clock.shift(timedelta(days=5))
        imaging = Organisation.objects.get(slug="imaging")
        with django_capture_on_commit_callbacks(execute=True):
            hand_over_case(actor=officer, case=case, to=imaging, text="They took the images.")
    row = again(case)
    assert (row.organisation, row.received_at) == (imaging, before.received_at)
    # Their policy gives 28 days, the first one thirty; the German office owes the GDPR's month.
    assert row.answer_on == date(2026, 9, 29)
    assert {"gdpr", "hipaa"} <= set(row.laws)
    assert told("request-arrived") == ["officer@hospital.example", "officer@imaging.example"]
    assert any("handed on" in letter or "works on the instructions" in letter for letter in post())
    opened = OpenCase(row)
    assert (opened.written.email, opened.written.text) == (EMAIL, TEXT)
    assert "Theirs." in [line.text for line in lines_of(opened, for_person=False)]
    assert DataKey.objects.get(pk=before.key_id).wrapped is None
    assert DataKey.objects.get(pk=row.key_id).organisation_id == str(imaging.pk)
    with pytest.raises(NotYours):
        handling.note_on_case(actor=officer, case=row, text="Still here?")
    assert events("request.handed_on") == 1


def test_a_request_is_not_handed_on_where_the_policy_answers_itself(
    cast: Cast, actor: Acting
) -> None:
    imaging = Organisation.objects.get(slug="imaging")
    with pytest.raises(CaseRefused, match="answered here"):
        hand_over_case(actor=actor(cast.officer), case=by_form(), to=imaging, text="Yours.")


def test_a_request_is_not_handed_on_to_oneself(cast: Cast, actor: Acting, processor: None) -> None:
    case = by_form()
    with pytest.raises(CaseRefused, match="another organisation"):
        hand_over_case(actor=actor(cast.officer), case=case, to=case.organisation, text="Ours.")


# Reminders ----------------------------------------------------------------------------------------
def test_officers_are_reminded_once_and_those_above_them_told_once_it_is_late(
    cast: Cast, actor: Acting
) -> None:
    """MEDDIM-7.24."""
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        by_form(kind=Kind.QUESTION)
        assert remind_of_cases() == {"due": 0, "late": 0}
        clock.shift(timedelta(days=24))
        assert remind_of_cases() == {"due": 1, "late": 0}
        assert remind_of_cases() == {"due": 0, "late": 0}
        assert told("request-due") == ["officer@hospital.example"]
        clock.shift(timedelta(days=6))
        assert remind_of_cases() == {"due": 0, "late": 0}, "the last day is in time"
        clock.shift(timedelta(days=1))
        assert remind_of_cases() == {"due": 0, "late": 1}
        assert remind_of_cases() == {"due": 0, "late": 0}
    assert told("request-late") == ["admin@hospital.example", "officer@hospital.example"]
    assert events("request.escalated") == 1


def test_nobody_is_reminded_of_what_is_answered(cast: Cast, actor: Acting) -> None:
    case = by_form(kind=Kind.QUESTION)
    handling.answer_case(actor=actor(cast.officer), case=case, **ANSWER)
    with time_machine.travel(timezone.now() + timedelta(days=99)):
        assert remind_of_cases() == {"due": 0, "late": 0}


def test_where_there_is_no_officer_the_administrator_is_told(cast: Cast) -> None:
    cast.officer.memberships.update(is_active=False)
    by_form()
    assert told("request-arrived") == ["admin@hospital.example"]
