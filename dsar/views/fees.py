"""What a person says to a fee that was quoted to them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.permissions import public, signed_in
from accounts.rules import Actor
from dsar.models import Case
from dsar.selectors import case_of_token, own_cases
from dsar.services.charging import decide_fee
from dsar.services.entries import CaseRefused
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_fee(request: HttpRequest, number: str) -> HttpResponse:
    case = get_object_or_404(own_cases(request.actor), number=number)
    _decide(request, case, request.actor)
    return redirect("dsar:own_case", number)


@public
@never_cache
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def read_fee(request: HttpRequest, token: str) -> HttpResponse:
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    _decide(request, case, None)
    return redirect("dsar:read", token)


def _decide(request: HttpRequest, case: Case, actor: Actor | None) -> None:
    accepts = request.POST.get("accepts") == "yes"
    try:
        decide_fee(case=case, accepts=accepts, actor=actor)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        done = "Accepted: the work begins." if accepts else "Noted: nothing is made for that fee."
        messages.success(request, done)
