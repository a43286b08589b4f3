"""What can be done with a case, and when. Pure.

`refusal_of` says why something cannot be done now, in a sentence that says what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from dsar.rules.kinds import KINDS, Kind


class State(StrEnum):
    OPEN = "open"
    NEEDS_DETAIL = "needs-detail"
    ANSWERED = "answered"
    CLOSED = "closed"


STATE_LABELS = {
    State.OPEN: "open",
    State.NEEDS_DETAIL: "waiting for the person",
    State.ANSWERED: "answered",
    State.CLOSED: "closed",
}
UNANSWERED: Final = (State.OPEN, State.NEEDS_DETAIL)


class Act(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    NOTE = "note"
    IDENTIFY = "identify"
    AUTHORITY = "authority"
    TELL_PERSON = "tell-person"
    ERASE = "erase"
    READDRESS = "readdress"
    ASK_DETAIL = "ask-detail"
    GIVE_DETAIL = "give-detail"
    ASK_DOCUMENT = "ask-document"
    ADD_DOCUMENT = "add-document"
    SEND_DOCUMENT = "send-document"
    EXTEND = "extend"
    LAWS = "laws"
    JOIN = "join"
    QUOTE = "quote-fee"
    ANSWER = "answer"
    HAND_OVER = "hand-over"
    CLOSE = "close"
    DISAGREE = "disagree"
    REBUT = "rebut"


class Door(StrEnum):
    FORM = "form"
    SIGNED_IN = "signed-in"
    EMAIL = "email"
    POST = "post"
    TELEPHONE = "telephone"
    SIGNAL = "signal"


DOOR_LABELS = {
    Door.FORM: "the public form",
    Door.SIGNED_IN: "the portal, signed in",
    Door.EMAIL: "e-mail",
    Door.POST: "post",
    Door.TELEPHONE: "telephone",
    Door.SIGNAL: "a signal of the browser",
}
# What an officer writes down for somebody, who may have sent it days ago.
RECORDED_BY_OFFICER: Final = (Door.EMAIL, Door.POST, Door.TELEPHONE)
# A letter can lie in a house for a while; what is older was a typing error.
OLDEST_RECEIPT: Final = timedelta(days=120)


class Outcome(StrEnum):
    GRANTED = "granted"
    PARTLY = "partly"
    DENIED = "denied"
    REPLIED = "replied"
    JOINED = "joined"


OUTCOME_LABELS = {
    Outcome.GRANTED: "Done as asked",
    Outcome.PARTLY: "Done in part",
    Outcome.DENIED: "Refused",
    Outcome.REPLIED: "Replied",
    Outcome.JOINED: "Taken together with an earlier request",
}


class Denial(StrEnum):
    """Why not, after the justifications of the W3C Data Privacy Vocabulary."""

    IDENTITY = "identity-not-shown"
    AUTHORITY = "authority-not-shown"
    LEGAL_DUTY = "legal-duty-to-keep"
    THIRD_PARTY = "rights-of-others"
    EXEMPTED = "exempted-by-law"
    EXCESSIVE = "unfounded-or-excessive"
    REPEATED = "answered-as-often-as-law-asks"
    NOT_HELD = "nothing-held"
    # Of a release of archived records alone.
    NO_AUTHORIZATION = "no-authorization"
    # Of a correction alone (45 CFR 164.526(a)(2)(i) to (iv)).
    NOT_CREATED = "not-made-here"
    NOT_IN_SET = "not-part-of-the-record"
    NOT_OPEN = "not-open-to-access"
    ACCURATE = "accurate-and-complete"


# Each is of corrections alone, with its paragraph.
AMENDMENT_DENIALS: Final = {
    Denial.NOT_CREATED: "45 CFR 164.526(a)(2)(i)",
    Denial.NOT_IN_SET: "45 CFR 164.526(a)(2)(ii)",
    Denial.NOT_OPEN: "45 CFR 164.526(a)(2)(iii)",
    Denial.ACCURATE: "45 CFR 164.526(a)(2)(iv); GDPR Art. 16",
}
DENIAL_LABELS = {
    Denial.IDENTITY: "It could not be shown who asks",
    Denial.AUTHORITY: "It could not be shown that somebody may ask for the person",
    Denial.LEGAL_DUTY: "The law asks to keep it",
    Denial.THIRD_PARTY: "It would harm the rights of others",
    Denial.EXEMPTED: "The law exempts it",
    Denial.EXCESSIVE: "It is manifestly unfounded or excessive",
    Denial.REPEATED: "It was answered as often as the law asks for in this time",
    Denial.NOT_HELD: "Nothing of the kind is held",
    Denial.NO_AUTHORIZATION: "No valid authorization was shown (45 CFR 164.508)",
    Denial.NOT_CREATED: "It was not made here, and whoever made it can still be asked",
    Denial.NOT_IN_SET: "It is not part of the record that decisions are made from",
    Denial.NOT_OPEN: "It is among what the law does not open to access",
    Denial.ACCURATE: "It is accurate and complete as it stands",
}


def denials_for(kind: Kind) -> list[Denial]:
    """The reasons that there can be for refusing a request of this kind."""
    foreign = set() if kind is Kind.CORRECTION else set(AMENDMENT_DENIALS)
    if kind is not Kind.RECORDS_RELEASE:
        foreign.add(Denial.NO_AUTHORIZATION)
    return [one for one in Denial if one not in foreign]


def denial_words(denial: Denial) -> str:
    """The reason, and its paragraph where it has one of its own."""
    cites = AMENDMENT_DENIALS.get(denial)
    return f"{DENIAL_LABELS[denial]} ({cites})" if cites else DENIAL_LABELS[denial]


class Proof(StrEnum):
    """How it was seen who asks."""

    ACCOUNT = "account"
    DOCUMENT = "document"
    KNOWN = "known-in-person"
    MATCHED = "facts-matched"
    CALLED_BACK = "called-back"
    CODE = "code"


PROOF_LABELS = {
    Proof.ACCOUNT: "They asked while signed in with a second factor",
    Proof.DOCUMENT: "I saw an identity document",
    Proof.KNOWN: "They are known here and came in person",
    Proof.MATCHED: "Facts that only they know match the record",
    Proof.CALLED_BACK: "I called them back on the number of the record",
    Proof.CODE: "They gave the code that went to an address or number of the record",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stands, as the rules see it."""

    kind: Kind
    state: State
    is_acknowledged: bool = False
    is_extended: bool = False
    is_identified: bool = False
    # So sure that nothing more needs to be looked at.
    is_certain: bool = False
    # Somebody asks for somebody else; and why nothing can be done for them yet, in a sentence.
    for_other: bool = False
    unauthorised: str = ""
    # Why it cannot be taken together with an earlier one, in a sentence.
    not_joined: str = "There is no earlier request of the same kind to join it to."
    # From when on the law asks to answer it again; None: now.
    next_on: date | None = None
    # A law whose reasons for refusing do not name what is excessive.
    bars_excessive: str = ""
    # A fee was quoted, and the person has not accepted it yet; why none can be quoted.
    fee_open: bool = False
    free: str = ""
    answer_on: date = date.max
    extends_to: date | None = None
    # The policy says that patients' requests go on to the provider that sent the data.
    routes_on: bool = False
    # A correction that was refused, at least in part, and what was said of that.
    is_denied: bool = False
    is_disputed: bool = False
    is_rebutted: bool = False


# What can still be said once a correction was refused, also after the case is closed.
_AFTERWARDS: Final = frozenset({Act.DISAGREE, Act.REBUT})
_ALLOWED: dict[State, frozenset[Act]] = {
    State.OPEN: frozenset(Act) - {Act.GIVE_DETAIL, Act.CLOSE} - _AFTERWARDS,
    State.NEEDS_DETAIL: frozenset(Act) - {Act.ASK_DETAIL, Act.CLOSE} - _AFTERWARDS,
    State.ANSWERED: frozenset({Act.ASSIGN, Act.NOTE, Act.READDRESS, Act.CLOSE}) | _AFTERWARDS,
    State.CLOSED: _AFTERWARDS,
}
_WHY_NOT = {
    State.CLOSED: "This case is closed. A new request makes a new one.",
    State.ANSWERED: "This case is answered. Close it, or write a note.",
}


def refusal_of(act: Act, standing: Standing, today: date) -> str:
    """Say why an act cannot be done now; empty if it can."""
    if act in _AFTERWARDS:
        return _refusal_afterwards(act, standing)
    if act in {Act.AUTHORITY, Act.TELL_PERSON} and not standing.for_other:
        return "Nobody asks for somebody else here."
    if act not in _ALLOWED[standing.state]:
        return _refusal_in_state(act, standing)
    match act:
        case Act.ACKNOWLEDGE if standing.is_acknowledged:
            return "It was acknowledged already."
        case Act.IDENTIFY if standing.is_certain:
            return "It was noted already how it is known who asks."
        case Act.HAND_OVER if not standing.routes_on:
            return "The privacy policy says that requests are answered here, not handed on."
        case Act.JOIN:
            return standing.not_joined
        case Act.QUOTE:
            return standing.free
        case Act.EXTEND:
            return _refusal_to_extend(standing, today)
    return ""


def _refusal_in_state(act: Act, standing: Standing) -> str:
    if act is Act.CLOSE and standing.state in UNANSWERED:
        return "Answer first: no request is closed without a reply in writing."
    if act is Act.GIVE_DETAIL and standing.state is State.OPEN:
        return "Nothing is asked of you at the moment."
    if act is Act.ASK_DETAIL and standing.state is State.NEEDS_DETAIL:
        return "The person was asked already, and has not replied yet."
    return _WHY_NOT[standing.state]


def _refusal_afterwards(act: Act, standing: Standing) -> str:
    """45 CFR 164.526(d)(2), (3): a statement of whoever asked, and one reply to it."""
    if standing.kind is not Kind.CORRECTION or not standing.is_denied:
        return "A statement of disagreement follows a correction that was refused."
    if not standing.is_identified:
        return "It is not known who asks, so nothing can be added to anybody's record."
    if act is Act.DISAGREE:
        return "A statement was written already." if standing.is_disputed else ""
    if not standing.is_disputed:
        return "There is no statement to reply to."
    return "It was replied to already." if standing.is_rebutted else ""


def _refusal_to_extend(standing: Standing, today: date) -> str:
    if standing.is_extended:
        return "It was extended once; there is no second time."
    if standing.extends_to is None or standing.extends_to <= standing.answer_on:
        return "One of the laws that count here gives no longer time."
    if today > standing.answer_on:
        return "The first time is over; an extension had to be told before that."
    return ""


def outcomes_for(kind: Kind) -> tuple[Outcome, ...]:
    """How a case of this kind can end."""
    if KINDS[kind].is_right:
        return (Outcome.GRANTED, Outcome.PARTLY, Outcome.DENIED)
    return (Outcome.REPLIED,)


def refusal_to_answer(outcome: Outcome, denial: str, standing: Standing) -> str:
    """Say why an answer cannot go out like this; empty if it can."""
    if outcome is Outcome.DENIED and denial not in set(Denial):
        return "Say why it is refused: choose a reason."
    if outcome is not Outcome.DENIED and denial:
        return "A reason for refusing belongs to a refusal only."
    if denial and denial not in denials_for(standing.kind):
        what = (
            "a correction" if denial in set(AMENDMENT_DENIALS) else "a release of archived records"
        )
        return f"That is a reason for refusing {what}, and nothing else."
    if refusal := _refusal_to_deny(denial, standing):
        return refusal
    if outcome not in outcomes_for(standing.kind):
        return "A request is granted, granted in part or refused; a question is replied to."
    hands_out = outcome in {Outcome.GRANTED, Outcome.PARTLY}
    if hands_out and standing.unauthorised:
        return standing.unauthorised
    if hands_out and standing.fee_open:
        return "The person has not accepted the fee yet. Wait for it, or quote none."
    if hands_out and KINDS[standing.kind].needs_identity and not standing.is_identified:
        return "Note first how it is known who asks; until then nothing is handed out or changed."
    return ""


def _refusal_to_deny(denial: str, standing: Standing) -> str:
    if denial == Denial.REPEATED and standing.next_on is None:
        return "The law asks to answer it again. Answer it like any other."
    if denial == Denial.EXCESSIVE and standing.bars_excessive:
        return (
            f"{standing.bars_excessive} lists its reasons for refusing, and this is none of them."
        )
    return ""


def refusal_of_receipt(received_on: date, today: date) -> str:
    """Say why something cannot have come in on that day; empty if it can."""
    if received_on > today:
        return "It cannot have been received in the future."
    if today - received_on > OLDEST_RECEIPT:
        return f"That is more than {OLDEST_RECEIPT.days} days ago. Check the date."
    return ""


class Urgency(StrEnum):
    DONE = "done"
    LATE = "late"
    DUE = "due"
    OPEN = "open"


# How many days before its last day a request is shown as due, and officers are reminded.
DUE_WITHIN: Final = timedelta(days=7)


def urgency_of(state: State, answer_on: date, today: date) -> Urgency:
    if state not in UNANSWERED:
        return Urgency.DONE
    if today > answer_on:
        return Urgency.LATE
    return Urgency.DUE if answer_on - today <= DUE_WITHIN else Urgency.OPEN


def due_words(answer_on: date, today: date) -> str:
    days = (answer_on - today).days
    if days == 0:
        return "due today"
    number = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"due in {number}" if days > 0 else f"late by {number}"
