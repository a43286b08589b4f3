"""The steps of a disposal, what can be done with a run, and a clock that jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from retention.rules.disposal import (
    CAN_STAY,
    FINAL,
    NEXT,
    STEPS_OF_ONE,
    Act,
    Fate,
    RunState,
    Step,
    fault_of_clock,
    refusal_of,
    steps_left,
)
from studies.rules.keeping import day_everywhere

RECEIVED = date(2026, 1, 2)
EXAMINED = date(2020, 3, 1)
ADULT = date(1970, 5, 1)


def test_every_step_leads_to_the_next_and_none_back() -> None:
    order = [Step.PLANNED]
    while order[-1] in NEXT:
        order.append(NEXT[order[-1]])
    assert order == [
        Step.PLANNED, Step.WITHDRAWN, Step.KEY_DESTROYED, Step.FILES_DELETED, Step.ROWS_DELETED,
        Step.GONE,
    ]  # fmt: skip
    assert [steps_left(step) for step in order] == [5, 4, 3, 2, 1, 0]
    assert steps_left(Step.KEPT) == 0
    assert set(order[2:]) == FINAL
    assert steps_left(Step.PLANNED) == STEPS_OF_ONE
    # What is made anonymous has one step more, before anything is lost.
    assert NEXT[Step.COPIED] == Step.WITHDRAWN
    assert steps_left(Step.PLANNED, Fate.ANONYMISE) == 6
    assert steps_left(Step.COPIED, Fate.ANONYMISE) == 5
    assert {Step.PLANNED, Step.COPIED, Step.WITHDRAWN} == CAN_STAY == set(NEXT) - FINAL


def test_what_can_be_done_with_a_run_depends_on_its_state() -> None:
    can = {state: {act.value for act in Act if not refusal_of(act, state)} for state in RunState}
    both = {"approve", "reject"}
    assert can == {
        RunState.PLANNING: set(), RunState.NOTHING_DUE: set(), RunState.PLANNED: both,
        RunState.APPROVED_ONCE: both, RunState.APPROVED: {"pause", "cancel"},
        RunState.RUNNING: {"pause", "cancel"}, RunState.PAUSED: {"resume", "cancel"},
        RunState.STOPPED: {"resume", "cancel"}, RunState.DONE: set(), RunState.REJECTED: set(),
        RunState.SUPERSEDED: set(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        (None, False),
        (timedelta(0), False),
        (timedelta(days=13), False),
        (timedelta(days=15), True),
        (timedelta(days=365), True),
        (timedelta(hours=-1), False),
        (timedelta(hours=-3), True),
        (timedelta(days=-365), True),
    ],
)
def test_a_jump_of_the_clock_is_noticed(before: timedelta | None, wrong: bool) -> None:
    now = datetime(2026, 11, 26, 8, tzinfo=UTC)
    assert bool(fault_of_clock(None if before is None else now - before, now)) is wrong


def test_nothing_is_due_where_it_is_still_yesterday() -> None:
    assert day_everywhere(datetime(2026, 11, 26, 11, 59, tzinfo=UTC)) == date(2026, 11, 25)
    assert day_everywhere(datetime(2026, 11, 26, 12, 0, tzinfo=UTC)) == date(2026, 11, 26)
