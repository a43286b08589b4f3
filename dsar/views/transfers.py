"""A portable copy straight to another provider: named by its person, fetched by that provider."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs, signed_in, to_step_up
from accounts.rules import Capability
from dsar.forms import ReceiverForm
from dsar.selectors import own_cases
from dsar.selectors.transfers import receivers_for, transfers_of, transfers_to
from dsar.services.entries import CaseRefused
from dsar.services.transferring import name_receiver, open_transfer, take_back
from dsar.views.held import sent_file
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_transfer(request: HttpRequest, number: str) -> HttpResponse:
    """Name the provider that may fetch the copy, or take that back."""
    case = get_object_or_404(own_cases(request.actor), number=number)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    form = ReceiverForm(request.POST or None, receivers=receivers_for(case))
    try:
        if request.method == "POST" and "back" in request.POST:
            take_back(actor=request.actor, case=case, transfer_id=UUID(request.POST["back"]))
            return redirect("dsar:own_transfer", number)
        if request.method == "POST" and form.is_valid():
            name_receiver(actor=request.actor, case=case, to=form.cleaned_data["to"])
            messages.success(request, "They can fetch it now, and are told.")
            return redirect("dsar:own_transfer", number)
    except (CaseRefused, ValueError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, CaseRefused) else "Choose one.")
    context = {"case": case, "form": form, "transfers": transfers_of(case)}
    wrong = request.method == "POST"
    return render(request, "dsar/transfer.html", context, status=422 if wrong else 200)


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def transfers(request: HttpRequest) -> HttpResponse:
    """What people had sent here."""
    return render(request, "dsar/transfers.html", {"transfers": transfers_to(request.actor)})


@needs(Capability.ANSWER_REQUESTS)
@never_cache
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def transfer_fetch(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    found = get_object_or_404(transfers_to(request.actor), pk=pk)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    try:
        transfer, blob = open_transfer(actor=request.actor, transfer=found)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("dsar:transfers")
    return sent_file(blob, transfer.package.size, f"copy-{transfer.package.case.number}.zip")
