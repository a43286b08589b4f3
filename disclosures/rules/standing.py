"""How a case stands, and what is still missing before anything goes out. Pure (C16).

45 CFR 164.502(b), 164.512, 164.514(d), (h); LIFEIMAGE-4.6, 7.2 to 7.7; VIGILANT-6.2 to 6.6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from disclosures.rules.grounds import GroundFacts

# How long somebody who was told has, before anything goes out: the time to object.
WAITING_DAYS: Final = 7
# An emergency is looked at by somebody else within so many hours. A breach is told within as many
# (GDPR Art. 33(1)); a disclosure that should not have been would be one.
REVIEW_HOURS: Final = 72
LONGEST_PROHIBITION: Final = timedelta(days=366)


class Said(StrEnum):
    """What somebody wrote and signed in a case: one of each, the last counts."""

    RATIONALE = "rationale"
    VALIDITY = "validity"
    NECESSITY = "necessity"
    ASKED = "asked"
    OBJECTED = "objected"
    COUNSEL = "counsel"
    WITHHELD = "withheld"
    REVIEW = "review"
    CLOSED = "closed"


SAID_LABELS: Final = {
    Said.RATIONALE: "Why it is needed",
    Said.VALIDITY: "Validity, as it was checked",
    Said.NECESSITY: "Belief in good faith that it is necessary",
    Said.ASKED: "What was asked for",
    Said.OBJECTED: "What was objected to",
    Said.COUNSEL: "What counsel said",
    Said.WITHHELD: "Why the document is not shown to the person",
    Said.REVIEW: "Review afterwards",
    Said.CLOSED: "How it ended",
}
# With these the scope is narrowed; each may say that there was nothing.
NARROWING: Final = (Said.ASKED, Said.OBJECTED, Said.COUNSEL)


class Check(StrEnum):
    """What an officer sees in the document, line by line."""

    ISSUED = "issued"
    SERVED = "served"
    TERM = "term"
    COMPETENT = "competent"


CHECKS: Final = {
    Check.ISSUED: "It is signed by whoever may give it, and that was verified by a way of our own"
    " (45 CFR 164.514(h)(2))",
    Check.COMPETENT: "They have authority over this organisation and this matter",
    Check.SERVED: "It was served as the law says",
    Check.TERM: "It has not expired, and was not withdrawn or stayed",
}


@dataclass(frozen=True, slots=True)
class ItemFacts:
    is_account: bool = False
    has_clause: bool = True
    is_justified: bool = True


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What was done to tell one person. Days are those of the organisation's place.

    `waits_until`: the first day on which something may go out after the notice.
    """

    given: bool = False
    waits_until: date | None = None
    prohibited_until: date | None = None

    def lets_go(self, today: date) -> bool:
        if self.given:
            return self.waits_until is None or today >= self.waits_until
        return self.prohibited_until is not None and today <= self.prohibited_until


@dataclass(frozen=True, slots=True)
class Standing:
    facts: GroundFacts
    # Whether the policy in force still has the ground.
    is_offered: bool = True
    is_closed: bool = False
    is_released: bool = False
    has_document: bool = False
    said: frozenset[Said] = frozenset()
    clauses: int = 0
    chosen: tuple[ItemFacts, ...] = ()
    # Whether all there is of somebody would go out.
    is_whole_record: bool = False
    # One for each person concerned; None where nothing was done yet.
    notices: tuple[NoticeFacts | None, ...] = ()
    is_approved: bool = False
    tells_before: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    code: str
    label: str
    is_done: bool
    missing: str


def needs_second(standing: Standing) -> bool:
    """Always, but in an emergency that does not take all there is of somebody."""
    return not standing.facts.is_emergency or standing.is_whole_record


def steps(standing: Standing, today: date) -> list[Step]:
    """What has to be done in a case, in this order, and whether it is."""
    return list(_steps(standing, today))


def _steps(one: Standing, today: date) -> Iterable[Step]:
    facts, said = one.facts, one.said
    if facts.document:
        yield Step(
            "document",
            f"{facts.document} is attached",
            one.has_document,
            f"Attach the document first: {facts.document[0].lower()}{facts.document[1:]}.",
        )
        yield Step("validity", "Its validity was checked and signed", Said.VALIDITY in said,
                   "Its validity is unchecked. An officer has to look at it and sign.")  # fmt: skip
    if facts.needs_rationale:
        yield Step("rationale", "It is written down why it is needed", Said.RATIONALE in said,
                   "Write down why it is needed.")  # fmt: skip
    yield Step(
        "necessity",
        "An officer has signed that it is necessary, in good faith",
        Said.NECESSITY in said,
        "Nobody has signed that it is necessary, in good faith.",
    )
    yield Step(
        "clauses",
        "What is demanded is written down, point by point",
        one.clauses > 0,
        "Write down what is demanded, point by point.",
    )
    yield Step("items", "What is given out is ticked, and each item has its clause and its reason",
               not refusal_of_items(one), refusal_of_items(one))  # fmt: skip
    if facts.is_compelled:
        yield Step("narrowing", "What was done to keep it narrow is written down",
                   said.issuperset(NARROWING),
                   "Write down what was asked, what was objected to and what counsel said: nothing"
                   " is released before.")  # fmt: skip
    if one.tells_before and not facts.is_emergency:
        refusal = refusal_of_notices(one.notices, today)
        yield Step("notice", "Whoever it is about was told before, or that is prohibited",
                   not refusal, refusal)  # fmt: skip
    if needs_second(one):
        yield Step("approval", "A second person has approved it", one.is_approved,
                   "A second person has to approve it.")  # fmt: skip


def refusal_of_items(standing: Standing) -> str:
    """Why what is ticked cannot go out; empty if it can."""
    if not standing.chosen:
        return "Nothing is ticked, so nothing can be given out."
    for item in standing.chosen:
        if refusal := refusal_to_map(standing.facts, item):
            return refusal
        if not item.is_justified:
            return "An item without a reason cannot be given out. Say why it is needed."
    return ""


def refusal_to_map(facts: GroundFacts, item: ItemFacts) -> str:
    """Why something cannot be put into a case at all; empty if it can."""
    if facts.only_accounts and not item.is_account:
        return "To enforce the terms only data of accounts can be given out, never a study."
    if not item.has_clause:
        return "Say which clause of the demand names it: what no clause names is not given out."
    return ""


def refusal_of_notices(notices: Iterable[NoticeFacts | None], today: date) -> str:
    """Why nothing can go out yet for want of notice; empty if it can (LIFEIMAGE-7.6)."""
    rows = list(notices)
    if not rows:
        return "Whom it is about shows once something is ticked; then they are told."
    for one in rows:
        if one is None:
            return (
                "Somebody whom it is about was not told. Tell them, or cite what prohibits it and"
                " until when."
            )
        if one.lets_go(today):
            continue
        if not one.given:
            return "What prohibited the notice has ended. Tell the person now."
        until = one.waits_until
        assert until is not None
        return f"Whoever was told has until {until.day} {until:%B %Y} to object."
    return ""


def refusal_to_change(standing: Standing) -> str:
    """Why nothing can be changed in a case any more; empty if it can."""
    if standing.is_closed:
        return "This case is closed. Open another for a new demand."
    if standing.is_released:
        return "It is released already. Open another case for a new demand."
    return ""


def refusal_to_approve(standing: Standing, today: date) -> str:
    """Why a second person cannot approve it now; who they are is asked apart."""
    if refusal := refusal_to_change(standing):
        return refusal
    if standing.is_approved:
        return "It is approved already."
    return _first_missing(standing, today, but={"notice", "approval"})


def refusal_of_person(*, approver: int, opened_by: int, signed_by: int | None) -> str:
    """Two people, not one twice (MEDDIM-4.13)."""
    if approver in {opened_by, signed_by}:
        return "You opened or signed it. Somebody else has to approve it."
    return ""


def refusal_to_release(standing: Standing, today: date) -> str:
    """Why nothing can go out now; empty if it can."""
    return refusal_to_change(standing) or _first_missing(standing, today, but=set())


def _first_missing(standing: Standing, today: date, but: set[str]) -> str:
    if not standing.is_offered:
        return "The privacy policy in force does not have this ground any more."
    open_steps = (one for one in steps(standing, today) if not one.is_done and one.code not in but)
    return next((one.missing for one in open_steps), "")


# Notices -----------------------------------------------------------------------------------------
def refusal_of_waiting(days: int, reason: str) -> str:
    if not 0 <= days <= 60:
        return "Give between 0 and 60 days to object."
    if days < WAITING_DAYS and not reason:
        return f"Say why there are fewer than {WAITING_DAYS} days to object."
    return ""


def refusal_of_prohibition(citation: str, ends_on: date | None, today: date) -> str:
    """A prohibition is cited, and has an end (VIGILANT-6.5)."""
    if not citation:
        return "Cite what prohibits the notice, with its number."
    if ends_on is None:
        return "Say until when it is prohibited: without an end it cannot be recorded."
    if not today <= ends_on <= today + LONGEST_PROHIBITION:
        return "It has to end within a year from now. Record it anew if it is renewed."
    return ""


def review_due(released_at: datetime) -> datetime:
    return released_at + timedelta(hours=REVIEW_HOURS)
