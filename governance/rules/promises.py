"""How a promise stands, and for which parts of the portal all of them must be kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policies.rules.clauses import CAPABILITIES, Clause, Kind
from policies.rules.controls import Evidence

# Capabilities that are wholly built: a clause of one of these without a passing control is a
# fault, by which `manage.py check_promises` fails. What the others lack: docs/decisions.md.
BUILT: Final = frozenset(
    "C01 C02 C05 C09 C10 C11 C12 C13 C15 C16 C20 C21 C22 C25 C26 C27 C28 C29 C30 C31 C32 C33 C34 "
    "C35 C36 C37 C38 C40 C41 C42 C43 C44 C45".split()
)


class State(StrEnum):
    KEPT = "kept"
    FAILING = "failing"
    MISSING = "missing"
    ATTESTED = "attested"
    INFORMATIONAL = "informational"


# As people read it: a word, and what it means.
STATE_WORDS: dict[State, tuple[str, str]] = {
    State.KEPT: ("Kept", "A control keeps it, and was seen to do so just now."),
    State.FAILING: ("Failing", "A control is meant to keep it, and was seen not to."),
    State.MISSING: ("To come", "Nothing in the portal keeps it yet."),
    State.ATTESTED: ("For people to attest", "People or hardware keep it, not the portal."),
    State.INFORMATIONAL: ("Information", "It tells something and promises nothing."),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """A clause, how it stands now, and how that shows. `control` is the title of what keeps it."""

    clause: Clause
    state: State
    control: str = ""
    evidence: str = ""

    @property
    def words(self) -> str:
        return STATE_WORDS[self.state][0]

    @property
    def is_fault(self) -> bool:
        """Is something that is said to be built not kept?"""
        if self.state is State.FAILING:
            return self.clause.capability in BUILT
        return self.state is State.MISSING and self.clause.capability in BUILT


def promise_of(clause: Clause, control: str, evidence: Evidence | None) -> Promise:
    """Say how a clause stands; `evidence` is None where nothing keeps it."""
    match clause.kind:
        case Kind.ATTESTABLE:
            return Promise(clause, State.ATTESTED)
        case Kind.INFORMATIONAL:
            return Promise(clause, State.INFORMATIONAL)
    if evidence is None:
        return Promise(clause, State.MISSING)
    state = State.KEPT if evidence.passed else State.FAILING
    return Promise(clause, state, control, evidence.says)


def counted(promises: Iterable[Promise]) -> dict[State, int]:
    """How many stand how, in the order of the states; none is left out."""
    counts = Counter(promise.state for promise in promises)
    return {state: counts[state] for state in State}


@dataclass(frozen=True, slots=True)
class Group:
    """The promises of one capability."""

    capability: str
    promises: tuple[Promise, ...]

    @property
    def title(self) -> str:
        return CAPABILITIES[self.capability]

    @property
    def is_built(self) -> bool:
        return self.capability in BUILT

    @property
    def counts(self) -> list[tuple[State, str, int]]:
        """Those states that occur, with their words and how often."""
        counts = counted(self.promises)
        return [(state, STATE_WORDS[state][0], n) for state, n in counts.items() if n]

    @property
    def has_faults(self) -> bool:
        return any(promise.state is State.FAILING or promise.is_fault for promise in self.promises)


def grouped(promises: Iterable[Promise]) -> tuple[Group, ...]:
    by_capability: dict[str, list[Promise]] = {}
    for promise in promises:
        by_capability.setdefault(promise.clause.capability, []).append(promise)
    return tuple(Group(code, tuple(by_capability[code])) for code in sorted(by_capability))


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of the picture of all promises: where it begins, how wide it is; in thousandths."""

    state: State
    words: str
    meaning: str
    count: int
    start: int
    width: int


def shares_of(promises: Iterable[Promise]) -> list[Share]:
    """Cut a bar of 1000 into the states, each as wide as it has promises."""
    counts = counted(promises)
    total, shares, start = sum(counts.values()) or 1, [], 0
    for number, (state, count) in enumerate(counts.items(), 1):
        seen = sum(list(counts.values())[:number])
        end = round(1000 * seen / total)
        words, meaning = STATE_WORDS[state]
        shares.append(Share(state, words, meaning, count, start, end - start))
        start = end
    return shares
