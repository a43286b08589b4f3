"""Controls: what is given out under law goes by a case, line by line, by two, and is told (C16)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from accounts.controls.signing_in import gate_of
from accounts.rules import Capability
from accounts.rules.messages import template_named
from disclosures.models import Clause, Disclosure, Item, Notice, Release
from disclosures.rules.grounds import GROUND_FACTS, offered
from disclosures.rules.messages import EMERGENCY, MADE, REVIEW_LATE, TOLD
from disclosures.rules.standing import (
    NARROWING,
    REVIEW_HOURS,
    WAITING_DAYS,
    ItemFacts,
    NoticeFacts,
    Said,
    Standing,
    needs_second,
    refusal_of_person,
    refusal_of_prohibition,
    refusal_of_waiting,
    refusal_to_approve,
    refusal_to_map,
    refusal_to_release,
    review_due,
)
from disclosures.services.packaging import manifest
from disclosures.services.releasing import PACKAGE
from disclosures.tasks import NOTICES, REVIEWS
from jobs.rules.kinds import kind_named, schedules
from policies.controls.trying import undone
from policies.rules.citations import tidy_citation
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.holdings import one_file

TODAY = date(2026, 9, 1)
_NOBODY = UUID(int=0)


def _whole(ground: str, **less: Any) -> Standing:
    """A case in which all is done, but for what is taken away."""
    whole = Standing(
        facts=GROUND_FACTS[ground], has_document=True, said=frozenset(Said) - {Said.CLOSED},
        clauses=1, chosen=(ItemFacts(is_account=GROUND_FACTS[ground].only_accounts),),
        notices=(NoticeFacts(given=True, waits_until=TODAY),), is_approved=True,
    )  # fmt: skip
    return replace(whole, **less)


def _said_but(*kinds: Said) -> frozenset[Said]:
    return frozenset(Said) - {Said.CLOSED, *kinds}


def _require_released(grounds: Collection[str]) -> None:
    """What is whole can be released: a rule that refuses everything proves nothing."""
    for ground in grounds:
        refusal = refusal_to_release(_whole(ground), TODAY)
        require(not refusal, f"A case in which all is done is refused: {ground}.")


def _refuses(standing: Standing, otherwise: str) -> str:
    refusal = refusal_to_release(standing, TODAY)
    require(refusal, otherwise)
    return refusal


def _listed(values: Values) -> tuple[str, ...]:
    return offered(values["legal.grounds"], reviews=values["legal.agencies_under_review"])


def _for_officers(*pages: str) -> None:
    for page in pages:
        gate = gate_of(page)
        require(gate == Capability.DISCLOSE_UNDER_LAW, f"Others than officers come to {page}.")


def _release(**more: Any) -> dict[str, Any]:
    facts = {
        "disclosure_id": _NOBODY, "released_by_id": 1, "approved_by_id": 2, "key_id": _NOBODY,
    }  # fmt: skip
    return {**facts, **more}


@control("disclosures.case-first", "Nothing goes out under law without its case")
def case_first() -> str:
    _for_officers("disclosures:new", "disclosures:release", "disclosures:package")
    kind_named(PACKAGE)
    tried = "A release without a case"
    with undone(), must_refuse(IntegrityError, tried), transaction.atomic():
        Release.objects.create(**_release(disclosure_id=None))
    closed = _refuses(_whole("law", is_closed=True), "Something goes out of a closed case.")
    _require_released(["law"])
    return f"The database refused a release that names no case just now; a closed one: {closed}"


@control(
    "disclosures.instrument-attached", "Each demand has its own document, checked and signed",
    of_policy=True,
)  # fmt: skip
def instrument_attached(values: Values) -> str:
    grounds = [one for one in _listed(values) if GROUND_FACTS[one].is_compelled]
    require(grounds, "The policy lists no demand that anybody could make.")
    documents = {GROUND_FACTS[one].document for one in grounds}
    require(len(documents) == len(grounds), "Two kinds of demand share a document.")
    _require_released(grounds)
    for one in grounds:
        without = _whole(one, has_document=False)
        _refuses(without, f"It is released without its document: {one}.")
        _refuses(_whole(one, said=_said_but(Said.VALIDITY)), f"Nobody checked it: {one}.")
        _refuses(_whole(one, is_approved=False), f"No second person approved it: {one}.")
    _for_officers("disclosures:papers", "disclosures:sign")
    return f"{len(grounds)} kinds of demand were refused without document, check and approval."


@control(
    "disclosures.grounds-by-policy", "A case is opened on a ground of the policy alone",
    of_policy=True,
)  # fmt: skip
def grounds_by_policy(values: Values) -> str:
    listed = _listed(values)
    beside = set(listed) - set(values["legal.grounds"])
    require(listed and not beside, "Grounds are offered that the policy has not.")
    for one in listed:
        left = [ground for ground in values["legal.grounds"] if ground != one]
        require(one not in offered(left, reviews=True), f"{one} stays when the policy drops it.")
    gone = _whole(listed[0], is_offered=False)
    refusal = _refuses(gone, "A case goes on although its ground left the policy.")
    return f"The policy has {len(listed)} grounds, and so has the form. Without one: {refusal}"


@control("disclosures.two-people", "Whoever opened or signed a case never approves it")
def two_people() -> str:
    own = refusal_of_person(approver=1, opened_by=1, signed_by=2)
    require(own, "Whoever opened it approves it.")
    require(refusal_of_person(approver=2, opened_by=1, signed_by=2), "Whoever signed it does.")
    require(not refusal_of_person(approver=3, opened_by=1, signed_by=2), "Nobody can approve it.")
    for ground in ("fraud", "rights"):
        alone = _whole(ground, is_approved=False)
        _refuses(alone, f"It goes out by one person: {ground}.")
        _refuses(_whole(ground, said=_said_but(Said.RATIONALE)), f"Without a reason: {ground}.")
        require(not refusal_to_approve(alone, TODAY), "It does not wait for another person.")
    facts: dict[str, Any] = {
        "organisation_id": _NOBODY, "number": 1, "ground": "fraud", "citation": "1",
        "received_on": TODAY, "answer_on": TODAY, "key_id": _NOBODY, "sealed_authority": b"",
        "sealed_reference": b"", "opened_by_id": 1, "approved_by_id": 1,
    }  # fmt: skip
    with undone(), must_refuse(IntegrityError, "A case by one person"), transaction.atomic():
        Disclosure.objects.create(**facts)
    with undone(), must_refuse(IntegrityError, "A release by one person"), transaction.atomic():
        Release.objects.create(**_release(approved_by_id=None))
    return f"The database refused a case by one person just now, and the rule says: {own}"


@control("disclosures.terms-accounts", "To enforce the terms only data of accounts goes out")
def terms_accounts() -> str:
    refusal = refusal_to_map(GROUND_FACTS["terms"], ItemFacts())
    require(refusal, "A study can be given out to enforce the terms.")
    require(not refusal_to_map(GROUND_FACTS["terms"], ItemFacts(True)), "Nor can an account.")
    study = _whole("terms", chosen=(ItemFacts(),))
    _refuses(study, "A study that is there goes out.")
    _require_released(["terms"])
    return f"A study was refused just now, and data of an account was not: {refusal}"


@control("disclosures.emergency-reviewed", "An emergency goes at once, and is reviewed in time")
def emergency_reviewed() -> str:
    urgent = _whole("safety", is_approved=False, notices=(None,))
    require(not refusal_to_release(urgent, TODAY), "An emergency waits.")
    whole = replace(urgent, is_whole_record=True)
    require(needs_second(whole), "All there is of somebody goes out by one person.")
    _refuses(whole, "All there is of somebody goes out by one person.")
    now = datetime(2026, 9, 1, tzinfo=UTC)
    require(now < review_due(now) <= now + timedelta(days=7), "Nothing is reviewed in time.")
    for template in (EMERGENCY, REVIEW_LATE):
        require(template_named(template).route == "disclosures:review", "Nobody is told of it.")
    scheduled = {one.kind for one in schedules()}
    require(REVIEWS in scheduled, "Nobody looks for reviews that are late.")
    require(gate_of("disclosures:review"), "Nobody can review it.")
    return f"It is due {REVIEW_HOURS} hours after; officers are told at once, and when it is late."


@control("disclosures.necessity-signed", "Somebody signs, in good faith, that it is necessary")
def necessity_signed() -> str:
    for ground in GROUND_FACTS:
        _refuses(_whole(ground, said=_said_but(Said.NECESSITY)), f"Not signed: {ground}.")
    _require_released(GROUND_FACTS)
    _for_officers("disclosures:sign")
    return f"A case on each of {len(GROUND_FACTS)} grounds was refused without the statement."


def _item(**more: Any) -> dict[str, Any]:
    facts = {
        "disclosure_id": _NOBODY, "number": 1, "clause_id": 1, "subject_id": _NOBODY,
        "study_uid": "1.2", "sealed_label": b"",
    }  # fmt: skip
    return {**facts, **more}


@control("disclosures.items-justified", "Nothing is ticked by itself, nor without a reason")
def items_justified() -> str:
    blank = ItemFacts(is_justified=False)
    refusal = _refuses(_whole("law", chosen=(blank,)), "An item without a reason goes out.")
    _refuses(_whole("law", chosen=()), "A case in which nothing is ticked goes out.")
    _require_released(["law", "rights", "compliance-review"])
    require(not Item().is_chosen, "An item is ticked by itself.")
    tried = "An item that is ticked without a reason"
    with undone(), must_refuse(IntegrityError, tried), transaction.atomic():
        Item.objects.create(**_item(is_chosen=True))
    return f"The database refused a tick without a reason just now, and the rule: {refusal}"


@control("disclosures.only-ordered", "What goes out is what a clause names, and nothing else")
def only_ordered() -> str:
    refusal = refusal_to_map(GROUND_FACTS["law"], ItemFacts(has_clause=False))
    require(refusal, "What no clause names can be given out.")
    with undone(), must_refuse(IntegrityError, "An item of no clause"), transaction.atomic():
        Item.objects.create(**_item(clause_id=None))
    require(not tidy_citation("the law"), "A citation without a number is taken.")
    named = Item(number=7, clause=Clause(number=3))
    listed = b"".join(manifest([(named, one_file("a.dcm", b""))]).pieces()).decode()
    expected = ["file,item,clause", "a.dcm,7,3"]
    require(listed.splitlines() == expected, "The manifest is not the mapping.")
    return f"An item of no clause was refused by the database, and by the rule: {refusal}"


@control("disclosures.narrowed-first", "What was done to keep it narrow is written down first")
def narrowed_first() -> str:
    compelled = [code for code, facts in GROUND_FACTS.items() if facts.is_compelled]
    _require_released(compelled)
    refusal = ""
    for kind in NARROWING:
        for ground in compelled:
            missing = _whole(ground, said=_said_but(kind))
            refusal = _refuses(missing, f"It is released without: {kind.value}.")
    _for_officers("disclosures:narrow")
    return f"Without each part of it a release was refused: {refusal}"


@control(
    "disclosures.told-before", "The person is told before, or a prohibition is cited",
    of_policy=True,
)  # fmt: skip
def told_before(values: Values) -> str:
    require(values["legal.advance_notice"], "The policy does not want anybody told before.")
    ground = next(one for one in _listed(values) if GROUND_FACTS[one].is_compelled)
    _require_released([ground])
    refusal = _refuses(_whole(ground, notices=(None,)), "It goes out and nobody was told.")
    waiting = NoticeFacts(given=True, waits_until=TODAY + timedelta(days=1))
    _refuses(_whole(ground, notices=(waiting,)), "It goes out before the time to object is over.")
    lapsed = NoticeFacts(prohibited_until=TODAY - timedelta(days=1))
    _refuses(_whole(ground, notices=(lapsed,)), "It goes out under a prohibition that has ended.")
    gag = NoticeFacts(prohibited_until=TODAY)
    held = refusal_to_release(_whole(ground, notices=(gag,)), TODAY)
    require(not held, "A prohibition that is cited does not count.")
    require(refusal_of_waiting(WAITING_DAYS - 1, ""), "Time is cut without a reason.")
    for citation, ends_on in (("", TODAY), ("18 USC 2705(b)", None)):
        said = refusal_of_prohibition(citation, ends_on, TODAY)
        require(said, "A prohibition is recorded without its citation or its end.")
    facts = {"disclosure_id": _NOBODY, "subject_id": _NOBODY, "way": "prohibited", "by_id": 1}
    with undone(), must_refuse(IntegrityError, "A notice that is none"), transaction.atomic():
        Notice.objects.create(**facts)
    scheduled = {one.kind for one in schedules()}
    require(NOTICES in scheduled, "Nobody gives a notice when its prohibition ends.")
    return f"They have {WAITING_DAYS} days. Without notice a release was refused: {refusal}"


@control("disclosures.told-what", "The person reads which order it was, and what went out")
def told_what() -> str:
    for template in (TOLD, MADE):
        require(template_named(template).route == "disclosures:mine", "Nobody is told where.")
    require(gate_of("disclosures:mine") == "signed-in", "The person cannot look at it.")
    case = SimpleNamespace(authority="District Court", reference="24-CV-1138")
    facts = {
        "case": case, "withheld": "It names somebody else.", "items": ["CT of the knee"],
        "disclosure": SimpleNamespace(
            facts=GROUND_FACTS["court-order"], citation="45 CFR 164.512(e)", received_on=TODAY,
            organisation=SimpleNamespace(name="Hospital"),
        ),
        "release": SimpleNamespace(made_at=datetime(2026, 9, 1, tzinfo=UTC)), "today": TODAY,
    }  # fmt: skip
    letter = render_to_string("disclosures/letter_body.html", facts)
    missing = [
        one for one in (case.authority, case.reference, facts["withheld"], "CT of the knee")
        if str(one) not in letter
    ]  # fmt: skip
    require(not missing, f"The notice leaves out: {', '.join(map(str, missing))}.")
    return "A notice made just now names the order, its court, the document and each item."
