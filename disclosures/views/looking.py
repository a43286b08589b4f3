"""The cases of an organisation, one of them, and what a person was told of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import hidden_unless, signed_in, to_step_up
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from disclosures.models import Disclosure, Item, Notice, Paper, Statement
from disclosures.rules.standing import (
    Said,
    needs_second,
    refusal_to_approve,
    refusal_to_change,
    refusal_to_release,
    steps,
)
from disclosures.selectors import (
    cases_of,
    concerned_by,
    items_of,
    names_of,
    notices_of,
    opened,
    release_of,
    standing_of,
    today_of,
    told_to,
)
from disclosures.services.entries import DisclosureRefused
from disclosures.services.packaging import FAULTS
from disclosures.services.papers import open_own_paper, paper_name
from disclosures.views.going import people_shown, said_shown
from disclosures.views.pages import case_of, state_words
from disclosures.views.scope import clauses_shown
from dsar.views.held import strangers_file
from jobs.selectors import job_visible_to
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

officers = hidden_unless(Capability.DISCLOSE_UNDER_LAW)
_DATA = (*CARE_DATA, Category.REQUESTS, Category.ACCOUNT)
# Of each step, the page on which it is done.
PAGES = {
    "document": "disclosures:papers", "validity": "disclosures:sign",
    "necessity": "disclosures:sign", "clauses": "disclosures:scope", "items": "disclosures:scope",
    "narrowing": "disclosures:narrow", "notice": "disclosures:notices",
    "approval": "disclosures:approve",
}  # fmt: skip


@officers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def cases(request: HttpRequest) -> HttpResponse:
    rows = list(cases_of(request.actor)[:500])
    known, now = opened(rows), timezone.now()
    listed = [
        {
            "row": row, "authority": known[row.pk].authority, "state": state_words(row),
            "late": row.closed_at is None and row.answer_on < now.date() and not _is_out(row),
        }
        for row in rows
    ]  # fmt: skip
    return render(request, "disclosures/cases.html", {"listed": listed})


def _is_out(row: Any) -> bool:
    return getattr(row, "release", None) is not None


@officers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def case(request: HttpRequest, number: int) -> HttpResponse:
    """How a case stands: what is missing, what was signed, what was asked and what is given."""
    row = case_of(request, number)
    found, standing, today = opened([row])[row.pk], standing_of(row), today_of(row)
    made = release_of(row)
    context = {
        "disclosure": row, "case": found, "state": state_words(row), "said": said_shown(row),
        "steps": [(one, PAGES.get(one.code, "")) for one in steps(standing, today)],
        "clauses": clauses_shown(row, found), "people": people_shown(row),
        "papers": list(row.papers.select_related("added_by").order_by("added_at", "pk")),
        "fixed": refusal_to_change(standing), "refusal": refusal_to_release(standing, today),
        "is_whole": standing.is_whole_record, "release": made,
        "can_ask": needs_second(standing) and not refusal_to_approve(standing, today),
        "fault": FAULTS.get(made.fault, "") if made else "",
        "job": job_visible_to(request.user, made.job_id)
        if made and made.job_id and made.state == "making" else None,
        "asked": _said(row, found),
    }  # fmt: skip
    return render(request, "disclosures/case.html", context)


def _said(row: Any, found: Any) -> str:
    statement = row.statements.filter(kind=Said.ASKED.value).first()
    return found.statement(statement) if statement else ""


@officers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def letter(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """A letter for somebody without an account, to be printed."""
    row = case_of(request, number)
    items = [one for one in items_of(row) if one.is_chosen]
    whom = next((one for one in concerned_by(items) if one.key == key), None)
    told = notices_of(row).get(whom) if whom else None
    if whom is None or (told is not None and told.given_at is None and is_secret(told, row)):
        raise Http404
    found, release = opened([row])[row.pk], release_of(row)
    withheld = row.statements.filter(kind=Said.WITHHELD.value).first()
    context = {
        "disclosure": row, "case": found, "release": release, "notice": told,
        "name": names_of(row.organisation_id, [whom])[whom], "today": today_of(row),
        "withheld": found.statement(withheld) if withheld else "",
        "items": [found.label(one) for one in items
                  if (one.subject_id, one.account_id) == (whom.subject_id, whom.account_id)],
    }  # fmt: skip
    return render(request, "disclosures/letter.html", context)


def is_secret(told: Notice, row: Disclosure) -> bool:
    return told.prohibited_until is not None and told.prohibited_until >= today_of(row)


# The person --------------------------------------------------------------------------------------
@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def mine(request: HttpRequest) -> HttpResponse:
    """What one was told of: the demand, its document or why it is withheld, and each item."""
    listed = _own_cases(request.actor)
    if listed:
        record(action="disclosure.seen", actor=request.actor, details={"cases": len(listed)})
    return render(request, "disclosures/mine.html", {"listed": listed})


def _own_cases(actor: Actor) -> list[dict[str, Any]]:
    """In a fixed number of questions, however many there are."""
    told = list(told_to(actor))
    rows = {one.disclosure_id: one.disclosure for one in told}
    known = opened(list(rows.values()))
    items: dict[UUID, list[Item]] = {}
    for one in Item.objects.filter(disclosure__in=rows, is_chosen=True).order_by("number"):
        items.setdefault(one.disclosure_id, []).append(one)
    papers: dict[UUID, list[Paper]] = {}
    for paper in Paper.objects.filter(disclosure__in=rows).order_by("added_at", "pk"):
        papers.setdefault(paper.disclosure_id, []).append(paper)
    withheld = _withheld(rows, known)
    return [
        {
            "notice": one, "row": one.disclosure, "case": known[one.disclosure_id],
            "release": getattr(one.disclosure, "release", None),
            "papers": papers.get(one.disclosure_id, []),
            "withheld": withheld.get(one.disclosure_id, ""),
            "items": [
                known[one.disclosure_id].label(item) for item in items.get(one.disclosure_id, [])
                if (item.subject_id, item.account_id) == (one.subject_id, one.account_id)
            ],
        }
        for one in told
    ]  # fmt: skip


def _withheld(rows: dict[UUID, Any], known: dict[UUID, Any]) -> dict[UUID, str]:
    found = Statement.objects.filter(disclosure__in=rows, kind=Said.WITHHELD.value)
    return {one.disclosure_id: known[one.disclosure_id].statement(one) for one in found}


@signed_in
@never_cache
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_paper(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The document, for whoever was told of it."""
    told = told_to(request.actor).values("disclosure_id")
    rows = Paper.objects.filter(disclosure__in=told).select_related("disclosure__organisation")
    found = get_object_or_404(rows, pk=pk)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    try:
        content = open_own_paper(actor=request.actor, paper=found)
    except DisclosureRefused:
        return redirect("disclosures:mine")
    return strangers_file(content, found.file_type, paper_name(found))
