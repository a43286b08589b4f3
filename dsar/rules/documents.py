"""Papers that come with a request: what they are for, and until when they are kept. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from dsar.rules.laws import Law
from retention.rules.periods import Period

LARGEST: Final = 8 << 20
MOST_OF_A_CASE: Final = 20


class FileType(StrEnum):
    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"


MEDIA_TYPES: Final = {
    FileType.PDF: "application/pdf",
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
}


ENDINGS: Final = {FileType.PDF: "pdf", FileType.JPEG: "jpg", FileType.PNG: "png"}


class DocumentKind(StrEnum):
    IDENTITY = "identity"
    AUTHORITY = "authority"
    RELEASE = "release"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """`at_decision`: only needed to decide, and destroyed with the answer (GDPR Art. 5(1)(e))."""

    label: str
    explanation: str
    at_decision: bool = False


DOCUMENT_KINDS: dict[DocumentKind, DocumentFacts] = {
    DocumentKind.IDENTITY: DocumentFacts(
        "Identity document",
        "Shows who somebody is. Whatever is not needed for that can be covered. It is destroyed"
        " when the request is answered.", at_decision=True,
    ),
    DocumentKind.AUTHORITY: DocumentFacts(
        "Authority to act for somebody",
        "A signed permission, a power of attorney, or a paper that shows who cares for a child.",
    ),
    DocumentKind.RELEASE: DocumentFacts(
        "Authorization to release records", "Signed by the person whose records they are.",
    ),
    DocumentKind.SUPPORT: DocumentFacts(
        "Paper that supports the request", "Such as what shows that an entry is wrong.",
    ),
}  # fmt: skip
# How long the laws ask to keep what a request was decided on.
_BY_LAW: Final = {
    Law.CCPA: (Period(24, "month"), "11 CCR 7101(a)"),
    Law.HIPAA: (Period(6, "year"), "45 CFR 164.530(j)(2)"),
}
# Where neither a law nor the policy says: as evidence that the request was answered as asked.
_ELSE: Final = Period(24, "month")


@dataclass(frozen=True, slots=True)
class Term:
    until: date
    why: str


def term_of(
    kind: DocumentKind, answered_on: date, laws: Collection[Law], of_policy: Period | None
) -> Term:
    """The last day on which a document is kept, once the request is answered: the longest counts.

    `of_policy`: how long the policy keeps requests, if it says so.
    """
    if DOCUMENT_KINDS[kind].at_decision:
        return Term(answered_on, "only needed until the request is answered")
    terms = [
        Term(period.after(answered_on), f"{period.words} ({cites})")
        for law, (period, cites) in _BY_LAW.items()
        if law in laws
    ]
    if of_policy is not None:
        terms.append(Term(of_policy.after(answered_on), f"{of_policy.words} (privacy policy)"))
    if not terms:
        terms.append(Term(_ELSE.after(answered_on), f"{_ELSE.words}, as evidence"))
    return max(terms, key=lambda term: term.until)
