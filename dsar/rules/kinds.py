"""What one can ask for, in plain words. Pure (C29, C45)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    ACCESS = "access"
    COPY = "copy"
    PORTABILITY = "portability"
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    LIMIT_SENSITIVE = "limit-sensitive"
    OPT_OUT = "opt-out"
    WITHDRAW_CONSENT = "withdraw-consent"
    ACCOUNTING = "accounting"
    AUDIT_LOG = "audit-log"
    SHINE_THE_LIGHT = "shine-the-light"
    ACCOUNT_CLOSURE = "account-closure"
    RECORDS_RELEASE = "records-release"
    COMPLAINT = "complaint"
    QUESTION = "question"
    SUPPORT = "support"
    TRANSFER_SAFEGUARDS = "transfer-safeguards"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """`needs_identity`: what is handed out or changed must not go to, or be for, somebody else."""

    label: str
    explanation: str
    needs_identity: bool = False
    # A request about data about oneself, as against a question that anybody can have.
    is_right: bool = True
    # Offered only to whom a law gives it: nobody else has anything to opt out of, say.
    by_law_only: bool = False


KINDS: dict[Kind, KindFacts] = {
    Kind.ACCESS: KindFacts(
        "Know what is held about me",
        "What there is, what for, where it came from, who received it and how long it is kept.",
        needs_identity=True,
    ),
    Kind.COPY: KindFacts(
        "Have a copy", "Images, reports or other data about you, or about your animal.",
        needs_identity=True,
    ),
    Kind.PORTABILITY: KindFacts(
        "Take my data elsewhere", "In a form that programs read, to you or to another provider.",
        needs_identity=True,
    ),
    Kind.CORRECTION: KindFacts(
        "Have something corrected", "Say what is wrong, and what would be right.",
        needs_identity=True,
    ),
    Kind.ERASURE: KindFacts(
        "Have something deleted",
        "What the law asks to keep is kept; the answer says what and why.", needs_identity=True,
    ),
    Kind.RESTRICTION: KindFacts(
        "Have something locked", "It is kept, but not used, while a question is open.",
        needs_identity=True,
    ),
    Kind.OBJECTION: KindFacts(
        "Object to a use", "Say which use of your data you object to, and why.",
        needs_identity=True,
    ),
    Kind.LIMIT_SENSITIVE: KindFacts(
        "Limit the use of sensitive data", "To what is needed for what you asked for.",
        by_law_only=True,
    ),
    Kind.OPT_OUT: KindFacts(
        "Opt out of sale and sharing", "Without proof of who you are, and without giving reasons.",
        by_law_only=True,
    ),
    Kind.WITHDRAW_CONSENT: KindFacts(
        "Take consent back", "Say what you agreed to and no longer agree to.",
        needs_identity=True,
    ),
    Kind.ACCOUNTING: KindFacts(
        "Know whom my data was given to", "To whom, when, what, and for what purpose.",
        needs_identity=True,
    ),
    Kind.AUDIT_LOG: KindFacts(
        "Know who looked at my data", "Who looked, and when.", needs_identity=True,
    ),
    Kind.SHINE_THE_LIGHT: KindFacts(
        "Know who got my data for their own advertising", "Once in a calendar year.",
        by_law_only=True,
    ),
    Kind.ACCOUNT_CLOSURE: KindFacts(
        "Close my account", "If you can still sign in, your account's page does it at once.",
        needs_identity=True,
    ),
    Kind.RECORDS_RELEASE: KindFacts(
        "Have archived records released",
        "What is kept only because the law asks for it, after an account was closed. It takes a"
        " signed authorization.", needs_identity=True,
    ),
    Kind.COMPLAINT: KindFacts(
        "Complain", "Say what went wrong. You can also turn to an authority at any time.",
        is_right=False,
    ),
    Kind.QUESTION: KindFacts(
        "Ask a question about privacy", "About the policy, or about what is done with data.",
        is_right=False,
    ),
    Kind.SUPPORT: KindFacts(
        "Get help with the portal", "Something does not work, or you do not find it.",
        is_right=False,
    ),
    Kind.TRANSFER_SAFEGUARDS: KindFacts(
        "Ask what protects data that goes abroad", "Which safeguards there are for transfers.",
        is_right=False,
    ),
}  # fmt: skip

# Only residents of California have it (Cal. Civ. Code 1798.83(e)(1)); its letters say so.
LIGHT_SUBJECT = "Shine the Light Request"
CALIFORNIA = "US-CA"


def refusal_of_residence(kind: Kind, residence: str) -> str:
    """Say why somebody who says that they live there cannot ask this; empty if they can."""
    if kind is Kind.SHINE_THE_LIGHT and residence != CALIFORNIA:
        return "Confirm that the person lives in California: the law gives this to nobody else."
    return ""


KIND_CHOICES = [(kind.value, facts.label) for kind, facts in KINDS.items()]
