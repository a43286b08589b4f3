"""What a person says of the use of their data, and what each such word bars. Pure (C33, C35).

A directive only ever takes away: the decision asks for it last, of what would be permitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from policies.rules.purposes import ALWAYS, CARE, PURPOSE_LABELS, Purpose


class DirectiveKind(StrEnum):
    RESTRICTION = "restriction"
    DISCLOSURE = "disclosure"
    HEALTH_PLAN = "health-plan"
    OBJECTION = "objection"
    LIMIT_SENSITIVE = "limit-sensitive"
    OPT_OUT = "opt-out"
    WITHDRAWAL = "withdrawal"


class Source(StrEnum):
    """How it was said: in the portal by the person, through a request, by a browser's signal."""

    PORTAL = "portal"
    CASE = "case"
    GPC = "gpc"
    DNT = "dnt"
    LINK = "link"


SOURCE_LABELS = {
    Source.PORTAL: "said in the portal",
    Source.CASE: "through a request",
    Source.GPC: "by Global Privacy Control",
    Source.DNT: "by Do Not Track",
    Source.LINK: "by the link at the foot of each page",
}

# Signing in, and what ALWAYS covers, is about accounts, security and law, and cannot be barred.
_ANY: Final = frozenset(Purpose) - ALWAYS - {Purpose.AUTHENTICATION}
# 11 CCR 7027(m): the service that was asked for, its security, its upkeep and its quality.
SENSITIVE_ALLOWED: Final = (
    CARE
    | ALWAYS
    | {Purpose.AUTHENTICATION, Purpose.OPERATIONS, Purpose.TRANSACTIONS, Purpose.COMMUNICATION,
       Purpose.SUPPORT, Purpose.LEGAL_CLAIMS}
)  # fmt: skip
_PRODUCT: Final = frozenset(
    {Purpose.ANALYTICS, Purpose.SERVICE_IMPROVEMENT, Purpose.PERSONALISATION, Purpose.DEVELOPMENT}
)
_FOR_OTHERS: Final = frozenset(
    {Purpose.RESEARCH, Purpose.AI_TRAINING, Purpose.STATISTICS, Purpose.MARKETING,
     Purpose.ADVERTISING}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DirectiveFacts:
    """`reach`: the purposes it can bar, after its law; `usual`: those it bars if none is named."""

    label: str
    explanation: str
    cites: str
    denied: str
    reach: frozenset[Purpose]
    # Does it bar the organisation that holds the images, or its disclosures to others alone?
    binds_owner: bool = True
    names_recipients: bool = False
    # GDPR Art. 18(3): the person is told before somebody else lifts it.
    told_before_lifting: bool = False

    @property
    def usual(self) -> frozenset[Purpose]:
        """Treatment by those who hold the images goes on unless it is named (Art. 18(2): whoever
        comes to be treated consents to it)."""
        return self.reach - {Purpose.TREATMENT} if self.binds_owner else self.reach


DIRECTIVES: dict[DirectiveKind, DirectiveFacts] = {
    DirectiveKind.RESTRICTION: DirectiveFacts(
        "Locked",
        "It is kept, but not used, while a question is open. Legal claims stay possible.",
        "GDPR Art. 18(1), (2)",
        "The person had this locked: it is kept, but not used for this (GDPR Art. 18). A privacy"
        " officer of the organisation that holds it can say more.",
        _ANY - {Purpose.LEGAL_CLAIMS},
        told_before_lifting=True,
    ),
    DirectiveKind.DISCLOSURE: DirectiveFacts(
        "Not given to somebody",
        "Those who are named receive nothing, whatever was shared before.",
        "45 CFR 164.522(a)(1)(i), (iii)",
        "The person asked that this is not disclosed to you, and that was agreed to"
        " (45 CFR 164.522(a)).",
        _ANY, binds_owner=False, names_recipients=True,
    ),
    DirectiveKind.HEALTH_PLAN: DirectiveFacts(
        "Kept from a health plan",
        "What was paid for in full by the person does not go to the plan that is named, for"
        " payment or for its operations. This cannot be refused.",
        "45 CFR 164.522(a)(1)(vi)",
        "The person paid for this in full and had it kept from their health plan"
        " (45 CFR 164.522(a)(1)(vi)).",
        frozenset({Purpose.TRANSACTIONS, Purpose.OPERATIONS, Purpose.QUALITY_ASSURANCE,
                   Purpose.CARE_COORDINATION, Purpose.STATISTICS}),
        binds_owner=False, names_recipients=True,
    ),
    DirectiveKind.OBJECTION: DirectiveFacts(
        "Objected to",
        "What rests on legitimate interests stops; advertising and research stop in any case.",
        "GDPR Art. 21(1), (3), (6)",
        "The person objected to this use (GDPR Art. 21).",
        _ANY - {Purpose.TREATMENT, Purpose.TRANSACTIONS, Purpose.LEGAL_CLAIMS},
    ),
    DirectiveKind.LIMIT_SENSITIVE: DirectiveFacts(
        "Sensitive data limited",
        "Data is used for care and for running the service, and for nothing else.",
        "Cal. Civ. Code 1798.121(a); 11 CCR 7027(m)",
        "The person limited the use of sensitive data to care (Cal. Civ. Code 1798.121).",
        _ANY - SENSITIVE_ALLOWED,
    ),
    DirectiveKind.OPT_OUT: DirectiveFacts(
        "Opted out of sale and sharing",
        "Nothing goes to others for research, the training of software, statistics or advertising.",
        "Cal. Civ. Code 1798.120; 11 CCR 7025, 7026",
        "The person opted out of sale and sharing (Cal. Civ. Code 1798.120).",
        _FOR_OTHERS | {Purpose.DEVELOPMENT}, binds_owner=False,
    ),
    DirectiveKind.WITHDRAWAL: DirectiveFacts(
        "Consent taken back",
        "Shares for these purposes end now, and new ones are not made. What was done before stays"
        " lawful.",
        "GDPR Art. 7(3); 45 CFR 164.508(b)(5)",
        "The person took back their consent to this (GDPR Art. 7(3)).",
        (CARE - {Purpose.TREATMENT}) | _FOR_OTHERS | _PRODUCT,
    ),
}  # fmt: skip
DIRECTIVE_CHOICES = [(kind.value, facts.label) for kind, facts in DIRECTIVES.items()]


@dataclass(frozen=True, slots=True)
class Bar:
    """A directive in force as the decision needs it. Empty sets: every study, every recipient."""

    kind: DirectiveKind
    purposes: frozenset[str]
    set_at: datetime
    studies: frozenset[str] = frozenset()
    recipients: frozenset[UUID] = frozenset()

    def bars(self, *, purpose: str, study_uid: str, recipient: UUID | None, owner: bool) -> bool:
        """Does it stand against this use? `recipient`: the organisation that would receive."""
        if owner and not DIRECTIVES[self.kind].binds_owner:
            return False
        if purpose not in self.purposes:
            return False
        if self.studies and study_uid not in self.studies:
            return False
        return not self.recipients or recipient in self.recipients

    def yielding(self, consented: Mapping[str, datetime]) -> Bar:
        """Leave out what the person consented to afterwards, by purpose (GDPR Art. 18(2);
        Cal. Civ. Code 1798.120(d), 1798.121(b))."""
        agreed = {purpose for purpose, at in consented.items() if at > self.set_at}
        return replace(self, purposes=self.purposes - agreed)


# Treatment is what the person comes for, and no sale (Cal. Civ. Code 1798.145(c)(1)).
BARRED_TO_BUYERS: Final = _ANY - {Purpose.TREATMENT, Purpose.LEGAL_CLAIMS}


def with_buyers(bars: Iterable[Bar], buyers: Collection[UUID]) -> list[Bar]:
    """Add to each opt-out that nothing but treatment goes to those whom the holder gives data for
    something of value (Cal. Civ. Code 1798.120, 1798.140(ad); MEDDIM-4.2)."""
    found = list(bars)
    if not buyers:
        return found
    purposes, recipients = frozenset(BARRED_TO_BUYERS), frozenset(buyers)
    return found + [
        replace(bar, purposes=purposes, recipients=recipients)
        for bar in found if bar.kind is DirectiveKind.OPT_OUT
    ]  # fmt: skip


def barring(
    bars: Iterable[Bar], *, purpose: str, study_uid: str, recipient: UUID | None, owner: bool
) -> Bar | None:
    """The first directive that stands against a use; None: nobody said anything against it."""
    for bar in bars:
        if bar.bars(purpose=purpose, study_uid=study_uid, recipient=recipient, owner=owner):
            return bar
    return None


class ScopeRefused(ValueError):
    """One sentence that says why a directive cannot reach that far, and what to choose."""


def purposes_reached(kind: DirectiveKind, named: Collection[str]) -> frozenset[str]:
    """What a directive bars: the purposes named, or all that are usual. Raises `ScopeRefused`."""
    facts = DIRECTIVES[kind]
    wanted = frozenset(named) or frozenset(one.value for one in facts.usual)
    beyond = sorted(wanted - {one.value for one in facts.reach})
    if beyond:
        label = PURPOSE_LABELS[Purpose(beyond[0])] if beyond[0] in set(Purpose) else "That"
        raise ScopeRefused(f"“{label}” is not something that this can bar ({facts.cites}).")
    return wanted


def scope_words(
    kind: DirectiveKind,
    purposes: Collection[str],
    studies: Collection[str],
    recipients: Collection[str] = (),
) -> str:
    """Say in words how far a directive reaches; `recipients` by their names."""
    labels = sorted(PURPOSE_LABELS[Purpose(one)] for one in purposes if one in set(Purpose))
    facts = DIRECTIVES[kind]
    is_usual = frozenset(purposes) == {one.value for one in facts.usual}
    but = "" if facts.usual == facts.reach else ", but for treatment where they are held"
    what = f"every use that it can bar{but}" if is_usual else "; ".join(labels)
    number = len(studies)
    where = "all studies" if not number else f"{number} stud{'y' if number == 1 else 'ies'}"
    whom = f"; to {', '.join(sorted(recipients))}" if recipients else ""
    return f"{what}; {where}{whom}"


def packed(values: Iterable[object]) -> str:
    """Several values in one column, each between bars, so that SQL finds one of them."""
    texts = sorted({str(one) for one in values})
    return f"|{'|'.join(texts)}|" if texts else ""


def unpacked(text: str) -> frozenset[str]:
    return frozenset(one for one in text.split("|") if one)


def refusal_to_lift(
    kind: DirectiveKind, *, by_person: bool, announced: bool, case_number: str
) -> str:
    """Say why a directive cannot be lifted now; empty if it can.

    The person lifts their own at any time. An officer does at the person's request, which has a
    number; a restriction also when its ground is gone, once the person was told (Art. 18(3)).
    """
    if by_person or case_number:
        return ""
    if not DIRECTIVES[kind].told_before_lifting:
        return "Only the person lifts this, or asks for it: give the number of their request."
    if not announced:
        return "Tell the person first that it will be lifted (GDPR Art. 18(3))."
    return ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A directive as somebody asks for it. Empty: all purposes that are usual, all studies."""

    kind: DirectiveKind
    purposes: frozenset[str] = frozenset()
    studies: frozenset[str] = frozenset()
    recipients: frozenset[UUID] = frozenset()
    reason: str = ""


LONGEST_REASON: Final = 2000


def checked(wanted: Wanted, *, can_be_objected_to: Collection[str]) -> Wanted:
    """Give it with its purposes named, or raise `ScopeRefused`.

    `can_be_objected_to`: what the policy in force rests on legitimate interests (Art. 21(1)).
    """
    facts = DIRECTIVES[wanted.kind]
    if facts.names_recipients and not wanted.recipients:
        raise ScopeRefused("Name who is to receive nothing: choose at least one organisation.")
    if wanted.recipients and not facts.names_recipients:
        raise ScopeRefused(f"“{facts.label}” holds towards everybody; name no organisation.")
    if len(wanted.reason) > LONGEST_REASON:
        raise ScopeRefused(f"A reason has at most {LONGEST_REASON} characters.")
    purposes = purposes_reached(wanted.kind, wanted.purposes)
    if wanted.kind is DirectiveKind.OBJECTION:
        purposes = _objected(purposes, can_be_objected_to, named=bool(wanted.purposes))
    return replace(wanted, purposes=purposes)


# Art. 21(2), (3) and (6): advertising whatever the basis, and research and statistics.
_ALWAYS_OBJECTED: Final = _FOR_OTHERS


def _objected(
    purposes: frozenset[str], can_be_objected_to: Collection[str], *, named: bool
) -> frozenset[str]:
    possible = frozenset(can_be_objected_to) | {one.value for one in _ALWAYS_OBJECTED}
    beyond = sorted(purposes - possible)
    if named and beyond:
        label = PURPOSE_LABELS[Purpose(beyond[0])]
        raise ScopeRefused(
            f"“{label}” does not rest on legitimate interests here, so there is nothing to object"
            " to. A restriction can stop it, or consent can be taken back."
        )
    return purposes & possible
