"""What a person is offered to ask for, with the time that each takes. Pure (AVMI-10.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from dsar.rules.clocks import Clock, Request, Step, reckon
from dsar.rules.clocks.reckoning import OWN
from dsar.rules.kinds import KINDS, Kind, KindFacts
from dsar.rules.laws import AUTHORITIES, Law


class Group(StrEnum):
    BY_LAW = "by-law"
    BY_POLICY = "by-policy"
    QUESTION = "question"


GROUP_TITLES = {
    Group.BY_LAW: "Rights that the law gives you",
    Group.BY_POLICY: "What you can ask for as well",
    Group.QUESTION: "Questions, help and complaints",
}


@dataclass(frozen=True, slots=True)
class Offer:
    kind: Kind
    group: Group
    answer_on: date
    # The clocks of laws, the earliest first; none where the policy alone promises a time.
    clocks: tuple[Clock, ...]

    @property
    def facts(self) -> KindFacts:
        return KINDS[self.kind]

    @property
    def group_title(self) -> str:
        return GROUP_TITLES[self.group]


def offers(like: Request) -> list[Offer]:
    """Everything that can be asked under these laws, the rights first.

    `like` is the request as it would come in now; its kind does not matter.
    """
    order = list(Group)
    return sorted(_offers(like), key=lambda offer: order.index(offer.group))


def _offers(like: Request) -> Iterator[Offer]:
    for kind, facts in KINDS.items():
        due = reckon(replace(like, kind=kind))
        answers = [clock for clock in due.clocks if clock.step is Step.ANSWER]
        by_law = tuple(clock for clock in answers if clock.rule != OWN)
        if facts.by_law_only and not by_law:
            continue
        if not facts.is_right:
            group = Group.QUESTION
        else:
            group = Group.BY_LAW if by_law else Group.BY_POLICY
        yield Offer(kind, group, due.answer_on, by_law)


def complaint_routes(laws: tuple[Law, ...]) -> list[str]:
    """Where else one can turn, by the laws that count."""
    return [AUTHORITIES[law] for law in laws if law in AUTHORITIES]


# Pictures ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bar:
    """A clock as a bar: where it ends, in thousandths of the picture's width."""

    clock: Clock
    end: int


def bars(clocks: tuple[Clock, ...], received: date) -> list[Bar]:
    whole = max((clock.due_on - received).days for clock in clocks) or 1
    return [
        Bar(clock, max(8, round(1000 * (clock.due_on - received).days / whole))) for clock in clocks
    ]


def place_of(today: date, clocks: tuple[Clock, ...], received: date) -> int:
    """Where today stands in the same picture; at its end once all is over."""
    whole = max((clock.due_on - received).days for clock in clocks) or 1
    return min(1000, max(0, round(1000 * (today - received).days / whole)))


def elapsed(received: date, due: date, today: date) -> int:
    """How much of the time has gone, in hundredths."""
    whole = (due - received).days or 1
    return min(100, max(0, round(100 * (today - received).days / whole)))
