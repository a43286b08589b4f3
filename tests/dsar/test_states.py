"""What can be done with a case and when, numbers of cases, and words made safe."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.rules.kinds import KINDS, Kind
from dsar.rules.numbers import ALPHABET, PATTERN, as_typed, number_of
from dsar.rules.states import (
    Act,
    Denial,
    Outcome,
    Standing,
    State,
    Urgency,
    due_words,
    outcomes_for,
    refusal_of,
    refusal_of_receipt,
    refusal_to_answer,
    urgency_of,
)
from dsar.rules.words import one_line, readable

TODAY = date(2026, 11, 26)
OPEN = Standing(Kind.COPY, State.OPEN, routes_on=True, for_other=True, not_joined="",
                extends_to=date(2027, 2, 1),
                answer_on=date(2026, 12, 24))  # fmt: skip
A, N, Y = "answered", "needs-detail", "open"

# Act, and the states in which it can be done.
ALLOWED = [
    (Act.ACKNOWLEDGE, {Y, N}),
    (Act.ASSIGN, {Y, N, A}),
    (Act.NOTE, {Y, N, A}),
    (Act.IDENTIFY, {Y, N}),
    (Act.AUTHORITY, {Y, N}),
    (Act.TELL_PERSON, {Y, N}),
    (Act.ERASE, {Y, N}),
    (Act.READDRESS, {Y, N, A}),
    (Act.ASK_DETAIL, {Y}),
    (Act.ASK_DOCUMENT, {Y, N}),
    (Act.ADD_DOCUMENT, {Y, N}),
    (Act.SEND_DOCUMENT, {Y, N}),
    (Act.GIVE_DETAIL, {N}),
    (Act.EXTEND, {Y, N}),
    (Act.ANSWER, {Y, N}),
    (Act.JOIN, {Y, N}),
    (Act.LAWS, {Y, N}),
    (Act.QUOTE, {Y, N}),
    (Act.HAND_OVER, {Y, N}),
    (Act.CLOSE, {A}),
    # Only once a correction was refused: below.
    (Act.DISAGREE, set()),
    (Act.REBUT, set()),
]


@pytest.mark.parametrize(("act", "states"), ALLOWED, ids=[act for act, _ in ALLOWED])
def test_each_act_has_its_states_and_is_refused_with_a_reason_in_the_others(
    act: Act, states: set[str]
) -> None:
    for state in State:
        standing = Standing(**{**_values(OPEN), "state": state})
        refusal = refusal_of(act, standing, TODAY)
        assert (refusal == "") == (state in states), state
        assert refusal == "" or refusal.endswith((".", "note."))


def test_the_table_names_every_act() -> None:
    assert {act for act, _ in ALLOWED} == set(Act)


def _values(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in Standing.__dataclass_fields__}


def standing(**more: object) -> Standing:
    return Standing(**{**_values(OPEN), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [State.ANSWERED, State.CLOSED])
def test_a_refused_correction_is_disagreed_with_once_and_replied_to_once(state: State) -> None:
    """45 CFR 164.526(d)(2), (3)."""
    facts = {"kind": Kind.CORRECTION, "state": state, "is_denied": True, "is_identified": True}

    def refused(act: Act, **more: object) -> str:
        return refusal_of(act, standing(**facts, **more), TODAY)

    assert not refused(Act.DISAGREE)
    assert "no statement" in refused(Act.REBUT)
    assert "already" in refused(Act.DISAGREE, is_disputed=True)
    assert not refused(Act.REBUT, is_disputed=True)
    assert "already" in refused(Act.REBUT, is_disputed=True, is_rebutted=True)
    facts["is_identified"] = False
    assert "not known who asks" in refused(Act.DISAGREE)


def test_what_happens_once_is_refused_the_second_time() -> None:
    assert "already" in refusal_of(Act.ACKNOWLEDGE, standing(is_acknowledged=True), TODAY)
    assert "already" in refusal_of(Act.IDENTIFY, standing(is_certain=True), TODAY)
    assert "no second time" in refusal_of(Act.EXTEND, standing(is_extended=True), TODAY)


def test_an_extension_is_told_before_the_first_time_is_over() -> None:
    last = OPEN.answer_on
    assert refusal_of(Act.EXTEND, OPEN, last) == ""
    assert "over" in refusal_of(Act.EXTEND, OPEN, last + timedelta(days=1))
    assert "no longer time" in refusal_of(Act.EXTEND, standing(extends_to=None), TODAY)


def test_a_request_is_handed_on_only_where_the_policy_says_so() -> None:
    assert "answered here" in refusal_of(Act.HAND_OVER, standing(routes_on=False), TODAY)


def test_no_case_is_closed_without_a_reply() -> None:
    """MEDDIM-7.19."""
    assert "Answer first" in refusal_of(Act.CLOSE, OPEN, TODAY)


def test_a_refusal_has_a_reason_and_nothing_else_has() -> None:
    """LIFEIMAGE-12.5."""
    known = standing(is_identified=True)
    assert "choose a reason" in refusal_to_answer(Outcome.DENIED, "", known)
    assert "choose a reason" in refusal_to_answer(Outcome.DENIED, "because", known)
    assert refusal_to_answer(Outcome.DENIED, Denial.NOT_HELD, known) == ""
    assert "refusal only" in refusal_to_answer(Outcome.GRANTED, Denial.NOT_HELD, known)


def test_nothing_is_handed_out_before_it_is_known_who_asks() -> None:
    """MEDDIM-7.22."""
    for outcome in (Outcome.GRANTED, Outcome.PARTLY):
        assert "who asks" in refusal_to_answer(outcome, "", OPEN)
        assert refusal_to_answer(outcome, "", standing(is_identified=True)) == ""
    assert refusal_to_answer(Outcome.DENIED, Denial.IDENTITY, OPEN) == ""
    # Nobody needs to prove anything to opt out (11 CCR 7060(b)).
    assert refusal_to_answer(Outcome.GRANTED, "", standing(kind=Kind.OPT_OUT)) == ""


def test_a_right_is_not_answered_by_a_mere_reply() -> None:
    for kind, facts in KINDS.items():
        can = outcomes_for(kind)
        assert (Outcome.REPLIED in can) != facts.is_right
        for outcome in set(Outcome) - set(can):
            denial = Denial.NOT_HELD if outcome is Outcome.DENIED else ""
            assert refusal_to_answer(outcome, denial, standing(kind=kind)) != ""


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(days=-1), "future"),
        (timedelta(0), ""),
        (timedelta(days=120), ""),
        (timedelta(days=121), "Check the date"),
    ],
)
def test_nothing_comes_in_from_the_future_or_from_long_ago(ago: timedelta, words: str) -> None:
    refusal = refusal_of_receipt(TODAY - ago, TODAY)
    assert words in refusal if words else refusal == ""


@pytest.mark.parametrize(
    ("days", "urgency", "words"),
    [
        (-2, Urgency.LATE, "late by 2 days"),
        (-1, Urgency.LATE, "late by 1 day"),
        (0, Urgency.DUE, "due today"),
        (1, Urgency.DUE, "due in 1 day"),
        (7, Urgency.DUE, "due in 7 days"),
        (8, Urgency.OPEN, "due in 8 days"),
    ],
)
def test_how_urgent_a_case_is(days: int, urgency: Urgency, words: str) -> None:
    due = TODAY + timedelta(days=days)
    assert urgency_of(State.OPEN, due, TODAY) is urgency
    assert urgency_of(State.NEEDS_DETAIL, due, TODAY) is urgency
    assert urgency_of(State.ANSWERED, due, TODAY) is Urgency.DONE
    assert due_words(due, TODAY) == words


# Numbers ------------------------------------------------------------------------------------------
@given(st.integers(0, 2**40 - 1))
def test_a_number_is_known_again_however_it_is_typed(bits: int) -> None:
    number = number_of(bits)
    assert PATTERN.fullmatch(number)
    assert as_typed(number.lower()) == number
    assert as_typed(number.replace("-", " ").replace("0", "o").replace("1", "l")) == number


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**40 - 1))
def test_different_numbers_are_written_differently(one: int, other: int) -> None:
    assert (number_of(one) == number_of(other)) == (one == other)


def test_no_letter_is_taken_for_another() -> None:
    assert not set("ILOU") & set(ALPHABET)


# Words --------------------------------------------------------------------------------------------
def test_what_cannot_be_seen_and_can_deceive_is_dropped() -> None:
    assert readable("a\u202eb\u0000c\u200bd\x1b[31m") == "abcd[31m"
    assert readable("one\r\ntwo\rthree") == "one\ntwo\nthree"
    assert one_line("Paula\nBcc: all@example") == "Paula Bcc: all@example"
    assert readable("Zweibrückenstraße 王") == "Zweibrückenstraße 王"


@given(st.text())
def test_made_readable_twice_is_made_readable_once(text: str) -> None:
    assert readable(readable(text)) == readable(text)
