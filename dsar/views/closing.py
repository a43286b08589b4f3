"""Closing somebody's account for a request of theirs, once it is known who they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs, to_step_up
from accounts.rules import Capability
from dsar.forms.archive import AccountForm
from dsar.rules.kinds import Kind
from dsar.selectors import cases_of
from dsar.services.closing_accounts import close_for_case, meant_by, refusal_now
from dsar.services.entries import CaseRefused
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.ACCOUNT, Category.CONSENT, Category.REQUESTS)
def close_account(request: HttpRequest, number: str) -> HttpResponse:
    """Say what closing the account does, then do it. Refused (409) until it is known who asks."""
    case = get_object_or_404(cases_of(request.actor), number=number, kind=Kind.ACCOUNT_CLOSURE)
    form = AccountForm(request.POST or request.GET or None)
    email = form.cleaned_data["email"] if form.is_bound and form.is_valid() else ""
    refusal = refusal_now(case)
    if request.method == "POST" and not refusal:
        if not request.actor.is_fresh(timezone.now()):
            return to_step_up(request)
        try:
            closed = close_for_case(actor=request.actor, case=case, email=email)
        except CaseRefused as refused:
            refusal = str(refused)
        else:
            done = "The account is closed." if closed.is_whole else (
                "What the account had here has ended. It goes on at another organisation."
            )  # fmt: skip
            messages.success(request, done)
            return redirect("dsar:case", number)
    context = {
        "case": case,
        "form": form,
        "refusal": refusal,
        "meant": meant_by(case, email),
        "is_fresh": request.actor.is_fresh(timezone.now()),
    }
    status = 409 if refusal and request.method == "POST" else 200
    return render(request, "dsar/close_account.html", context, status=status)
