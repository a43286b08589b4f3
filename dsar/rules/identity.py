"""How sure it must be who asks, and what makes it so (MEDDIM-7.22; 11 CCR 7060 to 7062). Pure.

What shows that a record is somebody's counts for that record alone: a proven mail address says
nothing of the record that lies under a telephone number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Final
from uuid import UUID

from dsar.rules.kinds import KINDS, Kind
from dsar.rules.states import Proof


class Level(IntEnum):
    NONE = 0
    STANDARD = 1
    HIGH = 2


LEVEL_LABELS = {
    Level.NONE: "no proof is asked for",
    Level.STANDARD: "reasonably sure",
    Level.HIGH: "as sure as for handing out the data itself",
}
# What hands out the data itself, or changes or ends it for good.
_HIGH: Final = frozenset({
    Kind.COPY, Kind.PORTABILITY, Kind.ACCOUNTING, Kind.AUDIT_LOG, Kind.CORRECTION, Kind.ERASURE,
    Kind.RECORDS_RELEASE,
})  # fmt: skip


def level_for(kind: Kind) -> Level:
    """How sure it must be before a request of this kind is granted.

    An opt-out, and a limit of sensitive data, ask for no proof at all (11 CCR 7060(b)).
    """
    if not KINDS[kind].needs_identity:
        return Level.NONE
    return Level.HIGH if kind in _HIGH else Level.STANDARD


class Fact(StrEnum):
    """What somebody said, or answered to, that the record says as well."""

    NUMBER = "number"
    BIRTH = "birth"
    EXAMINATION = "examination"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"


FACT_LABELS = {
    Fact.NUMBER: "Number of the patient or the animal",
    Fact.BIRTH: "Day of birth",
    Fact.EXAMINATION: "Day and kind of an examination",
    Fact.ADDRESS: "Postal address",
    Fact.PHONE: "Telephone number",
    Fact.EMAIL: "E-mail address",
}
# Where a code can be sent, as the record says it.
REACHED_BY: Final = (Fact.PHONE, Fact.ADDRESS, Fact.EMAIL)
# Who the person is was seen, whichever record is theirs.
_OF_PERSON: Final = frozenset({Proof.DOCUMENT, Proof.KNOWN})
_POSSESSION: Final = frozenset({Proof.CALLED_BACK, Proof.CODE})
ENOUGH, ENOUGH_FOR_HIGH = 2, 3
# Then nothing more is tried: it could not be shown who asks.
MOST_FAILED: Final = 5
CODE_TRIES: Final = 5
# Time for a letter to arrive.
CODE_LASTS: Final = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Check:
    """One look at who asks that agreed. `subject_id`: with whose record; None: with nobody's."""

    way: Proof
    facts: frozenset[Fact] = frozenset()
    subject_id: UUID | None = None
    # They signed that they are the person (11 CCR 7062(c)).
    declared: bool = False


def level_of(checks: Iterable[Check], subject_id: UUID | None, own: Collection[UUID]) -> Level:
    """How sure it is that a record is of whoever asks; None: who asks, as far as no record goes.

    `own`: the records that belong to the account that asked.
    """
    level, facts, declared = Level.NONE, set[Fact](), False
    for check in checks:
        if check.way in _OF_PERSON:
            return Level.HIGH
        if check.way is Proof.ACCOUNT:
            if subject_id is None or subject_id in own:
                return Level.HIGH
            continue
        if check.subject_id != subject_id:
            continue
        facts |= check.facts
        declared = declared or check.declared
        if check.way in _POSSESSION:
            level = Level.STANDARD
    if len(facts) >= ENOUGH_FOR_HIGH and declared:
        return Level.HIGH
    return Level.STANDARD if len(facts) >= ENOUGH else level


def level_of_all(
    checks: Collection[Check], subject_ids: Collection[UUID], own: Collection[UUID]
) -> Level:
    """How sure it is of all records that a request is about: as of the least sure one."""
    if not subject_ids:
        return level_of(checks, None, own)
    return min(level_of(checks, one, own) for one in subject_ids)


def refusal_to_check(
    way: Proof, facts: Collection[Fact], *, failed_before: int, passed: bool, knows_which: bool
) -> str:
    """Why a look at who asks cannot be noted like this; empty if it can."""
    if way is Proof.ACCOUNT:
        return "That is noted by the portal itself. Choose how you saw who asks."
    if failed_before >= MOST_FAILED:
        return (
            f"{MOST_FAILED} looks did not agree, so nothing more is tried. Answer that it could"
            " not be shown who asks."
        )
    if way is Proof.MATCHED and passed and not facts:
        return "Tick what agrees with the record."
    if way not in _OF_PERSON and not knows_which:
        return "Say with whose record it agrees: each is shown by itself."
    return ""
