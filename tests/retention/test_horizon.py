"""The short way of reckoning says what the long one says, of any study under any rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules.categories import Category
from retention.rules.duties import DUTIES, Duty
from retention.rules.facts import Facts, Milestone
from retention.rules.horizon import Horizon, last_start
from retention.rules.keeping import keeping_of
from retention.rules.periods import Period, birthday
from retention.rules.schedule import OF_STUDIES, Scheduled
from studies.rules.minors import age_on

TODAY = date(2026, 11, 26)
days = st.dates(date(1930, 1, 1), TODAY)
# Days of the same few weeks, so that they meet; and 29 February.
near = st.sampled_from([date(2008, 2, 28), date(2008, 2, 29), date(2008, 3, 1), date(2007, 12, 31)])
some_day = days | near
modalities = st.frozensets(st.sampled_from(["CT", "MR", "MG", "US", "SR", "RTDOSE", "NM"]))
periods = st.builds(
    Period, st.integers(1, 40), st.sampled_from(["year", "month"])
) | st.builds(Period, st.integers(1, 9000), st.just("day"))  # fmt: skip
duties = st.lists(st.sampled_from(sorted(DUTIES.values(), key=lambda one: one.code)), max_size=20)
TRIGGERS = [
    "examination", "last-contact", "created", "majority", "death", "account-closed",
    *(one.value for one in Milestone),
]  # fmt: skip
lines = st.builds(
    Scheduled, category=st.sampled_from(OF_STUDIES), trigger=st.sampled_from(TRIGGERS),
    keep=periods, action=st.just("delete"),
    and_until=st.sampled_from(["", "", *(one.value for one in Milestone)]),
)  # fmt: skip
schedules = st.lists(lines, min_size=1, max_size=4)


@st.composite
def studies(draw: st.DrawFn) -> Facts:
    examined = draw(st.none() | some_day)
    later = st.none() | some_day
    return Facts(
        received_on=draw(some_day), examined_on=examined, born_on=draw(st.none() | some_day),
        died_on=draw(later), later_on=draw(later), later_mammogram_on=draw(later),
        modalities=draw(modalities), is_animal=draw(st.booleans()),
        is_settled=draw(st.booleans() | st.just(True)),
        milestones=draw(st.dictionaries(st.sampled_from([one.value for one in Milestone]), days)),
    )  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(studies(), duties, schedules)
def test_the_last_day_is_that_of_the_long_way(
    facts: Facts, duties: list[Duty], schedule: list[Scheduled]
) -> None:
    long = keeping_of(facts, duties=duties, schedule=schedule)
    assert Horizon(duties, schedule).end_of(facts) == (None if long.is_open else long.until)


@settings(max_examples=80, deadline=None)
@given(st.lists(studies(), min_size=2, max_size=12), duties, schedules)
def test_what_was_sorted_out_for_one_study_holds_for_the_next(
    several: list[Facts], duties: list[Duty], schedule: list[Scheduled]
) -> None:
    horizon = Horizon(duties, schedule)
    for facts in several:
        long = keeping_of(facts, duties=duties, schedule=schedule)
        assert horizon.end_of(facts) == (None if long.is_open else long.until)


@settings(max_examples=250, deadline=None)
@given(studies(), duties, schedules)
def test_what_is_not_due_without_opening_it_is_not_due_once_opened(
    facts: Facts, duties: list[Duty], schedule: list[Scheduled]
) -> None:
    known = Facts(
        facts.received_on, facts.examined_on, later_on=facts.later_on,
        later_mammogram_on=facts.later_mammogram_on, modalities=facts.modalities,
        is_animal=facts.is_animal, is_settled=facts.is_settled, milestones=facts.milestones,
    )  # fmt: skip
    horizon = Horizon(duties, schedule)
    sure, end = horizon.not_before(known), horizon.end_of(facts)
    if sure is None:
        assert end is None
    elif end is not None:
        assert sure <= end


def test_what_no_seal_covers_is_often_enough_to_know() -> None:
    """The bound is of use: it is the last day itself where only such rules count."""
    line = Scheduled(Category.IMAGES, "examination", Period(7, "year"), "delete")
    horizon = Horizon([DUTIES["de.bgb630f"]], [line])
    facts = Facts(TODAY, date(2010, 1, 5), later_on=date(2020, 2, 3), modalities=frozenset({"CT"}))
    assert horizon.end_of(facts) == horizon.not_before(facts) == date(2030, 2, 3)
    # A minor is kept for longer: of that the bound says nothing.
    minors = Horizon([DUTIES["de.strlschg.minor"]], [line])
    child = replace(facts, born_on=date(2005, 1, 1))
    assert (minors.not_before(child), minors.end_of(child)) == (
        date(2017, 1, 5), date(2032, 12, 31),
    )  # fmt: skip


@pytest.mark.parametrize("code", sorted(DUTIES))
def test_each_duty_of_the_catalogue_is_reckoned_alike(code: str) -> None:
    line = Scheduled(Category.IMAGES, "created", Period(1, "day"), "delete")
    horizon = Horizon([DUTIES[code]], [line])
    for born in (date(1960, 2, 29), date(2003, 3, 1), date(2015, 5, 1), None):
        for later in (None, date(2024, 2, 29)):
            for kind in ("CT", "MR", "MG", "RTPLAN"):
                for is_animal in (False, True):
                    facts = Facts(
                        date(2020, 3, 1), date(2020, 3, 1), born, later_on=later,
                        modalities=frozenset({kind}), is_animal=is_animal,
                    )  # fmt: skip
                    long = keeping_of(facts, duties=[DUTIES[code]], schedule=[line])
                    assert horizon.end_of(facts) == (None if long.is_open else long.until)


@settings(deadline=None)
@given(periods, some_day)
def test_the_last_start_is_the_last_whose_period_is_over(keep: Period, today: date) -> None:
    start = last_start(keep, today)
    assert start is not None
    assert keep.after(start) < today
    assert all(keep.after(start + timedelta(days=n)) >= today for n in range(1, 8))


def test_a_period_longer_than_the_calendar_is_never_over() -> None:
    assert last_start(Period(3000, "year"), TODAY) is None
    assert last_start(Period(99999, "day"), date(100, 1, 1)) is None


@given(some_day, some_day)
def test_an_age_is_that_of_the_last_birthday(born: date, day: date) -> None:
    years = age_on(born, day)
    if years >= 0 and day >= born:
        assert birthday(born, years) <= day < birthday(born, years + 1)
    else:
        assert years < 0
