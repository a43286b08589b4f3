"""A signed-in person's own requests and their answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs_step_up, signed_in
from dsar.forms import DetailForm, DisagreeForm
from dsar.models import Case
from dsar.selectors import own_cases
from dsar.services.correcting import disagree
from dsar.services.deleting_account import ask_to_delete_account, prospects
from dsar.services.entries import CaseRefused
from dsar.services.handling import give_detail, note_reading
from dsar.views.case_pages import person_context, row_of
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def mine(request: HttpRequest) -> HttpResponse:
    rows = [row_of(case) for case in own_cases(request.actor)[:200]]
    return render(request, "dsar/mine.html", {"rows": rows})


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_case(request: HttpRequest, number: str) -> HttpResponse:
    return _show(request, get_object_or_404(own_cases(request.actor), number=number))


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_detail(request: HttpRequest, number: str) -> HttpResponse:
    case = get_object_or_404(own_cases(request.actor), number=number)
    form = DetailForm(request.POST)
    if not form.is_valid():
        return _show(request, case, form)
    try:
        give_detail(actor=request.actor, case=case, text=form.cleaned_data["text"])
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Your reply was received.")
    return redirect("dsar:own_case", number)


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS, Category.MEDICAL)
def own_disagree(request: HttpRequest, number: str) -> HttpResponse:
    """Write a statement of disagreement with a correction that was refused."""
    case = get_object_or_404(own_cases(request.actor), number=number)
    form = DisagreeForm(request.POST)
    if not form.is_valid():
        return _show(request, case, disagreeing=form)
    try:
        disagree(actor=request.actor, case=case, text=form.cleaned_data["text"])
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "Your statement is kept, and goes with the studies that it is about."
        )
    return redirect("dsar:own_case", number)


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.ACCOUNT, Category.REQUESTS)
def delete_account(request: HttpRequest) -> HttpResponse:
    """Say what deleting the account takes and what stays, why and until when; then ask for it."""
    if detour := needs_step_up(request):
        return detour
    if request.method == "POST":
        try:
            cases = ask_to_delete_account(actor=request.actor)
        except CaseRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("dsar:mine")
        numbers = ", ".join(case.number for case in cases)
        messages.success(request, f"Your request was received. Its number is {numbers}.")
        return redirect("dsar:mine")
    return render(request, "dsar/delete_account.html", {"prospects": prospects(request.actor)})


def _show(
    request: HttpRequest,
    case: Case,
    form: DetailForm | None = None,
    disagreeing: DisagreeForm | None = None,
) -> HttpResponse:
    opened = note_reading(actor=request.actor, case=case)
    context = person_context(opened, form, disagreeing)
    status = 422 if form or disagreeing else 200
    return render(request, "dsar/own_case.html", context, status=status)
