"""What has to be before something goes out: the notice, the second person; then the package."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import hidden_unless, to_step_up
from accounts.rules import Capability
from disclosures.forms import NoticeForm, WordsForm
from disclosures.models import Disclosure, Notice
from disclosures.rules.standing import SAID_LABELS, Said, refusal_to_approve
from disclosures.selectors import (
    Concerned,
    cases_to_approve,
    concerned_by,
    items_of,
    names_of,
    notices_of,
    opened,
    standing_of,
    statements_of,
    today_of,
    with_account,
)
from disclosures.services.entries import DisclosureRefused
from disclosures.services.noticing import record_prohibition, tell_person
from disclosures.services.packaging import fetch_package, spend
from disclosures.services.releasing import (
    approve_case,
    ask_for_approval,
    release_case,
    review_case,
)
from disclosures.views.pages import Sheet, case_of, done_at, shown_or_done, status_of
from disclosures.views.scope import clauses_shown
from dsar.views.held import sent_file
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

officers = hidden_unless(Capability.DISCLOSE_UNDER_LAW)
second = hidden_unless(Capability.DISCLOSE_UNDER_LAW, Capability.APPROVE_DISPOSAL)
_DATA = (*CARE_DATA, Category.REQUESTS, Category.ACCOUNT)


# Notices -----------------------------------------------------------------------------------------
@officers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def notices(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    context = {
        "disclosure": row, "people": people_shown(row), "case": opened([row])[row.pk],
        "withheld": statements_of(row).get(Said.WITHHELD),
    }  # fmt: skip
    return render(request, "disclosures/notices.html", context)


def people_shown(row: Disclosure) -> list[dict[str, Any]]:
    """Each person whom the ticked items are about, and what was done to tell them."""
    people = concerned_by(items_of(row))
    names, known, told = (
        names_of(row.organisation_id, people), with_account(people), notices_of(row)
    )  # fmt: skip
    case = opened([row])[row.pk]
    return [
        {
            "whom": one, "name": names[one], "has_account": one in known, "notice": told.get(one),
            "reason": case.notice(told[one]) if one in told else "",
        }
        for one in people
    ]  # fmt: skip


def _whom(row: Disclosure, key: str) -> Concerned:
    found = next((one for one in concerned_by(items_of(row)) if one.key == key), None)
    if found is None:
        raise Http404
    return found


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def notice(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """Tell one person, or record what prohibits it."""
    row = case_of(request, number)
    whom = _whom(row, key)
    form = NoticeForm(request.POST or None)

    def note() -> None:
        given: dict[str, Any] = {"actor": request.actor, "disclosure": row, "whom": whom}
        if form.cleaned_data["way"] == Notice.Way.PROHIBITED:
            record_prohibition(**given, prohibition=form.prohibition)
        else:
            tell_person(**given, telling=form.telling)

    name = names_of(row.organisation_id, [whom])[whom]
    has = "They have an account." if whom in with_account([whom]) else "They have no account here."
    sheet = Sheet(f"Notice to {name}", has, "Note it", back="disclosures:notices")
    return shown_or_done(request, row, form, sheet, note, "Noted.")


# The second person -------------------------------------------------------------------------------
@officers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def ask(request: HttpRequest, number: int) -> HttpResponse:
    """Tell those who can be the second person that there is something to look at."""
    row = case_of(request, number)
    try:
        ask_for_approval(actor=request.actor, disclosure=row)
    except DisclosureRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The other officers, and the administrators, are told.")
    return done_at(row)


@second
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """The second person looks at what is asked and what would go out, and approves it, or not.

    Administrators come here too; whose data it is they do not see.
    """
    row = get_object_or_404(cases_to_approve(request.actor), number=number)
    refusal = None
    if request.method == "POST":
        try:
            if not request.actor.is_fresh(timezone.now()):
                return to_step_up(request)
            approve_case(actor=request.actor, disclosure=row)
        except DisclosureRefused as refused:
            refusal = refused
        else:
            messages.success(request, "Approved. An officer can release it now.")
            is_officer = request.actor.can(Capability.DISCLOSE_UNDER_LAW)
            return done_at(row) if is_officer else redirect("disclosures:approve", number)
    case = opened([row])[row.pk]
    standing = standing_of(row)
    context = {
        "disclosure": row, "case": case, "clauses": clauses_shown(row, case), "refusal": refusal,
        "said": said_shown(row), "missing": refusal_to_approve(standing, today_of(row)),
        "is_whole": standing.is_whole_record, "is_own": row.opened_by_id == request.actor.user_id,
    }  # fmt: skip
    status = status_of(refusal)
    return render(request, "disclosures/approve.html", context, status=status)


def said_shown(row: Disclosure) -> list[dict[str, Any]]:
    """Each statement, its signer and time, in the order in which they were signed."""
    case = opened([row])[row.pk]
    return [
        {"label": SAID_LABELS[kind], "text": case.statement(one), "by": one.by.name, "at": one.at,
         "kind": kind.value}
        for kind, one in statements_of(row).items()
    ]  # fmt: skip


# Out ---------------------------------------------------------------------------------------------
@officers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Have the package made; what is missing is said, with 409."""
    row = case_of(request, number)
    if not request.actor.is_fresh(timezone.now()):
        return redirect_to_proof(row)
    try:
        release_case(actor=request.actor, disclosure=row)
    except DisclosureRefused as refusal:
        context = {"disclosure": row, "refusal": str(refusal)}
        return render(request, "disclosures/refused.html", context, status=409)
    messages.success(request, "The package is being made.")
    return done_at(row)


def redirect_to_proof(row: Disclosure) -> HttpResponse:
    """Back to the case after the proof; nothing was begun yet."""
    page = quote(reverse("disclosures:case", args=[row.number]))
    return redirect(f"{reverse('accounts:step_up')}?next={page}")


@officers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def package(request: HttpRequest, number: int) -> HttpResponseBase:
    row = case_of(request, number)
    if not request.actor.is_fresh(timezone.now()):
        return redirect_to_proof(row)
    try:
        made, blob = fetch_package(actor=request.actor, disclosure=row)
    except DisclosureRefused as refusal:
        messages.error(request, str(refusal))
        return done_at(row)
    name, by = f"disclosure-{row.number}.zip", request.actor.user_id
    return sent_file(blob, made.size, name, done=lambda: spend(made, by=by))


@second
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def review(request: HttpRequest, number: int) -> HttpResponse:
    """Look at an emergency afterwards."""
    row = get_object_or_404(
        cases_to_approve(request.actor), number=number, review_due_at__isnull=False
    )
    form = WordsForm(
        request.POST or None, label=SAID_LABELS[Said.REVIEW],
        help_text="Was there a danger, was this needed against it, and was it no more than that?",
    )  # fmt: skip
    refusal = None
    if request.method == "POST" and form.is_valid():
        if not request.actor.is_fresh(timezone.now()):
            return to_step_up(request)
        try:
            review_case(actor=request.actor, disclosure=row, finding=form.cleaned_data["text"])
        except DisclosureRefused as refused:
            refusal = refused
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The review is written down.")
            return redirect("disclosures:review", number)
    case = opened([row])[row.pk]
    context = {
        "disclosure": row, "case": case, "clauses": clauses_shown(row, case), "form": form,
        "said": said_shown(row), "now": timezone.now(),
    }  # fmt: skip
    status = status_of(refusal, form)
    return render(request, "disclosures/review.html", context, status=status)
