"""Who asks for somebody else, and what has to be shown for it. Pure (11 CCR 7063, C38)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from accounts.rules.marketing import EEA
from studies.rules.minors import MAJORITY


class Relation(StrEnum):
    AGENT = "agent"
    ATTORNEY = "attorney"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class RelationFacts:
    label: str
    paper: str


RELATIONS: dict[Relation, RelationFacts] = {
    Relation.AGENT: RelationFacts(
        "Somebody who authorised me", "a permission that the person signed (11 CCR 7063)"
    ),
    Relation.ATTORNEY: RelationFacts(
        "Somebody for whom I have a power of attorney, or a court's order",
        "the power of attorney, or the order",
    ),
    Relation.GUARDIAN: RelationFacts(
        "A child whose parent or guardian I am",
        "a paper that shows it, such as a birth certificate or a court's order",
    ),
}


class AuthorityState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Fault(StrEnum):
    """Why an authority is refused."""

    MISSING = "missing"
    FORGED = "forged"
    NOT_COVERED = "not-covered"
    ENDED = "ended"
    OF_AGE = "of-age"
    DENIED = "denied"


FAULT_LABELS = {
    Fault.MISSING: "No paper shows it",
    Fault.FORGED: "The paper is not genuine, or was changed",
    Fault.NOT_COVERED: "The paper does not cover what is asked",
    Fault.ENDED: "The authority has ended",
    Fault.OF_AGE: "The person is of age and decides alone",
    Fault.DENIED: "The person says that nobody asks for them",
}
_COPPA: Final = 13
# From which age a young person consents to such a service alone (GDPR Art. 8(1) and the laws of
# the States; 16 where a State says nothing else). It is not the age of consent to treatment.
_BELOW_16: Final = {
    13: "BE EE FI LV MT PT SE NO IS GB",
    14: "AT BG CY ES IT LT",
    15: "CZ DK FR GR SI",
}
AGE_OF_CONSENT: Final[Mapping[str, int]] = {
    **dict.fromkeys(EEA, 16),
    **{place: age for age, places in _BELOW_16.items() for place in places.split()},
    "US": _COPPA,
}


def deciding_age(place: str, of_policy: int) -> int:
    """From which age somebody who lives there has a say: the law's age, or the policy's if higher.

    `place`: ISO 3166, empty if not known: then the policy's, which is the strictest it has.
    """
    return max(AGE_OF_CONSENT.get(place.partition("-")[0], _COPPA), of_policy)


class Decides(StrEnum):
    GUARDIAN = "guardian"
    BOTH = "both"
    PERSON = "person"


def who_decides(age: int, from_age: int) -> Decides:
    """Who decides about a request for somebody of this age."""
    if age >= MAJORITY:
        return Decides.PERSON
    return Decides.GUARDIAN if age < from_age else Decides.BOTH


DECIDES_WORDS = {
    Decides.GUARDIAN: "a parent or guardian decides",
    Decides.BOTH: "the young person and a parent or guardian decide together",
    Decides.PERSON: "of age: decides alone",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is of an authority when an officer decides about it."""

    relation: Relation
    has_paper: bool
    confirmed: bool
    today: date
    decides: Decides = Decides.PERSON
    valid_until: date | None = None


def refusal_to_accept(shown: Shown) -> str:
    """Why an authority cannot be accepted; empty if it can."""
    if not shown.has_paper:
        return "No paper shows it. Ask for one, or refuse."
    if shown.valid_until is not None and shown.valid_until < shown.today:
        return "It ended on a day that has passed. Refuse it."
    if shown.relation is Relation.GUARDIAN:
        if shown.decides is Decides.PERSON:
            return "The person is of age: whoever asks for them needs their permission. Refuse it."
        if shown.decides is Decides.BOTH and not shown.confirmed:
            return "At this age the young person decides as well: wait until they have confirmed."
    return ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an authority stands when an answer goes out."""

    state: AuthorityState
    told: bool
    valid_until: date | None = None


def refusal_to_hand_out(standing: Standing, today: date) -> str:
    """Why nothing is done for whoever asks in somebody's name; empty if it can be."""
    if standing.state is not AuthorityState.ACCEPTED:
        return "It is not shown that they may act for the person. Look at their authority first."
    if standing.valid_until is not None and standing.valid_until < today:
        return "Their authority has ended since. Ask for another, or refuse."
    if not standing.told:
        return "Tell the person first, directly, that somebody asked in their name."
    return ""
