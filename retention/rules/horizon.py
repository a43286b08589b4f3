"""The last day of keeping of many studies: what `keeping_of` says, without its words. Pure.

Of rules that count from the same day only the longest makes a difference, and which rules speak of
a study depends on its kind alone: so they are sorted out once for each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from retention.rules.duties import CONDITIONS, STARTS, Duty, Term
from retention.rules.facts import MILESTONE_LABELS, Facts
from retention.rules.periods import Period
from retention.rules.schedule import Scheduled, day_of

Start = Callable[[Facts], date | None]
# What hangs on more than the images themselves: it takes the birth date to know.
_OF_AGE = frozenset({"minor", "adult", "seventeen-at-end"})


@dataclass(frozen=True, slots=True)
class _Longest:
    """All periods that count from one day: the longest in months, and the longest in days."""

    start: Start
    months: Period | None
    days: Period | None

    def until(self, facts: Facts) -> date | None:
        if (start := self.start(facts)) is None:
            return None
        return max(one.after(start) for one in (self.months, self.days) if one)


@dataclass(frozen=True, slots=True)
class _Reach:
    """All rules that speak of one kind of study."""

    longest: tuple[_Longest, ...]
    birthdays: tuple[Term, ...] = ()

    def until(self, facts: Facts) -> date:
        ends = [one.until(facts) for one in self.longest]
        ends += [one.until(facts) for one in self.birthdays]
        return max((end for end in ends if end), default=date.min)


class Horizon:
    """When studies come to an end under some duties and a schedule."""

    def __init__(self, duties: Sequence[Duty], schedule: Sequence[Scheduled]) -> None:
        self._duties, self._schedule = duties, schedule
        named = {name for line in schedule for name in (line.trigger, line.and_until)}
        self._awaited = tuple(sorted(named & {one.value for one in MILESTONE_LABELS}))
        self._also = tuple(sorted({line.and_until for line in schedule if line.and_until}))
        self._policy = _Reach(_longest(_of_line(line) for line in schedule))
        asked = {one for duty in duties for term in duty.terms for one in term.when}
        self._conditions = tuple(CONDITIONS[one] for one in sorted(asked))
        self._laws: dict[Any, _Reach] = {}
        self._surely: dict[Any, _Reach] = {}

    def end_of(self, facts: Facts) -> date | None:
        """The last day; None while it is open. Of facts that are all known."""
        if self._is_open(facts):
            return None
        kind = (facts.is_animal, facts.modalities, *[one(facts) for one in self._conditions])
        law = self._laws.get(kind)
        if law is None:
            law = self._laws[kind] = _reach_of(self._terms_of(facts))
        return max(self._of_policy(facts), law.until(facts))

    def not_before(self, facts: Facts) -> date | None:
        """A day that the last one is not before, whenever they were born; None: it is open.

        For facts of which only what no seal covers is known: the birth date is under one.
        """
        if self._is_open(facts):
            return None
        kind = (facts.is_animal, facts.modalities, facts.later_mammogram_on is None)
        law = self._surely.get(kind)
        if law is None:
            law = self._surely[kind] = self._sure_of(facts)
        return max(self._of_policy(facts), law.until(facts))

    def _is_open(self, facts: Facts) -> bool:
        return any(one not in facts.milestones for one in self._awaited) or bool(
            facts.contradiction
        )

    def _of_policy(self, facts: Facts) -> date:
        also = (day_of(one, facts) for one in self._also)
        return max(self._policy.until(facts), *(day for day in also if day), date.min)

    def _terms_of(self, facts: Facts) -> list[Term]:
        return [
            term for duty in self._duties if duty.concerns(facts) for term in duty.terms
            if all(CONDITIONS[one](facts) for one in term.when)
        ]  # fmt: skip

    def _sure_of(self, facts: Facts) -> _Reach:
        """What counts at any age."""
        return _reach_of(
            term for term in self._terms_of(facts)
            if term.keep and term.start != "majority" and not _OF_AGE & set(term.when)
        )  # fmt: skip


def last_start(keep: Period, today: date) -> date | None:
    """The last day from which a period is over today; None if there is none."""
    try:
        start = Period(-keep.value, keep.unit).after(today)
    except (ValueError, OverflowError):
        return None
    # Months are not all of one length: a few days later or earlier.
    start += timedelta(days=4)
    while keep.after(start) >= today:
        if start == date.min:
            return None
        start -= timedelta(days=1)
    return start


def _of_line(line: Scheduled) -> tuple[str, Start, Period]:
    return line.trigger, partial(day_of, line.trigger), line.keep


def _reach_of(terms: Iterable[Term]) -> _Reach:
    every = list(terms)
    counted = ((term.start, STARTS[term.start], term.keep) for term in every if term.keep)
    ages = {(term.age, term.before): Term(age=term.age, before=term.before)
            for term in every if term.keep is None}  # fmt: skip
    return _Reach(_longest(counted), tuple(ages.values()))


def _longest(counted: Iterable[tuple[str, Start, Period]]) -> tuple[_Longest, ...]:
    starts: dict[str, Start] = {}
    periods: dict[tuple[str, bool], Period] = {}
    for name, start, keep in counted:
        starts[name] = start
        unit = (name, keep.unit == "day")
        periods[unit] = max(periods.get(unit, keep), keep, key=_length)
    return tuple(
        _Longest(start, periods.get((name, False)), periods.get((name, True)))
        for name, start in starts.items()
    )


def _length(keep: Period) -> int:
    """In its own measure: days, or months of the calendar."""
    return keep.value * (12 if keep.unit == "year" else 1)
