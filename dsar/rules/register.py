"""The register of requests and its figures: nobody is in it. Pure (11 CCR 7102, GDPR Art. 30)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import mean, median
from typing import Any, Final

from dsar.rules.kinds import KINDS, Kind
from dsar.rules.laws import Law
from dsar.rules.states import DENIAL_LABELS, DOOR_LABELS, OUTCOME_LABELS, Denial, Door, Outcome

_DONE: Final = frozenset({Outcome.GRANTED, Outcome.PARTLY, Outcome.REPLIED})


@dataclass(frozen=True, slots=True)
class Row:
    """One request, as the register has it: no name, number or place of anybody."""

    kind: Kind
    door: Door
    laws: tuple[Law, ...]
    received_on: date
    answer_on: date
    acknowledge_on: date
    acknowledged_on: date | None = None
    answered_on: date | None = None
    extended: bool = False
    in_name: bool = False
    outcome: str = ""
    denial: str = ""

    @property
    def is_joined(self) -> bool:
        return self.outcome == Outcome.JOINED

    @property
    def days(self) -> int | None:
        return (self.answered_on - self.received_on).days if self.answered_on else None

    @property
    def in_time(self) -> bool:
        return self.answered_on is not None and self.answered_on <= self.answer_on

    def is_late(self, today: date) -> bool:
        return (self.answered_on or today) > self.answer_on


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said of a group of requests; days are calendar days from receipt to answer."""

    label: str
    received: int
    open: int
    due: int
    late: int
    complied: int
    denied: int
    answered: int
    in_time: int
    median_days: float | None
    mean_days: float | None

    @property
    def share_in_time(self) -> int | None:
        return round(100 * self.in_time / self.answered) if self.answered else None


def figures_of(label: str, rows: Iterable[Row], today: date, due_until: date) -> Figures:
    """Count; requests that were joined to an earlier one are counted with that one."""
    counted = [row for row in rows if not row.is_joined]
    answered = [row for row in counted if row.answered_on]
    waiting = [row for row in counted if not row.answered_on]
    days = [row.days for row in answered if row.days is not None]
    return Figures(
        label=label,
        received=len(counted),
        open=len(waiting),
        due=sum(today <= row.answer_on <= due_until for row in waiting),
        late=sum(row.is_late(today) for row in waiting),
        complied=sum(row.outcome in _DONE for row in answered),
        denied=sum(row.outcome == Outcome.DENIED for row in answered),
        answered=len(answered),
        in_time=sum(row.in_time for row in answered),
        median_days=float(median(days)) if days else None,
        mean_days=round(mean(days), 1) if days else None,
    )


def by_kind(rows: Sequence[Row], today: date, due_until: date) -> list[Figures]:
    """The figures of each kind of which there is any."""
    found = [
        figures_of(facts.label, [row for row in rows if row.kind is kind], today, due_until)
        for kind, facts in KINDS.items()
    ]
    return [one for one in found if one.received]


# 11 CCR 7102(a)(1): the requests that are counted, each by itself.
METRICS: Final[dict[str, tuple[str, frozenset[Kind]]]] = {
    "delete": ("Requests to delete", frozenset({Kind.ERASURE})),
    "correct": ("Requests to correct", frozenset({Kind.CORRECTION})),
    "know": ("Requests to know", frozenset({Kind.ACCESS, Kind.COPY, Kind.PORTABILITY})),
    "opt-out": ("Requests to opt out of sale or sharing", frozenset({Kind.OPT_OUT})),
    "limit": ("Requests to limit", frozenset({Kind.LIMIT_SENSITIVE})),
}


def metrics_of(rows: Sequence[Row], today: date, due_until: date) -> dict[str, Figures]:
    """Received, complied with, denied and days, of people whom the CCPA protects."""
    protected = [row for row in rows if Law.CCPA in row.laws]
    return {
        code: figures_of(label, [row for row in protected if row.kind in kinds], today, due_until)
        for code, (label, kinds) in METRICS.items()
    }


def reasons_of(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Why requests were refused, and how many for each reason (11 CCR 7102(a)(2))."""
    found = [row.denial for row in rows if row.outcome == Outcome.DENIED and row.denial]
    return [(DENIAL_LABELS[one], found.count(one)) for one in Denial if one in found]


# As a table --------------------------------------------------------------------------------------
COLUMNS: Final[dict[str, Callable[[Row], Any]]] = {
    "what": lambda row: KINDS[row.kind].label,
    "came_by": lambda row: DOOR_LABELS[row.door],
    "in_somebodys_name": lambda row: "yes" if row.in_name else "no",
    "laws": lambda row: " ".join(row.laws),
    "received": lambda row: row.received_on.isoformat(),
    "acknowledge_by": lambda row: row.acknowledge_on.isoformat(),
    "acknowledged": lambda row: row.acknowledged_on.isoformat() if row.acknowledged_on else "",
    "answer_by": lambda row: row.answer_on.isoformat(),
    "extended": lambda row: "yes" if row.extended else "no",
    "answered": lambda row: row.answered_on.isoformat() if row.answered_on else "",
    "days": lambda row: row.days if row.days is not None else "",
    "in_time": lambda row: ("yes" if row.in_time else "no") if row.answered_on else "",
    "outcome": lambda row: OUTCOME_LABELS[Outcome(row.outcome)] if row.outcome else "",
    "refused_because": lambda row: DENIAL_LABELS[Denial(row.denial)] if row.denial else "",
}


def line_of(row: Row) -> dict[str, Any]:
    return {name: value(row) for name, value in COLUMNS.items()}
