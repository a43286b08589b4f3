"""What the pages of one case show, to its person and to officers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from accounts.rules.residence import COUNTRIES, US_STATES, parts_of
from dsar.forms import DetailForm, DisagreeForm, DocumentForm, GivenCodeForm
from dsar.models import Case, FeeQuote
from dsar.rules.agents import FAULT_LABELS, Fault
from dsar.rules.clocks import conditions_of
from dsar.rules.directing import DIRECTIVES_OF
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind
from dsar.rules.erasure import ErasureState
from dsar.rules.fees import COST_LABELS, Cost
from dsar.rules.kinds import Kind
from dsar.rules.laws import known_laws
from dsar.rules.offers import bars, complaint_routes, elapsed, place_of
from dsar.rules.states import (
    DOOR_LABELS,
    OUTCOME_LABELS,
    PROOF_LABELS,
    STATE_LABELS,
    UNANSWERED,
    Act,
    Denial,
    Door,
    Outcome,
    Proof,
    State,
    Urgency,
    denial_words,
    due_words,
    refusal_of,
    urgency_of,
)
from dsar.sealing import OpenCase
from dsar.selectors import (
    Line,
    deadlines_of,
    lines_of,
    policy_or_none,
    standing_of,
    today_at,
)
from dsar.selectors.agents import answer_is_persons, authority_of
from dsar.selectors.identity import waiting_code
from dsar.selectors.papers import asked_documents
from dsar.selectors.repeats import earlier_cases, quote_of
from dsar.services.charging import FEE_ACCEPTED, FEE_DECLINED
from dsar.services.children import REPORTED
from dsar.services.closing_accounts import CLOSED as ACCOUNT_CLOSED
from dsar.services.correcting import CORRECTED
from dsar.services.directing import DIRECTED
from dsar.services.documents import ADDED
from dsar.services.erasing import Shown, erasure_of
from dsar.services.packaging import is_spent, is_there, package_of
from dsar.services.releasing_archive import APPROVED, CHECKED, MADE
from dsar.services.repeating import ASKED_AGAIN
from policies.rules.pack import Pack

ACT_WORDS = {
    "received": "Received",
    REPORTED: "Reported as a child's account",
    Act.ACKNOWLEDGE: "Acknowledged by letter",
    Act.ASSIGN: "Assigned",
    Act.NOTE: "Note",
    Act.IDENTIFY: "It is known who asks",
    Act.READDRESS: "Other address noted",
    Act.ASK_DETAIL: "More detail asked for",
    Act.GIVE_DETAIL: "Reply of the person",
    Act.ASK_DOCUMENT: "Paper asked for",
    ADDED: "Paper taken in",
    Act.AUTHORITY: "Authority looked at",
    Act.TELL_PERSON: "The person was told",
    "person-confirmed": "The person confirmed who asks for them",
    Act.EXTEND: "Time extended",
    Act.LAWS: "Other laws count",
    Act.QUOTE: "Fee quoted",
    FEE_ACCEPTED: "Fee accepted",
    FEE_DECLINED: "Fee not accepted",
    ASKED_AGAIN: "Asked again",
    "sent-on": "Copy sent to another provider",
    Act.ERASE: "Erasure",
    Act.ANSWER: "Answered",
    DIRECTED: "What holds from now on",
    CORRECTED: "What was corrected",
    Act.DISAGREE: "Statement of disagreement",
    Act.REBUT: "Reply to the statement",
    Act.HAND_OVER: "Handed on to another organisation",
    Act.CLOSE: "Closed",
    ACCOUNT_CLOSED: "Account closed",
    CHECKED: "Authorization checked",
    APPROVED: "Release approved by a second person",
    MADE: "Package of archived records made",
}
TOLD_WORDS = {
    "portal": "told in the portal",
    "mailing": "mail on its way",
    "mailed": "mailed",
    "mail-failed": "the mail could not be delivered: send a letter",
    "letter": "to be told by letter",
}
# What an officer can do, in this order, and the words of the link that leads there.
OFFERED_ACTS = (
    (Act.ANSWER, "Answer"),
    (Act.ACKNOWLEDGE, "Acknowledge by letter"),
    (Act.IDENTIFY, "Note who asks"),
    (Act.AUTHORITY, "Look at their authority"),
    (Act.TELL_PERSON, "Tell the person"),
    (Act.ASK_DETAIL, "Ask for more detail"),
    (Act.EXTEND, "Extend the time"),
    (Act.LAWS, "Change the laws"),
    (Act.JOIN, "Join to the earlier request"),
    (Act.QUOTE, "Quote a fee"),
    (Act.HAND_OVER, "Hand on to the provider"),
    (Act.ASSIGN, "Assign"),
    (Act.NOTE, "Write a note"),
    (Act.READDRESS, "Change the address"),
    (Act.REBUT, "Reply to the statement"),
    (Act.CLOSE, "Close"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A case in a list: how urgent, in words and as a picture."""

    case: Case
    urgency: Urgency
    words: str
    gone: int
    # It was to be acknowledged by now, and was not.
    acknowledgement_late: bool

    @property
    def state(self) -> str:
        return STATE_LABELS[State(self.case.state)]


def row_of(case: Case) -> Row:
    today, due = today_at(case.organisation), case.answer_on
    urgency = urgency_of(State(case.state), due, today)
    words = STATE_LABELS[State(case.state)] if urgency is Urgency.DONE else due_words(due, today)
    missed = case.acknowledged_at is None and today > case.acknowledge_on
    gone = elapsed(case.received_on, due, today)
    return Row(case, urgency, words, gone, missed and case.state in UNANSWERED)


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a case in words."""

    line: Line
    what: str
    detail: str
    told: str


def step_of(line: Line, *, for_person: bool) -> Step:
    entry = line.entry
    told = "" if for_person else TOLD_WORDS.get(entry.told, "")
    return Step(line, ACT_WORDS.get(entry.act, entry.act), _detail(entry.act, entry.code), told)


def _day(code: str) -> str:
    day = date.fromisoformat(code)
    return f"{day.day} {day:%B %Y}"


def _label_of_paper(code: str) -> str:
    return DOCUMENT_KINDS[DocumentKind(code)].label


# What the code of a step says beside its name.
_DETAILS: dict[str, Callable[[str], str]] = {
    "received": lambda code: f"by {DOOR_LABELS[Door(code)]}",
    REPORTED: lambda code: f"by {DOOR_LABELS[Door(code)]}; the account was closed",
    Act.IDENTIFY: lambda code: PROOF_LABELS[Proof(code)],
    Act.AUTHORITY: lambda code: FAULT_LABELS[Fault(code)] if code in set(Fault) else "it is shown",
    Act.TELL_PERSON: lambda code: "by mail" if code == "mail" else "by letter",
    Act.ASK_DOCUMENT: _label_of_paper,
    ADDED: _label_of_paper,
    Act.QUOTE: lambda code: f"{int(code) // 100}.{int(code) % 100:02}",
    ASKED_AGAIN: lambda code: f"by request {code}",
    Act.EXTEND: lambda code: f"until {_day(code)}",
    Act.LAWS: lambda code: f"to be answered by {_day(code)}",
    Act.ERASE: lambda code: "carried out" if code == "done" else "planned",
    Act.ANSWER: lambda code: OUTCOME_LABELS[Outcome(code)],
}


def _detail(act: str, code: str) -> str:
    return _DETAILS[act](code) if act in _DETAILS else ""


def contact_of(pack: Pack | None) -> dict[str, str]:
    """Whom to ask, and on which ways; the policy says it."""
    if pack is None:
        return {}
    return {
        way: pack[f"contact.{way}"] for way in ("officer", "email", "phone", "hours", "address")
    }


def place_words(residence: str) -> str:
    country, state = parts_of(residence)
    return ", ".join(filter(None, [US_STATES.get(state, ""), COUNTRIES.get(country, "")]))


def case_context(opened: OpenCase, *, for_person: bool) -> dict[str, Any]:
    case, deadlines = opened.case, deadlines_of(opened.case)
    today, laws = today_at(case.organisation), known_laws(case.laws)
    return {
        "case": case,
        "row": row_of(case),
        "written": opened.written,
        "steps": [
            step_of(one, for_person=for_person) for one in lines_of(opened, for_person=for_person)
        ],
        "deadlines": deadlines,
        "bars": bars(deadlines.clocks, case.received_on),
        "today": place_of(today, deadlines.clocks, case.received_on),
        "conditions": conditions_of(Kind(case.kind), laws, case.received_on),
        "routes": complaint_routes(laws),
        "denial": denial_words(Denial(case.denial)) if case.denial else "",
        "contact": contact_of(policy_or_none(case.organisation)),
        "is_open": case.state in UNANSWERED,
        "erased": erased_of(case),
    }


def erased_of(case: Case) -> Shown | None:
    """What an erasure came to, once it has been carried out."""
    shown = erasure_of(case) if case.kind == Kind.ERASURE else None
    return shown if shown is not None and shown.state is ErasureState.DONE else None


def person_context(
    opened: OpenCase, form: DetailForm | None = None, disagreeing: DisagreeForm | None = None
) -> dict[str, Any]:
    """A case as its person sees it."""
    context = case_context(opened, for_person=True)
    package = package_of(opened.case)
    context["copy"] = package if is_there(opened.case, package) else None
    context["fetched"] = package is not None and is_spent(package)
    if answer_is_persons(opened.case):
        context |= _without_answer(context["steps"])
    standing, today = standing_of(opened.case), today_at(opened.case.organisation)
    if not refusal_of(Act.DISAGREE, standing, today):
        context["disagree"] = disagreeing or DisagreeForm()
    if (quote := quote_of(opened.case)) is not None and opened.case.state in UNANSWERED:
        context |= fee_context(opened, quote)
    if opened.case.state in UNANSWERED and waiting_code(opened.case):
        context["code_form"] = GivenCodeForm()
    if opened.case.state in UNANSWERED and (wanted := asked_documents(opened.case)):
        context["paper"] = DocumentForm(kinds=sorted(wanted))
    if opened.case.state == State.NEEDS_DETAIL:
        context["form"] = form or DetailForm()
    return context


def _without_answer(steps: list[Step]) -> dict[str, Any]:
    """The page of whoever asked for somebody else: that it is answered, and nothing more of it."""
    shown = [
        replace(step, line=replace(step.line, text=""), detail="the answer goes to the person")
        if step.line.entry.act == Act.ANSWER else step
        for step in steps
        if step.line.entry.act not in {DIRECTED, CORRECTED, Act.ERASE}
    ]  # fmt: skip
    return {"steps": shown, "copy": None, "erased": None, "denial": ""}


def fee_context(opened: OpenCase, quote: FeeQuote) -> dict[str, Any]:
    items = [
        (COST_LABELS[Cost(one["cost"])], one["what"], f"{one['cents'] / 100:.2f}")
        for one in opened.items_of(quote)
    ]
    return {"quote": quote, "items": items, "fee_open": quote.state == FeeQuote.State.QUOTED}


def officer_context(opened: OpenCase) -> dict[str, Any]:
    """A case as an officer sees it, with what can be done now, and why the rest cannot."""
    case = opened.case
    standing, today = standing_of(case), today_at(case.organisation)
    authority = authority_of(case)
    acts = [(act, words, refusal_of(act, standing, today)) for act, words in OFFERED_ACTS]
    return case_context(opened, for_person=False) | {
        "acts": [
            (act, words) for act, words, refusal in acts
            if not refusal and not (act is Act.READDRESS and case.person_id)
        ],
        "not_now": [
            (words, refusal) for act, words, refusal in acts
            if refusal and act in {Act.EXTEND} and case.state in UNANSWERED
        ],
        "proof": PROOF_LABELS[Proof(case.proof)] if case.proof else "",
        "door": DOOR_LABELS[Door(case.door)],
        "authority": authority,
        "earlier": earlier_cases(case),
        "next_on": standing.next_on,
        "in_name_of": opened.person_of(authority) if authority else None,
        "unauthorised": standing.unauthorised if case.state in UNANSWERED else "",
        "is_known": standing.is_identified,
        "papers": case.documents.count(),
        "lives_in": place_words(case.residence),
        **(fee_context(opened, quote) if (quote := quote_of(case)) else {}),
        "looks_for_somebody": case.facts.needs_identity or Kind(case.kind) in DIRECTIVES_OF,
    }  # fmt: skip
