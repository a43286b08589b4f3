"""The copy of what is held, made for an officer: of everything, of kinds alone, or of a choice."""

from __future__ import annotations

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import needs
from accounts.rules import Capability
from dsar.forms import ChooseForm
from dsar.models import Case
from dsar.rules.packages import EVERYTHING, Wanted, What
from dsar.selectors import cases_of
from dsar.services.choosing import choices_of
from dsar.services.collecting import collect, whose_of
from dsar.services.entries import CaseRefused
from dsar.services.packaging import prepare_package
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.ANSWER_REQUESTS)
@require_POST
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS)
def prepare(request: HttpRequest, number: str) -> HttpResponse:
    """Have a copy made of everything, or a report of the kinds of data alone."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    only_kinds = request.POST.get("what") == What.CATEGORIES
    return _prepared(request, case, Wanted(What.CATEGORIES) if only_kinds else EVERYTHING)


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS, Category.TRAIL)
def choose(request: HttpRequest, number: str) -> HttpResponse:
    """Have a copy made of what is ticked, and of nothing else."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    whose = whose_of(case)
    collection = collect(whose)
    given = request.POST if request.method == "POST" else None
    form = ChooseForm(given, offered=choices_of(collection, whose))
    if form.is_valid():
        chosen = frozenset(form.cleaned_data["chosen"])
        return _prepared(request, case, Wanted(What.CHOSEN, chosen))
    context = {"case": case, "form": form, "missing": collection.missing}
    status = 422 if form.is_bound else 200
    return render(request, "dsar/choose.html", context, status=status)


def _prepared(request: HttpRequest, case: Case, wanted: Wanted) -> HttpResponse:
    if not request.actor.is_fresh(timezone.now()):
        # Back to the page after the proof; nothing was begun yet.
        page = quote(reverse("dsar:held", args=[case.number]))
        return redirect(f"{reverse('accounts:step_up')}?next={page}")
    try:
        _, code = prepare_package(actor=request.actor, case=case, wanted=wanted)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if code:
            request.session[f"copy-code-{case.pk}"] = code
        messages.success(request, "The copy is being made.")
    return redirect("dsar:held", case.number)
