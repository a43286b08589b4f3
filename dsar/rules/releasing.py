"""Release of archived records: what an authorization must say, and who decides when. Pure (C28).

What lies in the legal archive is opened for two reasons only: its person, or whoever may sign for
them, has authorized it in a form that shows who signed; or law orders it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome


class Basis(StrEnum):
    AUTHORIZATION = "authorization"
    ORDER = "legal-order"


BASIS_LABELS = {
    Basis.AUTHORIZATION: "An authorization, signed by the person or whoever acts for them",
    Basis.ORDER: "An order that the law makes us follow",
}


class Check(StrEnum):
    WHAT = "what"
    FROM_WHOM = "from-whom"
    TO_WHOM = "to-whom"
    PURPOSE = "purpose"
    SIGNED = "signed"
    IDENTITY = "identity"
    CITED = "cited"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class CheckFacts:
    label: str
    cites: str
    of: frozenset[Basis]


_SIGNED, _ORDERED = frozenset({Basis.AUTHORIZATION}), frozenset({Basis.ORDER})
CHECKS: dict[Check, CheckFacts] = {
    Check.WHAT: CheckFacts(
        "It says which records may be released", "45 CFR 164.508(c)(1)(i)", _SIGNED
    ),
    Check.FROM_WHOM: CheckFacts(
        "It names us as the one who may release them", "45 CFR 164.508(c)(1)(ii)", _SIGNED
    ),
    Check.TO_WHOM: CheckFacts(
        "It names whoever asks here as the one who may have them", "45 CFR 164.508(c)(1)(iii)",
        _SIGNED,
    ),
    Check.PURPOSE: CheckFacts("It says what for", "45 CFR 164.508(c)(1)(iv)", _SIGNED),
    Check.SIGNED: CheckFacts(
        "It is signed and dated, by the person or by somebody whose authority it shows",
        "45 CFR 164.508(c)(1)(vi)", _SIGNED,
    ),
    Check.IDENTITY: CheckFacts(
        "I have verified that whoever signed is who they say", "45 CFR 164.514(h)(1)", _SIGNED
    ),
    Check.CITED: CheckFacts(
        "It cites the law, and comes from whoever may order it", "45 CFR 164.512(a), (e)", _ORDERED
    ),
    Check.COVERED: CheckFacts(
        "Only what it orders is ticked below", "45 CFR 164.512(e)(1)(i)", _ORDERED
    ),
}  # fmt: skip


def checks_for(basis: Basis) -> tuple[Check, ...]:
    """What an officer has to have seen, each by itself."""
    return tuple(one for one, facts in CHECKS.items() if basis in facts.of)


def seen_in(codes: Collection[str]) -> list[CheckFacts]:
    """What was ticked, in the order of the table."""
    return [facts for one, facts in CHECKS.items() if one.value in set(codes)]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an officer read in the paper. `ends_on`: the last day on which it holds."""

    basis: Basis
    signed_on: date
    ends_on: date
    checks: frozenset[Check] = frozenset()
    reference: str = ""


def fault_of(given: Authorization, today: date) -> str:
    """Why this opens nothing; empty if it does."""
    missing = [one for one in checks_for(given.basis) if one not in given.checks]
    if missing:
        facts = CHECKS[missing[0]]
        return f"This does not open the archive: “{facts.label}” is not so ({facts.cites})."
    if given.basis is Basis.ORDER and not given.reference:
        return "Say which order it is: its number, and who gave it."
    if given.signed_on > today:
        return "It cannot have been signed in the future."
    return fault_of_term(given.signed_on, given.ends_on, today)


def fault_of_term(signed_on: date, ends_on: date, today: date) -> str:
    """Without an end, or beyond it, it is none (45 CFR 164.508(b)(2)(i), (c)(1)(v))."""
    if ends_on < signed_on:
        return "Its last day lies before the day on which it was signed."
    if today > ends_on:
        return f"It held until {ends_on.day} {ends_on:%B %Y}. Ask for a new one."
    return ""


class Stage(StrEnum):
    ASKED = "asked"
    CHECKED = "checked"
    APPROVED = "approved"
    MADE = "made"


STAGE_LABELS = {
    Stage.ASKED: "No authorization has been checked: nothing is opened",
    Stage.CHECKED: "Checked by an officer: a second person has to approve it",
    Stage.APPROVED: "Approved by two: the package can be made",
    Stage.MADE: "The package is made",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """What a request for release has by now."""

    kind: Kind
    is_open: bool
    is_identified: bool
    knows_whom: bool
    has_paper: bool
    # Whoever asks in somebody's name has not shown that they may, and why not.
    unauthorised: str = ""
    # A quote that the policy lets us make, and that whoever asks has not accepted yet.
    waits_for_quote: bool = False


def refusal_to_check(ready: Ready) -> str:
    """Why no authorization can be checked now; empty if it can."""
    if ready.kind is not Kind.RECORDS_RELEASE:
        return "Nobody asked for archived records here."
    if not ready.is_open:
        return "This case is answered. A new request makes a new one."
    if not ready.is_identified:
        return "Note first how it is known who asks."
    if not ready.knows_whom:
        return "Find first whose records they are."
    if ready.unauthorised:
        return ready.unauthorised
    if not ready.has_paper:
        return (
            "There is no authorization: nothing in the archive is opened without one. Add the"
            " signed paper first, or ask for it."
        )
    return ""


def refusal_to_approve(*, checked_by: int, approver: int) -> str:
    """Two people, not one twice."""
    if checked_by == approver:
        return "You checked it. Somebody else has to approve it as well."
    return ""


def refusal_to_make(stage: Stage, ready: Ready) -> str:
    """Why no package can be made now; empty if it can."""
    if stage in {Stage.ASKED, Stage.CHECKED}:
        return f"{STAGE_LABELS[stage]}."
    if ready.waits_for_quote:
        return "What it costs was quoted, and is not accepted yet. Nothing is prepared before."
    return ""


def refusal_to_answer(kind: Kind, outcome: Outcome, stage: Stage) -> str:
    """Nothing is called released that is not; empty: the answer can go out."""
    hands_out = outcome in {Outcome.GRANTED, Outcome.PARTLY}
    if kind is Kind.RECORDS_RELEASE and hands_out and stage is not Stage.MADE:
        return f"Nothing is released yet. {STAGE_LABELS[stage]}."
    return ""


def covers_only(chosen: Collection[str], archived: Collection[str]) -> str:
    """Why this choice of studies cannot be released; empty if it can."""
    if not chosen:
        return "Choose what the authorization covers."
    if not set(chosen) <= set(archived):
        return "That is not among what lies in the archive of these people."
    return ""
