"""What a request may cost: where law allows it, for what it costs, accepted first. Pure (C34).

Of all laws that count the one that is kindest to the person decides. Nobody is charged for using
a right in any other place: prices know nothing of requests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from dsar.rules.kinds import KINDS, Kind
from dsar.rules.laws import LAW_LABELS, Law
from dsar.rules.repeats import laws_that_answer


class Cost(StrEnum):
    """The kinds of cost that can be charged, and no others (LIFEIMAGE-12.11)."""

    ADMINISTRATIVE = "administrative"
    COPYING = "copying"
    COMMUNICATION = "communication"


COST_LABELS = {
    Cost.ADMINISTRATIVE: "Searching, fetching and preparing",
    Cost.COPYING: "Copying, with what it is copied onto",
    Cost.COMMUNICATION: "Sending",
}
# More than any copy costs: a slip of the keyboard.
MOST_CENTS: Final = 1_000_00
_FREE: Final = frozenset({Law.GDPR, Law.UK_GDPR, Law.CH_FADP, Law.CCPA, Law.EHDS, Law.LGPD,
                          Law.PIPA, Law.SHINE_THE_LIGHT})  # fmt: skip
_COPIES: Final = frozenset({Kind.COPY, Kind.PORTABILITY})
_CHARGED: Final = _COPIES | {Kind.ACCOUNTING, Kind.RECORDS_RELEASE}
CITES: Final = {
    Law.GDPR: "GDPR Art. 12(5), 15(3)",
    Law.UK_GDPR: "UK GDPR Art. 12(5), 15(3)",
    Law.CCPA: "Cal. Civ. Code 1798.145(h)(3)",
    Law.HIPAA: "45 CFR 164.524(c)(4), 164.528(c)(2)",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides whether a request may cost anything."""

    kind: Kind
    laws: tuple[Law, ...]
    day: date
    # What the policy says: cost-based or none.
    charged: str
    # How many of the kind were done for the same person in the twelve months before.
    done_before: int = 0
    # The organisation shows, in writing, that it is manifestly unfounded or excessive.
    excessive: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a quote, in hundredths of its currency."""

    cost: Cost
    what: str
    cents: int


def refusal_to_charge(asked: Asked) -> str:
    """Why nothing can be charged for a request; empty if something can."""
    if asked.charged == "none":
        return "The privacy policy says that nothing is charged."
    if not KINDS[asked.kind].is_right or not KINDS[asked.kind].needs_identity:
        return "Questions, complaints and opt-outs never cost anything."
    for law in sorted(_laws_that_count(asked)):
        if why_not := _why_free(law, asked):
            return f"{why_not} ({CITES.get(law, LAW_LABELS[law])})."
    if asked.kind not in _CHARGED:
        return "Only copies, and a further accounting of disclosures, can cost something."
    return ""


def _laws_that_count(asked: Asked) -> set[Law]:
    """A release of archived records is nobody's right by a law, so all that protect count: whoever
    has a free copy by law is not charged for it by another name."""
    if asked.kind is Kind.RECORDS_RELEASE:
        return set(asked.laws)
    return laws_that_answer(asked.kind, asked.laws, asked.day)


def _why_free(law: Law, asked: Asked) -> str:
    if law in _FREE:
        further = law in {Law.GDPR, Law.UK_GDPR} and asked.kind is Kind.COPY and asked.done_before
        if not asked.excessive and not further:
            return "It is free, unless it is manifestly unfounded or excessive"
    if law is Law.HIPAA:
        if asked.kind is Kind.ACCOUNTING and not asked.done_before:
            return "The first accounting in any twelve months is free"
        if asked.kind not in _CHARGED:
            return "Looking at a record, and having it amended, costs nothing"
    return ""


def refusal_of_items(items: Iterable[Item], kind: Kind, laws: Collection[Law]) -> str:
    """Why a quote cannot go out like this; empty if it can."""
    lines = list(items)
    if any(one.cents < 0 for one in lines):
        return "No line can be less than nothing."
    if not sum(one.cents for one in lines):
        return "A quote of nothing is none: make the copy without one."
    if sum(one.cents for one in lines) > MOST_CENTS:
        return "That is more than any copy costs. Check the amounts."
    if any(one.cents and not one.what.strip() for one in lines):
        return "Say of each line what it is for, and how it was reckoned."
    searching = any(one.cost is Cost.ADMINISTRATIVE and one.cents for one in lines)
    if searching and Law.HIPAA in laws and kind in _COPIES:
        return (
            "Searching and fetching cannot be charged to the person: only copying, what it is"
            " copied onto, and sending (45 CFR 164.524(c)(4))."
        )
    return ""
