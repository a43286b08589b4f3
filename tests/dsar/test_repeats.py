"""Requests that were made before: noticed, joined, or answered as often as law asks (C29, C35)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case
from dsar.rules.agents import Relation
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.repeats import Earlier, bars_excessive, next_on, refusal_to_join
from dsar.rules.states import Denial, Outcome, Proof, State
from dsar.sealing import Person
from dsar.selectors import read_token
from dsar.selectors.identity import is_identified
from dsar.selectors.repeats import earlier_cases
from dsar.services.entries import CaseRefused
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.intake import Acting
from dsar.services.repeating import join_case
from tests.dsar.asking import by_form, signed_in, written_down
from tests.factories import Cast, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting_ = Callable[..., Actor]
Browsers = Callable[[User], Client]
DAY = date(2026, 11, 26)


def done(on: date, **more: bool) -> Earlier:
    facts = {"is_open": False, "is_done": True, "same_asker": True} | more
    return Earlier("0000-0000", on, **facts)


# Rules -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "laws", "earlier", "again"),
    [
        (Kind.SHINE_THE_LIGHT, [Law.SHINE_THE_LIGHT], [done(date(2026, 1, 2))], date(2027, 1, 1)),
        (Kind.SHINE_THE_LIGHT, [Law.SHINE_THE_LIGHT], [done(date(2025, 12, 31))], None),
        (Kind.SHINE_THE_LIGHT, [Law.SHINE_THE_LIGHT],
         [done(date(2026, 1, 2), is_done=False)], None),
        (Kind.ACCESS, [Law.CCPA], [done(date(2026, 3, 1))], None),
        (Kind.ACCESS, [Law.CCPA], [done(date(2026, 3, 1)), done(date(2026, 6, 1))],
         date(2027, 3, 2)),
        (Kind.ACCESS, [Law.CCPA], [done(date(2025, 11, 25)), done(date(2026, 6, 1))], None),
        (Kind.ACCESS, [Law.CCPA],
         [done(date(2026, 3, 1), same_asker=False), done(date(2026, 6, 1))], None),
        # Where another law asks for an answer as well, it is answered.
        (Kind.ACCESS, [Law.CCPA, Law.HIPAA],
         [done(date(2026, 3, 1)), done(date(2026, 6, 1))], None),
        (Kind.ERASURE, [Law.CCPA], [done(date(2026, 3, 1)), done(date(2026, 6, 1))], None),
        (Kind.ACCESS, [Law.GDPR], [done(date(2026, 3, 1)), done(date(2026, 6, 1))], None),
    ],
)  # fmt: skip
def test_how_often_a_law_asks_for_an_answer(
    kind: Kind, laws: list[Law], earlier: list[Earlier], again: date | None
) -> None:
    """Cal. Civ. Code 1798.130(b): twice in twelve months; 1798.83: once in a calendar year."""
    assert next_on(kind, laws, DAY, earlier) == again


@pytest.mark.parametrize(
    ("kind", "laws", "barred"),
    [
        (Kind.ACCESS, [Law.GDPR], False), (Kind.ERASURE, [Law.CCPA, Law.GDPR], False),
        (Kind.COPY, [Law.GDPR, Law.HIPAA], True), (Kind.CORRECTION, [Law.HIPAA], True),
        (Kind.COPY, [Law.CA_PATIENTS], True), (Kind.ERASURE, [Law.HIPAA], False),
    ],
)  # fmt: skip
def test_a_law_that_lists_its_reasons_does_not_know_the_excessive(
    kind: Kind, laws: list[Law], barred: bool
) -> None:
    assert bool(bars_excessive(kind, laws, DAY)) is barred


@pytest.mark.parametrize(
    ("earlier", "why"),
    [
        (None, "no earlier request"),
        (done(DAY), "answered already"),
        (done(DAY, is_open=True, is_done=False), ""),
        (done(DAY, is_open=True, is_done=False, same_asker=False), "somebody else"),
        (done(DAY, is_open=True, is_done=False, in_name=True), "in somebody's name"),
    ],
)
def test_only_open_requests_of_the_same_asker_are_joined(earlier: Earlier | None, why: str) -> None:
    refusal = refusal_to_join(earlier)
    assert why in refusal and bool(why) == bool(refusal)


# Noticed and joined ------------------------------------------------------------------------------
def test_a_repeated_request_is_noticed_and_shows_nothing_of_who_asks(
    cast: Cast, actor: Acting_, client_of: Browsers
) -> None:
    """The fault of a peer: a request taken as a duplicate skipped the proof of who asks."""
    first = by_form(kind=Kind.ACCESS)
    identify_person(actor=actor(cast.officer), case=first, proof=Proof.DOCUMENT)
    answer_case(actor=actor(cast.officer), case=first, text="Here.", outcome=Outcome.GRANTED)
    again = by_form(kind=Kind.ACCESS)
    by_form(kind=Kind.ACCESS, email="other@post.example")
    assert [one.pk for one in earlier_cases(again)] == [first.pk]
    said = text_of(client_of(cast.officer).get(f"/requests/{again.number}/"))
    assert "Asked before" in said and first.number in said
    assert not is_identified(again)
    with pytest.raises(CaseRefused, match="Note first"):
        answer_case(actor=actor(cast.officer), case=again, text="Here.", outcome=Outcome.GRANTED)


def test_other_kinds_organisations_and_years_are_not_noticed(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        by_form(kind=Kind.ACCESS)
        by_form("imaging", kind=Kind.COPY)
        by_form(kind=Kind.COPY)
        clock.shift(timedelta(days=380))
        case = by_form(kind=Kind.COPY)
        assert earlier_cases(case) == []


def test_joined_the_clock_of_the_first_runs_on_and_both_are_answered_once(
    cast: Cast, actor: Acting_, client: Client
) -> None:
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        first = by_form(kind=Kind.ACCESS)
        due = first.answer_on
        clock.shift(timedelta(days=10))
        again = by_form(kind=Kind.ACCESS, text="MARKER-AGAIN please answer me.")
        identify_person(actor=actor(cast.officer), case=again, proof=Proof.DOCUMENT)
        row = join_case(actor=actor(cast.officer), case=again, to=first)
        said = text_of(client.get(f"/requests/read/{read_token(again)}/"))
        firsts = text_of(client.get(f"/requests/read/{read_token(first)}/"))
    assert (row.state, row.outcome, row.joined_to_id) == (State.CLOSED, Outcome.JOINED, first.pk)
    assert first.number in said and "its time runs since it was received" in said
    assert "MARKER-AGAIN" in firsts
    first.refresh_from_db()
    assert first.answer_on == due and first.state == State.OPEN
    # What showed who asked the second shows nothing of who asked the first.
    assert not is_identified(first)
    assert Event.objects.get(action="request.joined").details["to"] == str(first.pk)


def test_requests_of_two_people_are_never_joined(cast: Cast, actor: Acting_) -> None:
    first = signed_in(actor(cast.patient), kind=Kind.ACCESS, email="a@post.example")
    second = signed_in(actor(cast.owner), kind=Kind.ACCESS, email="b@post.example")
    agent = Acting(Relation.AGENT, Person("Paula Adler"))
    named = by_form(kind=Kind.ACCESS, email="c@post.example", acting=agent)
    plain = by_form(kind=Kind.ACCESS, email="c@post.example")
    for case, to in ((second, first), (plain, named)):
        with pytest.raises(CaseRefused):
            join_case(actor=actor(cast.officer), case=case, to=to)
    with pytest.raises(CaseRefused, match="Only privacy officers"):
        join_case(actor=actor(cast.clinician), case=plain, to=first)


# Answered as often as law asks -------------------------------------------------------------------
def test_shine_the_light_is_answered_once_in_a_calendar_year(cast: Cast, actor: Acting_) -> None:
    """MEDDIM-8.3."""
    officer = actor(cast.officer)
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        first = by_form(kind=Kind.SHINE_THE_LIGHT)
        Case.objects.filter(pk=first.pk).update(laws=[Law.SHINE_THE_LIGHT])
        with pytest.raises(CaseRefused, match="asks to answer it again"):
            _repeated(officer, first)
        answer_case(actor=officer, case=first, text="To nobody.", outcome=Outcome.GRANTED)
        clock.shift(timedelta(days=30))
        second = by_form(kind=Kind.SHINE_THE_LIGHT)
        Case.objects.filter(pk=second.pk).update(laws=[Law.SHINE_THE_LIGHT])
        second.refresh_from_db()
        assert _repeated(officer, second).denial == Denial.REPEATED
        clock.move_to(datetime(2027, 1, 2, 15, tzinfo=UTC))
        third = by_form(kind=Kind.SHINE_THE_LIGHT)
        Case.objects.filter(pk=third.pk).update(laws=[Law.SHINE_THE_LIGHT])
        third.refresh_from_db()
        with pytest.raises(CaseRefused, match="asks to answer it again"):
            _repeated(officer, third)


def _repeated(officer: Actor, case: Case) -> Case:
    return answer_case(
        actor=officer, case=case, text="You had it this year.", outcome=Outcome.DENIED,
        denial=Denial.REPEATED,
    )  # fmt: skip


def test_a_patient_is_not_refused_for_asking_often(cast: Cast, actor: Acting_) -> None:
    """HIPAA lists its reasons for refusing access; how often somebody asks is none of them."""
    case = written_down(actor(cast.officer), kind=Kind.COPY, residence="US-TX")
    with pytest.raises(CaseRefused, match="lists its reasons"):
        answer_case(
            actor=actor(cast.officer), case=case, text="Too often.", outcome=Outcome.DENIED,
            denial=Denial.EXCESSIVE,
        )  # fmt: skip


def test_an_officer_joins_on_the_page(cast: Cast, client_of: Browsers) -> None:
    first, browser = by_form(kind=Kind.ACCESS), client_of(cast.officer)
    again = by_form(kind=Kind.ACCESS)
    page = f"/requests/{again.number}/join/"
    assert first.number in text_of(browser.get(page))
    assert browser.post(page, {"earlier": first.number}).status_code == 302
    assert browser.get(f"/requests/{first.number}/join/").status_code == 409
