"""Erasure for a request: the plan of all rooms, how it stands, and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import needs
from accounts.rules import Capability
from dsar.models import ErasureNotice
from dsar.rules.erasure import ERASURE_LABELS, ErasureState
from dsar.rules.kinds import Kind
from dsar.rules.states import UNANSWERED
from dsar.selectors import cases_of
from dsar.services.collecting import collect, whose_of
from dsar.services.entries import CaseRefused
from dsar.services.erasing import erasure_of, lines_beside, plan_case_erasure
from dsar.services.passing_on import confirm_passed_on, notices_of
from jobs.selectors import job_visible_to
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS, Category.TRAIL)
def erasure(request: HttpRequest, number: str) -> HttpResponse:
    """Look at what an erasure would do, have it planned, and see how far it is."""
    case = get_object_or_404(cases_of(request.actor), number=number, kind=Kind.ERASURE)
    refusal = ""
    if request.method == "POST":
        try:
            plan_case_erasure(actor=request.actor, case=case)
        except CaseRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, "Planned. Two people have to approve it.")
            return redirect("dsar:erasure", number)
    shown, whose = erasure_of(case), whose_of(case)
    may_plan = case.state in UNANSWERED and (
        shown is None or shown.state in {ErasureState.PLANNED, ErasureState.NOT_DONE}
    )
    context = {
        "case": case,
        "shown": shown,
        "stands": ERASURE_LABELS[shown.state] if shown else "",
        "lines": shown.lines if shown else lines_beside(whose),
        "missing": collect(whose).missing,
        "knows_whom": bool(whose.subject_ids or whose.user_id),
        "may_plan": may_plan,
        "refusal": refusal,
        "job": job_visible_to(request.user, shown.erasure.job_id)
        if shown and shown.erasure.job_id and shown.state is ErasureState.RUNNING
        else None,
        "notices": notices_of(shown.erasure) if shown else [],
    }
    return render(request, "dsar/erasure.html", context, status=409 if refusal else 200)


@needs(Capability.ANSWER_REQUESTS)
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def erasure_confirmed(request: HttpRequest, number: str, pk: str) -> HttpResponse:
    """Note that somebody who processes data for the organisation has erased it too."""
    case = get_object_or_404(cases_of(request.actor), number=number, kind=Kind.ERASURE)
    notice = get_object_or_404(ErasureNotice, pk=pk, erasure__case=case)
    confirm_passed_on(actor=request.actor, notice=notice)
    messages.success(request, "Noted that they have erased it too.")
    return redirect("dsar:erasure", number)
