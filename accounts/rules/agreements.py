"""Agreements an organisation is bound by: which there are, and when they hold. Pure (C11, C12).

The basis "contract" of a purpose (GDPR Art. 6(1)(b)) rests on the service agreement; business
associates (45 CFR 164.504(e)) and processors (GDPR Art. 28) are bound by theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class AgreementKind(StrEnum):
    SERVICE = "service"
    ASSOCIATE = "associate"
    PROCESSING = "processing"
    TRANSFER = "transfer"
    DATA_USE = "data-use"


KIND_LABELS = {
    AgreementKind.SERVICE: "Service agreement",
    AgreementKind.ASSOCIATE: "Business associate agreement (HIPAA)",
    AgreementKind.PROCESSING: "Data processing agreement (GDPR Art. 28)",
    AgreementKind.TRANSFER: "Clauses for transfers abroad",
    AgreementKind.DATA_USE: "Data use agreement (images without people in them)",
}


# What clauses for transfers abroad can be; the policy says which of them it goes by. Privacy Shield
# is none of them: the Court of Justice declared it invalid on 16 July 2020 (C-311/18).
SIGNED_MECHANISMS = ("scc", "uk-addendum", "swiss-addendum", "bcr", "dpf")


class AgreementState(StrEnum):
    COMING = "coming"
    IN_FORCE = "in-force"
    EXPIRED = "expired"
    ENDED = "ended"


STATE_LABELS = {
    AgreementState.COMING: "Not yet in force",
    AgreementState.IN_FORCE: "In force",
    AgreementState.EXPIRED: "Expired",
    AgreementState.ENDED: "Ended early",
}


@dataclass(frozen=True, slots=True)
class Term:
    """From when to when an agreement holds, both days included; None: until somebody ends it.

    `ended_on` is the day it was ended early: it holds no longer on that day.
    """

    starts_on: date
    ends_on: date | None = None
    ended_on: date | None = None

    def state(self, on: date) -> AgreementState:
        if self.ended_on is not None and self.ended_on <= on:
            return AgreementState.ENDED
        if on < self.starts_on:
            return AgreementState.COMING
        if self.ends_on is not None and self.ends_on < on:
            return AgreementState.EXPIRED
        return AgreementState.IN_FORCE

    def holds(self, on: date) -> bool:
        return self.state(on) is AgreementState.IN_FORCE


def has_lapsed(terms: Iterable[Term], on: date) -> bool:
    """Was there an agreement, and does none hold now?

    Where none was ever recorded, nothing has lapsed: that is said where agreements are kept, and
    stops nobody.
    """
    known = [term for term in terms if term.state(on) is not AgreementState.COMING]
    return bool(known) and not any(term.holds(on) for term in known)
