"""From a request to its due dates: every clock that runs, how it was counted, the earliest. Pure.

A due date is the last day on which the act is in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dsar.rules.clocks.days import (
    Duration,
    Holidays,
    Unit,
    business_days_after,
    holidays_for,
    is_working_day,
    next_working_day,
)
from dsar.rules.clocks.table import RULES, Rule, Step
from dsar.rules.kinds import Kind
from dsar.rules.laws import LAW_LABELS, Law
from retention.rules.periods import months_after

OWN = "own"


@dataclass(frozen=True, slots=True)
class Request:
    """What the clocks of a request depend on. The promises are of the organisation's policy."""

    kind: Kind
    laws: tuple[Law, ...]
    received_on: date
    # Where the organisation is: its holidays count.
    country: str
    answer_days: int
    acknowledge_days: int
    # For how many days it was waiting for the person, so far.
    paused_days: int = 0
    extended: bool = False
    # For how many days a fee was quoted and not accepted.
    fee_days: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock that runs. `rule` is its line of the table, or `own` for the policy's promise."""

    rule: str
    step: Step
    law: str
    time: str
    due_on: date
    how: str
    cites: str
    # Until when it can be extended, or was; None if that law knows no extension.
    until: date | None = None

    @property
    def short_law(self) -> str:
        """Its name without where it holds."""
        return self.law.partition(" (")[0]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """All clocks of a request, the earliest first. `extends_to`: the latest day after one
    extension; None where a clock that runs allows none."""

    clocks: tuple[Clock, ...]
    acknowledge_on: date
    answer_on: date
    extends_to: date | None

    def first(self, step: Step) -> Clock:
        return next(clock for clock in self.clocks if clock.step is step)


def said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def count(
    duration: Duration, start: date, is_holiday: Holidays, *, first_day: bool = False
) -> date:
    """The last day of a time that begins on `start`; `first_day`: that day is its first."""
    days = duration.value - first_day
    match duration.unit:
        case Unit.MONTH:
            return months_after(start, duration.value)
        case Unit.YEAR:
            return months_after(start, 12 * duration.value)
        case Unit.BUSINESS_DAY:
            return business_days_after(start, days, is_holiday)
        case Unit.DAY:
            return start + timedelta(days=days)
    raise ValueError("running hours end at a moment, not on a day")


def due_on(
    rule: Rule, start: date, is_holiday: Holidays, *, paused_days: int = 0
) -> tuple[date, str]:
    """The last day in time under a rule, and how it was counted."""
    if rule.within is None:
        raise ValueError(f"{rule.id} is no clock")
    return _counted(rule, rule.within, start, is_holiday, paused_days)


def extended_until(
    rule: Rule, start: date, is_holiday: Holidays, *, paused_days: int = 0
) -> tuple[date, str] | None:
    """The last day after one extension, counted from receipt and never from a rolled day."""
    if rule.within is None or rule.extends is None:
        return None
    if rule.within.unit is not rule.extends.unit:
        raise ValueError(f"{rule.id} is extended in another unit than it is counted in")
    whole = Duration(rule.within.value + rule.extends.value, rule.within.unit)
    return _counted(rule, whole, start, is_holiday, paused_days)


def _counted(
    rule: Rule, duration: Duration, start: date, is_holiday: Holidays, paused_days: int
) -> tuple[date, str]:
    last = count(duration, start, is_holiday, first_day=rule.first_day)
    ends = "ends" if duration.value == 1 else "end"
    words = [f"{duration.words} from {said(start)} {ends} on {said(last)}"]
    if rule.first_day:
        words.append("the day of receipt is the first")
    if rule.pauses and paused_days:
        last += timedelta(days=paused_days)
        words.append(f"with {paused_days} days of waiting for the person, on {said(last)}")
    if rule.rolls and not is_working_day(last, is_holiday):
        last = next_working_day(last, is_holiday)
        words.append(f"no working day, so it is {said(last)}")
    return last, _sentence("; ".join(words)) + "."


def reckon(request: Request) -> Deadlines:
    """Give all clocks that run for a request, and the earliest of each kind."""
    clocks = sorted([*_of_laws(request), *_own(request)], key=lambda clock: clock.due_on)
    acknowledging = [clock.due_on for clock in clocks if clock.step is Step.ACKNOWLEDGE]
    answering = [clock for clock in clocks if clock.step is Step.ANSWER]
    of_laws = [clock for clock in answering if clock.rule != OWN]
    extends_to = None
    if of_laws and all(clock.until for clock in of_laws):
        extends_to = min(clock.until for clock in of_laws if clock.until)
    due = answering[0].due_on
    if request.extended and extends_to:
        due = extends_to
    return Deadlines(
        clocks=tuple(clocks), acknowledge_on=acknowledging[0], answer_on=due,
        extends_to=extends_to,
    )  # fmt: skip


def rules_for(kind: Kind, laws: Iterable[Law], day: date, *steps: Step) -> list[Rule]:
    """Lines of the table for such a request that hold on that day."""
    held = set(laws)
    return [
        rule
        for rule in RULES.values()
        if rule.law in held and kind in rule.kinds and rule.step in steps and rule.holds_on(day)
    ]


def conditions_of(kind: Kind, laws: Iterable[Law], day: date) -> list[Rule]:
    """What the laws ask beside their clocks: of fees, of proof, of who is told."""
    found = rules_for(kind, laws, day, *Step)
    return [rule for rule in found if rule.also]


def _of_laws(request: Request) -> Iterable[Clock]:
    laws = request.laws
    for rule in rules_for(request.kind, laws, request.received_on, Step.ANSWER, Step.ACKNOWLEDGE):
        is_holiday = holidays_for(rule.law, request.country)
        # Where the law counts from the fee, its time begins with it.
        start = request.received_on + timedelta(days=request.fee_days * rule.waits_for_fee)
        due, how = due_on(rule, start, is_holiday, paused_days=request.paused_days)
        longer = extended_until(rule, start, is_holiday, paused_days=request.paused_days)
        assert rule.within is not None
        yield Clock(
            rule=rule.id, step=rule.step, law=LAW_LABELS[rule.law], time=rule.within.words,
            due_on=due, how=how, cites=rule.cites, until=longer[0] if longer else None,
        )  # fmt: skip


def _own(request: Request) -> Iterable[Clock]:
    for step, days in (
        (Step.ACKNOWLEDGE, request.acknowledge_days),
        (Step.ANSWER, request.answer_days),
    ):
        time = Duration(days, Unit.DAY)
        due = count(time, request.received_on, lambda _: False)
        yield Clock(
            rule=OWN, step=step, law="The organisation's own promise", time=time.words, due_on=due,
            how=_sentence(f"{time.words} from {said(request.received_on)} end on {said(due)}."),
            cites="Privacy policy, requests",
        )  # fmt: skip
