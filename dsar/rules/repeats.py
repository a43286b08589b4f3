"""Requests that were made before: noticed, joined, or answered as often as a law asks for. Pure.

A repeated request is looked at like any other: who asks is shown for each by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from dsar.rules.clocks import Step
from dsar.rules.clocks.reckoning import rules_for
from dsar.rules.kinds import Kind
from dsar.rules.laws import LAW_LABELS, Law
from retention.rules.periods import months_after

# How far back one looks.
LOOKED_BACK: Final = 12
# As often as this in twelve months (Cal. Civ. Code 1798.130(b)).
_CCPA_TIMES: Final = 2
_CCPA_KNOW: Final = frozenset({Kind.ACCESS, Kind.COPY, Kind.PORTABILITY})
# Laws under which what is manifestly unfounded or excessive can be refused, or charged for.
EXCESSIVE_UNDER: Final = frozenset({Law.GDPR, Law.UK_GDPR, Law.CH_FADP, Law.CCPA, Law.EHDS})


@dataclass(frozen=True, slots=True)
class Earlier:
    """A request of the same kind that came before."""

    number: str
    received_on: date
    is_open: bool
    # It was done, wholly or in part.
    is_done: bool
    # By the same address or account; else about the same record only.
    same_asker: bool
    # One of the two was made in somebody's name.
    in_name: bool = False


def laws_that_answer(kind: Kind, laws: Collection[Law], day: date) -> set[Law]:
    """The laws that give a time for such a request."""
    return {rule.law for rule in rules_for(kind, laws, day, Step.ANSWER)}


def next_on(
    kind: Kind, laws: Collection[Law], day: date, earlier: Sequence[Earlier]
) -> date | None:
    """From which day on a request has to be answered again; None: it has to be now."""
    done = sorted(one.received_on for one in earlier if one.is_done and one.same_asker)
    answering = laws_that_answer(kind, laws, day)
    if answering == {Law.SHINE_THE_LIGHT} and any(one.year == day.year for one in done):
        return date(day.year + 1, 1, 1)
    if kind in _CCPA_KNOW and answering == {Law.CCPA}:
        recent = [one for one in done if months_after(one, LOOKED_BACK) >= day]
        if len(recent) >= _CCPA_TIMES:
            return months_after(recent[-_CCPA_TIMES], LOOKED_BACK) + timedelta(days=1)
    return None


def bars_excessive(kind: Kind, laws: Collection[Law], day: date) -> str:
    """The law that lists its reasons for refusing, and being excessive is none; empty: there is
    no such law (45 CFR 164.524(a), 164.526(a), 164.528(a))."""
    strict = laws_that_answer(kind, laws, day) - EXCESSIVE_UNDER
    return LAW_LABELS[min(strict)] if strict else ""


def refusal_to_join(earlier: Earlier | None) -> str:
    """Why a request cannot be taken together with that one; empty if it can."""
    if earlier is None:
        return "There is no earlier request of the same kind to join it to."
    if not earlier.is_open:
        return "The earlier request is answered already. Answer this one by itself."
    if not earlier.same_asker:
        return "It came from another address or account, so it may be of somebody else."
    if earlier.in_name:
        return "One of the two was made in somebody's name: each is answered by itself."
    return ""
