"""The grounds of a disclosure under law, and what each of them asks for (C16). Pure.

Which of them there are is said by the policy (`legal.grounds`); what each asks for is the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from policies.rules.schema.uses import GROUNDS


@dataclass(frozen=True, slots=True)
class GroundFacts:
    """`document`: what has to be attached, in words; empty where nobody else demands anything."""

    label: str
    cites: str
    document: str = ""
    needs_rationale: bool = False
    only_accounts: bool = False
    is_emergency: bool = False

    @property
    def is_compelled(self) -> bool:
        """Does somebody demand it by a document, so that it can be narrowed and contested?"""
        return bool(self.document)


def _label(code: str) -> str:
    words = GROUNDS[code]
    return words[0].upper() + words[1:]


GROUND_FACTS: Final[dict[str, GroundFacts]] = {
    "law": GroundFacts(
        _label("law"), "45 CFR 164.512(a); GDPR Art. 6(1)(c)", "The demand that cites the law"
    ),
    "court-order": GroundFacts(_label("court-order"), "45 CFR 164.512(e)(1)(i)", "The order"),
    "subpoena": GroundFacts(_label("subpoena"), "45 CFR 164.512(e)(1)(ii)", "The subpoena"),
    "government-request": GroundFacts(
        _label("government-request"), "45 CFR 164.512(f)(1)(ii)(C)", "The request of the agency"
    ),
    "investigation": GroundFacts(
        _label("investigation"), "45 CFR 164.512(f)", "The letter of whoever investigates"
    ),
    "compliance-review": GroundFacts(
        _label("compliance-review"), "45 CFR 164.512(d), 160.310(c)", "The notice of the review"
    ),
    "fraud": GroundFacts(
        _label("fraud"), "45 CFR 164.512(f)(5); GDPR Art. 6(1)(f)", needs_rationale=True
    ),
    "terms": GroundFacts(
        _label("terms"), "GDPR Art. 6(1)(f)", needs_rationale=True, only_accounts=True
    ),
    "rights": GroundFacts(
        _label("rights"), "45 CFR 164.512(e); GDPR Art. 9(2)(f)", needs_rationale=True
    ),
    "safety": GroundFacts(
        _label("safety"), "45 CFR 164.512(j); GDPR Art. 6(1)(d)", needs_rationale=True,
        is_emergency=True,
    ),
}  # fmt: skip


def offered(listed: Collection[str], *, reviews: bool) -> tuple[str, ...]:
    """The grounds on which a case can be opened: those of the policy, in the order of the table.

    `reviews`: whether the policy lets authorities that review compliance have what is relevant.
    """
    return tuple(
        code for code in GROUND_FACTS
        if code in listed and (reviews or code != "compliance-review")
    )  # fmt: skip
