"""The controls of this room: requests are taken in by every way, in time, and answered."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.rules import ROLE_CAPABILITIES, Capability, Role
from accounts.rules.messages import template_named
from dsar.controls import archive  # noqa: F401 - its controls register themselves
from dsar.forms import WordsForm
from dsar.models import Case
from dsar.rules.clocks import Clock, Request, Step, reckon
from dsar.rules.directing import corrects
from dsar.rules.erasure import ErasureState, letter_text
from dsar.rules.erasure import refusal_to_answer as refusal_to_call_erased
from dsar.rules.kinds import KINDS, Kind
from dsar.rules.laws import Asked, Law, laws_for
from dsar.rules.letters import TEMPLATE_OF
from dsar.rules.offers import Offer, complaint_routes, offers
from dsar.rules.packages import LASTS, WITH_COPY
from dsar.rules.safeguards import safeguards_text
from dsar.rules.states import (
    AMENDMENT_DENIALS,
    RECORDED_BY_OFFICER,
    Act,
    Denial,
    Door,
    Outcome,
    Standing,
    State,
    denials_for,
    outcomes_for,
    refusal_of,
    refusal_of_receipt,
    refusal_to_answer,
)
from dsar.services.collecting import Collection, Part
from dsar.services.entries import LETTER
from dsar.services.explaining import UNKNOWN, kept_words, purposes_of
from dsar.services.letters import CONFIRMING
from dsar.tasks import END_COPIES, REMIND
from jobs.rules.kinds import kind_named, schedules
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.categories import HEALTH, PERSONAL, SPECIAL, UNDER_LAW, Category
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.erasing import Fate, Line, erasers
from policies.rules.holdings import Holding, holders
from policies.rules.inventory import inventory
from policies.rules.schema import KEY
from retention.rules.disposal import Kept, refusal_to_approve
from retention.rules.keeping import Claim, Keeping, why_not_erased

RECEIVED = date(2026, 9, 1)
# Where an organisation is that nobody asks.
MONTANA = "MT"


def _asked(values: Values) -> Asked:
    treats_people = values["subject.mode"] != "veterinary"
    return Asked("US", MONTANA, tuple(values["regimes"]), treats_people)


def _request(values: Values, residence: str, kind: Kind = Kind.COPY) -> Request:
    return Request(
        kind=kind, laws=laws_for(residence, _asked(values)), received_on=RECEIVED, country="US",
        answer_days=values["requests.answer_days"],
        acknowledge_days=values["requests.acknowledge_days"],
    )  # fmt: skip


def _offered(values: Values, residence: str) -> dict[Kind, Offer]:
    return {offer.kind: offer for offer in offers(_request(values, residence))}


def _row(**more: Any) -> dict[str, Any]:
    now = timezone.now()
    facts = {
        "number": "0000-0000", "organisation_id": UUID(int=1), "kind": Kind.QUESTION.value,
        "door": Door.FORM.value, "key_id": UUID(int=2), "sealed_name": b"-", "sealed_email": b"-",
        "sealed_text": b"-", "received_at": now, "answer_days": 1, "acknowledge_days": 1,
        "acknowledge_on": now.date(), "answer_on": now.date(),
    }  # fmt: skip
    return facts | more


def _refused(tried: str, **more: Any) -> None:
    with undone(), must_refuse(IntegrityError, tried), transaction.atomic():
        Case.objects.create(**_row(**more))


@control(
    "dsar.contact-tracked", "Whoever asks gets a number, an acknowledgement, and into a queue",
    of_policy=True,
)  # fmt: skip
def contact_tracked(values: Values) -> str:
    for page in ("dsar:new", "dsar:new_for", "dsar:confirm"):
        require(gate_of(page) == "public", f"Nobody without an account comes to {page}.")
    queue = gate_of("dsar:queue")
    require(queue == Capability.ANSWER_REQUESTS, "The queue is open to others, or to nobody.")
    answers = Capability.ANSWER_REQUESTS in ROLE_CAPABILITIES[Role.OFFICER]
    require(answers, "Privacy officers do not come to the queue.")
    offered = _offered(values, "")
    for kind in (Kind.QUESTION, Kind.COMPLAINT, Kind.SUPPORT):
        require(kind in offered, f"The form does not offer: {KINDS[kind].label}.")
    for template in ("request-arrived", TEMPLATE_OF["received"], TEMPLATE_OF["answer"]):
        template_named(template)
    for kind_of_job in (LETTER, CONFIRMING):
        kind_named(kind_of_job)
    _refused("A case without a number", number=None)
    _refused("A case without a day for its answer", answer_on=None)
    return (
        f"The form is open to everybody and offers {len(offered)} things to ask for; the database"
        " just refused a case without number or due date."
    )


@control("dsar.doors", "A request is taken in by form, e-mail, post and telephone", of_policy=True)
def doors(values: Values) -> str:
    require(values["contact.email"], "The policy names no e-mail address for requests.")
    for door in (Door.EMAIL, Door.POST, Door.TELEPHONE):
        require(door in RECORDED_BY_OFFICER, f"Nobody writes down what comes by {door.value}.")
    gate = gate_of("dsar:record")
    require(gate == Capability.ANSWER_REQUESTS, "Officers do not come to the page for it.")
    _refused("A case without a day of receipt", received_at=None)
    can = refusal_of(Act.IDENTIFY, Standing(Kind.COPY, State.OPEN), RECEIVED)
    require(not can, "How it is known who asks cannot be noted.")
    return f"Officers write down what comes to {values['contact.email']}, by post and by telephone."


@control("dsar.post-taken", "Letters are taken, and their time runs from the day they came",
         of_policy=True)  # fmt: skip
def post_taken(values: Values) -> str:
    for part in ("contact.officer", "contact.address"):
        require(values[part], f"The policy leaves out: {KEY[part].label}.")
    require(Door.POST in RECORDED_BY_OFFICER, "Nobody writes down what comes by post.")
    tomorrow, long_ago = RECEIVED + timedelta(days=1), RECEIVED - timedelta(days=365)
    require(refusal_of_receipt(tomorrow, RECEIVED), "A letter may come tomorrow.")
    require(refusal_of_receipt(long_ago, RECEIVED), "A letter may have come a year ago.")
    require(not refusal_of_receipt(RECEIVED, RECEIVED), "A letter of today is not taken.")
    due = reckon(_request(values, "")).answer_on
    earlier = replace(_request(values, ""), received_on=RECEIVED - timedelta(days=9))
    require(reckon(earlier).answer_on < due, "Its time does not begin when it came.")
    return f"Letters to {values['contact.officer']} are taken; one from tomorrow was refused."


@control("dsar.replied-before-closed", "No request is closed without a reply in writing")
def replied_before_closed() -> str:
    for kind in Kind:
        for state in (State.OPEN, State.NEEDS_DETAIL):
            refusal = refusal_of(Act.CLOSE, Standing(kind, state), RECEIVED)
            require(refusal, f"{KINDS[kind].label}: closed without a reply.")
    for act in (Act.ASSIGN, Act.ANSWER):
        open_case = Standing(Kind.SUPPORT, State.OPEN)
        require(not refusal_of(act, open_case, RECEIVED), f"A case cannot be {act.value}ed.")
    answered = Standing(Kind.SUPPORT, State.ANSWERED)
    require(not refusal_of(Act.CLOSE, answered, RECEIVED), "An answered case cannot be closed.")
    _refused("A case closed without a reply", closed_at=timezone.now())
    return "The database just refused a case that was closed and not answered."


@control("dsar.safeguards-told", "Whoever asks learns what protects data abroad", of_policy=True)
def safeguards_told(values: Values) -> str:
    require(Kind.TRANSFER_SAFEGUARDS in _offered(values, ""), "The form does not offer it.")
    text = safeguards_text(values)
    for path in ("transfers.mechanisms", "residency.regions"):
        said = KEY[path].kind.words(values[path])
        require(said in text, f"The answer leaves out: {KEY[path].label}.")
    require(outcomes_for(Kind.TRANSFER_SAFEGUARDS) == (Outcome.REPLIED,), "It is not replied to.")
    return f"The answer is drafted from the policy: {len(text.split())} words."


@control("dsar.law-of-residence", "People in the European Union have the rights of the GDPR",
         of_policy=True)  # fmt: skip
def law_of_residence(values: Values) -> str:
    require(Law.GDPR in laws_for("FR", _asked(values)), "A resident of France has no GDPR.")
    rights = (Kind.ACCESS, Kind.CORRECTION, Kind.ERASURE, Kind.RESTRICTION, Kind.PORTABILITY,
              Kind.OBJECTION)  # fmt: skip
    offered = _offered(values, "FR")
    for kind in rights:
        found = [one for one in offered[kind].clocks if one.rule.startswith("gdpr.")]
        require(found, f"The form does not offer it: {KINDS[kind].label}.")
        require(found[0].due_on == date(2026, 10, 1), "It is not due within one month.")
        require(offered[kind].answer_on <= found[0].due_on, "It is due later than the law says.")
    return f"A resident of France was offered {len(rights)} rights of the GDPR, within one month."


def _of_law(values: Values, residence: str, rule: str) -> list[Clock]:
    clocks = reckon(_request(values, residence)).clocks
    return [one for one in clocks if one.rule == rule and one.step is Step.ANSWER]


@control("dsar.in-time", "Each request is due by the law of its person, and lateness is told",
         of_policy=True)  # fmt: skip
def in_time(values: Values) -> str:
    due = {}
    for residence, rule in (("FR", "gdpr.dsar.access"), ("US-CA", "ccpa.respond"),
                            ("US-TX", "hipaa.access")):  # fmt: skip
        clocks = _of_law(values, residence, rule)
        require(clocks, f"No clock of {rule.partition('.')[0]} runs for {residence}.")
        due[rule] = clocks[0].due_on
    require(due["ccpa.respond"] == date(2026, 10, 16), "The CCPA's 45 days are counted wrongly.")
    require(due["gdpr.dsar.access"] == date(2026, 10, 1), "The GDPR's month is counted wrongly.")
    promised = RECEIVED + timedelta(days=values["requests.answer_days"])
    for residence in ("FR", "US-CA", "US-TX"):
        found = reckon(_request(values, residence))
        earliest = min(promised, *(one.due_on for one in found.clocks if one.step is Step.ANSWER))
        require(found.answer_on == earliest, "The earliest clock does not win.")
    once = Standing(Kind.COPY, State.OPEN, answer_on=RECEIVED, extends_to=RECEIVED + timedelta(30))
    require(not refusal_of(Act.EXTEND, once, RECEIVED), "No extension is possible.")
    twice = replace(once, is_extended=True)
    require(refusal_of(Act.EXTEND, twice, RECEIVED), "An extension is possible twice.")
    watching = [one for one in schedules() if one.kind == REMIND]
    require(watching and watching[0].every <= timedelta(days=1), "Nothing reminds of what is due.")
    return "Three laws were counted for one day; officers are reminded, and told what is late."


@control("dsar.right-named", "A request names what it asks for, and more can be asked")
def right_named() -> str:
    given = {"name": "Nobody", "text": "Something about me, please.", "email": "a@b.example"}
    for kind, otherwise in (("", "A request for nothing is taken."),
                            ("all", "A request for anything is taken.")):  # fmt: skip
        form = WordsForm(given | {"kind": kind}, offered=[], signed_in=False)
        require(not form.is_valid() and "kind" in form.errors, otherwise)
    form = WordsForm(given | {"text": "-"}, offered=[], signed_in=False)
    require("text" in form.errors, "A request without any detail is taken.")
    vague = Standing(Kind.COPY, State.OPEN)
    require(not refusal_of(Act.ASK_DETAIL, vague, RECEIVED), "Detail cannot be asked for.")
    asked = replace(vague, state=State.NEEDS_DETAIL)
    require(not refusal_of(Act.GIVE_DETAIL, asked, RECEIVED), "Detail cannot be given.")
    template_named(TEMPLATE_OF["ask-detail"])
    return "Requests for nothing, for everything and without detail were refused."


@control("dsar.handed-on", "A patient's request goes on to the provider that sent the data",
         of_policy=True)  # fmt: skip
def handed_on(values: Values) -> str:
    routes = values["requests.patient_route"] == "via-provider"
    require(routes, "Under this policy, requests stay here.")
    here = Standing(Kind.COPY, State.OPEN, routes_on=True)
    require(not refusal_of(Act.HAND_OVER, here, RECEIVED), "A request cannot be handed on.")
    stays = replace(here, routes_on=False)
    require(refusal_of(Act.HAND_OVER, stays, RECEIVED), "It is handed on against the policy.")
    done = replace(here, state=State.ANSWERED)
    require(refusal_of(Act.HAND_OVER, done, RECEIVED), "An answered request is handed on.")
    template_named(TEMPLATE_OF["hand-over"])
    return "An open request can be handed on, an answered one cannot; the person is told."


@control("dsar.identity-first", "Nothing is handed out before it is known who asks")
def identity_first() -> str:
    needing = [kind for kind, facts in KINDS.items() if facts.needs_identity]
    for kind in needing:
        unknown = Standing(kind, State.OPEN)
        for outcome in (Outcome.GRANTED, Outcome.PARTLY):
            refusal = refusal_to_answer(outcome, "", unknown)
            require(refusal, f"{KINDS[kind].label}: done for anybody.")
            known = replace(unknown, is_identified=True)
            require(not refusal_to_answer(outcome, "", known), "It is refused to everybody.")
    for kind in (Kind.OPT_OUT, Kind.LIMIT_SENSITIVE):
        free = refusal_to_answer(Outcome.GRANTED, "", Standing(kind, State.OPEN))
        require(not free, "An opt-out asks for proof.")
    return f"{len(needing)} kinds of request were refused for somebody unknown; opt-outs were not."


@control("dsar.denial-explained", "A denial has its reason, in writing, and where to complain")
def denial_explained() -> str:
    known = Standing(Kind.CORRECTION, State.OPEN, is_identified=True, next_on=RECEIVED)
    require(refusal_to_answer(Outcome.DENIED, "", known), "A denial needs no reason.")
    for kind in (Kind.CORRECTION, Kind.RECORDS_RELEASE):
        for reason in denials_for(kind):
            refusal = refusal_to_answer(Outcome.DENIED, reason, replace(known, kind=kind))
            require(not refusal, "No denial is possible.")
    for law in (Law.GDPR, Law.UK_GDPR, Law.HIPAA, Law.CCPA):
        require(complaint_routes((law,)), f"Nobody says where to complain under {law.value}.")
    template_named(TEMPLATE_OF["answer"])
    return f"A denial without a reason was refused; there are {len(Denial)} reasons to give."


# By another name than that of the room.
ROOM_OF = {"requests": "dsar"}
# What a person asks for. Of the trail, studies hand out the lines about their patients; sessions
# and factors are the account's.
ASKED_FOR = HEALTH | {Category.ACCOUNT, Category.CONSENT, Category.REQUESTS}


@control("dsar.copy-complete", "A copy holds everything of everybody's room, or is none")
def copy_complete() -> str:
    rooms = {entry.model.partition(".")[0] for entry in inventory()
             if entry.category in ASKED_FOR and entry.exported}  # fmt: skip
    silent = rooms - {ROOM_OF.get(one.code, one.code) for one in holders()}
    require(not silent, f"Rooms that say nothing of what they hold: {', '.join(sorted(silent))}.")
    unheard = Collection([Part("a room", None)])
    require(not unheard.is_complete, "A room that cannot answer does not make a copy incomplete.")
    for kind in WITH_COPY:
        require(KINDS[kind].needs_identity, "Something is copied for whoever asks.")
    require(timedelta(days=30) >= LASTS, "Copies lie about for longer than a month.")
    require(END_COPIES in {one.name for one in schedules()}, "Nobody deletes copies in time.")
    return f"{len(holders())} rooms say what they hold; one that could not would stop the copy."


@control("dsar.copy-explained", "An answer says what for, from where, to whom and for how long",
         of_policy=True)  # fmt: skip
def copy_explained(values: Values) -> str:
    pack = pack_with(values)
    categories = sorted(PERSONAL - UNDER_LAW - SPECIAL)
    without = [one.value for one in categories if not purposes_of(pack, one)]
    require(len(without) < len(categories), "The policy gives no purpose for anything.")
    told = [one for one in categories if kept_words(pack, one) != UNKNOWN]
    require(told, "The policy says of nothing how long it is kept.")
    require({"source", "recipients", "kept"} <= {one.name for one in fields(Holding)},
            "A line of the answer has no source, recipients or term.")  # fmt: skip
    return f"Of {len(told)} kinds of data an answer says the purposes and the term."


@control("dsar.corrections-answered", "Errors can be corrected, and a refusal disagreed with",
         of_policy=True)  # fmt: skip
def corrections_answered(values: Values) -> str:
    for residence in ("FR", "US-CA", "US-TX"):
        require(Kind.CORRECTION in _offered(values, residence), f"Not offered in {residence}.")
    for outcome in (Outcome.GRANTED, Outcome.PARTLY):
        require(corrects(Kind.CORRECTION, outcome), "It is granted, and nothing reads otherwise.")
    unknown = Standing(Kind.CORRECTION, State.OPEN)
    require(refusal_to_answer(Outcome.GRANTED, "", unknown), "Anybody has anything corrected.")
    denied = Standing(Kind.CORRECTION, State.ANSWERED, is_identified=True, is_denied=True)
    require(not refusal_of(Act.DISAGREE, denied, RECEIVED), "Nobody can disagree with a refusal.")
    disputed = replace(denied, is_disputed=True)
    require(not refusal_of(Act.REBUT, disputed, RECEIVED), "There is no reply to a statement.")
    require(refusal_of(Act.DISAGREE, disputed, RECEIVED), "Statements pile up.")
    reasons = set(AMENDMENT_DENIALS) <= set(denials_for(Kind.CORRECTION))
    require(reasons, "The reasons of 45 CFR 164.526(a)(2) cannot be given.")
    require(gate_of("dsar:own_disagree") == "signed-in", "Nobody comes to the page for it.")
    return "A correction for somebody unknown was refused; a refusal can be disagreed with, once."


@control("dsar.erasure-explained", "What is asked to be erased goes, but for what law asks to keep")
def erasure_explained() -> str:
    today = RECEIVED
    law = Claim(today + timedelta(days=1), "six years", "45 CFR 164.316(b)(2)", code="a-duty")
    policy = replace(law, code="")
    kept, free = (Keeping(one.until, (one,), "delete") for one in (law, policy))
    require(why_not_erased(kept, today) is Kept.LAW, "What the law asks to keep would be erased.")
    require(why_not_erased(free, today) is None, "The policy's own time keeps what may go.")
    over = replace(kept, until=today, claims=(replace(law, until=today - timedelta(days=1)),))
    require(why_not_erased(over, today) is None, "What no law asks for any more is kept.")
    silent = {one.code for one in holders()} - {one.code for one in erasers()}
    require(not silent, f"Rooms that do not say what they erase: {', '.join(sorted(silent))}.")
    for state in (None, ErasureState.PLANNED, ErasureState.RUNNING, ErasureState.NOT_DONE):
        refused = refusal_to_call_erased(Kind.ERASURE, Outcome.GRANTED, state)
        require(refused, "Something is called erased that is not.")
    told = letter_text([Line(Fate.STAYS, "Studies", 1, law.cites)], None)
    require(law.cites in told, "The letter does not say why something stays.")
    require(gate_of("dsar:erasure") == Capability.ANSWER_REQUESTS, "Others plan an erasure.")
    require(refusal_to_approve(first_id=1, approver_id=1), "One person alone erases.")
    return f"{len(erasers())} rooms erase their part, after two people have approved the plan."
