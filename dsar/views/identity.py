"""Looks at who asks, and the codes that go to where a record says somebody can be reached."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import needs, public, signed_in
from accounts.rules import Actor, Capability
from dsar.forms import CodeForForm, GivenCodeForm, IdentifyForm
from dsar.models import Case
from dsar.rules.identity import LEVEL_LABELS, Fact, level_for
from dsar.rules.kinds import Kind
from dsar.rules.states import Act, Proof, refusal_of
from dsar.selectors import (
    case_of_token,
    cases_of,
    own_cases,
    standing_of,
    today_at,
)
from dsar.selectors.identity import level_known
from dsar.services.entries import CaseRefused
from dsar.services.identifying import give_code, identify_person, make_code
from dsar.views.people import Linked, people_of
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


def _records(case: Case) -> list[tuple[str, str]]:
    return [(str(one.subject.pk), _words(one)) for one in people_of(case)]


def _words(one: Linked) -> str:
    number = one.identity.identifier or "none"
    return f"{one.identity.display_name}, ID {number}: {one.shown or 'not shown'}"


def _page(
    request: HttpRequest, case: Case, form: IdentifyForm | CodeForForm, template: str, refusal: str
) -> HttpResponse:
    context = {
        "case": case, "form": form, "refusal": refusal,
        "needed": LEVEL_LABELS[level_for(Kind(case.kind))], "known": LEVEL_LABELS[level_known(case)]
        if level_known(case) else "not known yet",
    }  # fmt: skip
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, template, context, status=status)


def _refusal(case: Case) -> str:
    return refusal_of(Act.IDENTIFY, standing_of(case), today_at(case.organisation))


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS)
def identify(request: HttpRequest, number: str) -> HttpResponse:
    """Note one look at who asks; what does not agree is noted as well."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    form, refusal = IdentifyForm(request.POST or None, case=case, records=_records(case)), ""
    if request.method == "GET" or not form.is_valid() or _refusal(case):
        return _page(request, case, form, "dsar/identify.html", _refusal(case))
    try:
        identify_person(
            actor=request.actor, case=case, proof=Proof(form.cleaned_data["proof"]),
            facts=form.facts_given(), subject_id=form.subject_id(),
            declared=form.cleaned_data["declared"], passed=form.cleaned_data["passed"] != "no",
        )  # fmt: skip
    except CaseRefused as refused:
        refusal = str(refused)
        form.add_error(None, refusal)
        return _page(request, case, form, "dsar/identify.html", refusal)
    messages.success(request, "Noted.")
    return redirect("dsar:case", number)


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS)
def code_for(request: HttpRequest, number: str) -> HttpResponse:
    """Make a code, shown once, for the officer to send to where the record says."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    form = CodeForForm(request.POST or None, case=case, records=_records(case))
    if request.method == "GET" or not form.is_valid() or _refusal(case):
        return _page(request, case, form, "dsar/code_for.html", _refusal(case))
    try:
        _, code = make_code(
            actor=request.actor, case=case, fact=Fact(form.cleaned_data["fact"]),
            subject_id=form.subject_id(),
        )  # fmt: skip
    except CaseRefused as refused:
        form.add_error(None, str(refused))
        return _page(request, case, form, "dsar/code_for.html", str(refused))
    request.session[f"identity-code-{case.pk}"] = code
    return redirect("dsar:case", number)


# Given by the person -----------------------------------------------------------------------------
@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_code(request: HttpRequest, number: str) -> HttpResponse:
    case = get_object_or_404(own_cases(request.actor), number=number)
    _give(request, case, request.actor)
    return redirect("dsar:own_case", number)


@public
@never_cache
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def read_code(request: HttpRequest, token: str) -> HttpResponse:
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    _give(request, case, None)
    return redirect("dsar:read", token)


def _give(request: HttpRequest, case: Case, actor: Actor | None) -> None:
    form = GivenCodeForm(request.POST)
    code = form.cleaned_data["code"] if form.is_valid() else ""
    try:
        give_code(case=case, code=code, actor=actor)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Thank you. The officers see that you gave the code.")
