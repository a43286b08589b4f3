"""The public form, and what somebody without an account sees of their request (C29, C45)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organisation
from accounts.permissions import public
from dsar.forms import (
    ActingFields,
    DetailForm,
    DisagreeForm,
    ResidenceForm,
    WordsForm,
    residence_fields,
)
from dsar.models import Case
from dsar.rules.clocks import Request
from dsar.rules.kinds import Kind
from dsar.rules.laws import LAW_LABELS
from dsar.rules.offers import Offer, offers
from dsar.selectors import (
    VIA_PROVIDER,
    case_of_token,
    draft_of_token,
    laws_of,
    organisations_asked,
    policy_or_none,
    read_token,
    today_at,
)
from dsar.services.correcting import disagree
from dsar.services.entries import CaseRefused
from dsar.services.handling import give_detail, note_reading
from dsar.services.intake import (
    Asking,
    TooMany,
    begin_request,
    confirm_request,
    note_flood,
    submit_request,
)
from dsar.views.case_pages import contact_of, person_context
from policies.rules.categories import Category
from policies.rules.gate import uses, uses_no_personal_data
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose


@public
@require_safe
@uses_no_personal_data
def new(request: HttpRequest) -> HttpResponse:
    """Whom do you want to ask?"""
    asked = [one for one in organisations_asked() if policy_or_none(one)]
    return render(request, "dsar/new.html", {"organisations": asked})


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS, Category.ACCOUNT)
def new_for(request: HttpRequest, slug: str) -> HttpResponse:
    """Where you live, what you can ask for and how long it takes; then the request itself."""
    organisation = get_object_or_404(Organisation, slug=slug, is_active=True)
    pack = policy_or_none(organisation)
    if pack is None:
        raise Http404
    lives = _residence(request)
    residence = lives.residence if lives.is_valid() else ""
    offered = _offered(organisation, pack, residence)
    signed_in = request.actor is not None
    form = WordsForm(
        request.POST or None, offered=offered, signed_in=signed_in,
        initial=_known_of(request, residence),
    )  # fmt: skip
    acting = ActingFields(request.POST or None)
    status = 200
    if request.method == "POST":
        if acting.is_valid() & form.is_valid():
            try:
                return _send(request, organisation, form, acting)
            except TooMany as refusal:
                form.add_error(None, str(refusal))
                note_flood(organisation=organisation)
                status = 429
        status = status if status == 429 else 422
    context = {
        "organisation": organisation,
        "contact": contact_of(pack),
        "lives": lives,
        "form": form,
        "acting": acting,
        "laws": _law_names(offered),
        "via_provider": pack["requests.patient_route"] == VIA_PROVIDER,
    }
    return render(request, "dsar/new_for.html", context, status=status)


def _residence(request: HttpRequest) -> ResidenceForm:
    """Where the person lives: as they just said, as their account says, or not known."""
    given = request.POST if request.method == "POST" else request.GET
    if {"country", "state"} & set(given):
        return ResidenceForm(given)
    residence = request.user.residence if request.actor is not None else ""
    return ResidenceForm(residence_fields(residence))


def _known_of(request: HttpRequest, residence: str) -> dict[str, str]:
    known = residence_fields(residence) | {"kind": request.GET.get("kind", "")}
    return known | {"name": request.actor.name} if request.actor is not None else known


def _offered(organisation: Organisation, pack: Pack, residence: str) -> list[Offer]:
    like = Request(
        kind=Kind.QUESTION,
        laws=laws_of(organisation, residence),
        received_on=today_at(organisation),
        country=organisation.country,
        answer_days=pack["requests.answer_days"],
        acknowledge_days=pack["requests.acknowledge_days"],
    )
    return offers(like)


def _law_names(offered: list[Offer]) -> list[str]:
    named = {clock.law for offer in offered for clock in offer.clocks}
    return [label for label in LAW_LABELS.values() if label in named]


def _send(
    request: HttpRequest, organisation: Organisation, form: WordsForm, acting: ActingFields
) -> HttpResponse:
    given = form.cleaned_data
    asking = Asking(
        organisation=organisation,
        kind=Kind(given["kind"]),
        residence=form.residence,
        name=given["name"],
        email=given.get("email") or request.user.email,
        text=given["text"],
        acting=acting.acting(),
    )
    if request.actor is not None:
        case = submit_request(actor=request.actor, asking=asking)
        messages.success(request, f"Your request was received. Its number is {case.number}.")
        return redirect("dsar:own_case", case.number)
    begin_request(asking=asking)
    return redirect("dsar:sent", organisation.slug)


@public
@require_safe
@uses_no_personal_data
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = get_object_or_404(Organisation, slug=slug, is_active=True)
    return render(request, "dsar/sent.html", {"organisation": organisation})


@public
@never_cache
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether it was them. A link alone confirms nothing: mail scanners follow links."""
    draft = draft_of_token(token)
    if draft is None:
        return render(request, "dsar/link_ended.html", {"confirming": True}, status=410)
    if request.method == "POST":
        try:
            case = confirm_request(draft=draft)
        except CaseRefused:
            return render(request, "dsar/link_ended.html", {"confirming": True}, status=410)
        messages.success(request, f"Your request was received. Its number is {case.number}.")
        return redirect("dsar:read", read_token(case))
    return render(request, "dsar/confirm.html", {"organisation": draft.organisation})


@public
@never_cache
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def read(request: HttpRequest, token: str) -> HttpResponse:
    """A request and its answer, for whoever holds the link of the letter."""
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    return _show(request, case, token)


@public
@never_cache
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def read_detail(request: HttpRequest, token: str) -> HttpResponse:
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    form = DetailForm(request.POST)
    if not form.is_valid():
        return _show(request, case, token, form)
    try:
        give_detail(case=case, text=form.cleaned_data["text"])
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Your reply was received.")
    return redirect("dsar:read", token)


@public
@never_cache
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS, Category.MEDICAL)
def read_disagree(request: HttpRequest, token: str) -> HttpResponse:
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    form = DisagreeForm(request.POST)
    if not form.is_valid():
        return _show(request, case, token, disagreeing=form)
    try:
        disagree(case=case, text=form.cleaned_data["text"])
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "Your statement is kept, and goes with the studies that it is about."
        )
    return redirect("dsar:read", token)


def _show(
    request: HttpRequest,
    case: Case,
    token: str,
    form: DetailForm | None = None,
    disagreeing: DisagreeForm | None = None,
) -> HttpResponse:
    opened = note_reading(case=case)
    context: dict[str, Any] = person_context(opened, form, disagreeing) | {
        "token": token,
        "now": timezone.now(),
    }
    return render(
        request, "dsar/own_case.html", context, status=422 if form or disagreeing else 200
    )
