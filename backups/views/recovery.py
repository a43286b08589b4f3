"""The plan for disasters: what it says, whether it is kept, and the paper that one prints."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Capability
from backups.forms import PlanForm
from backups.models import Drill, RecoveryPlan
from backups.permissions import can_keep_devices
from backups.selectors import members_of
from backups.services.recovery import PlanRefused, standing_of, write_plan
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

DRILLS_SHOWN = 10
NAMED = ("point_hours", "time_hours", "drill_days", "owner", "deputy")


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.CONFIGURATION, Category.PROFESSIONAL)
def plan(request: HttpRequest) -> HttpResponse:
    """The plan and how it stands; for administrators, the form that writes it anew."""
    may_write = can_keep_devices(request.actor, request.actor.organisation_id)
    if request.method == "POST" and not may_write:
        raise PermissionDenied("Only administrators write the plan for disasters.")
    found = standing_of(request.actor.organisation_id)
    form = _form(request, found.plan) if may_write else None
    if form is not None and form.is_bound and form.is_valid():
        try:
            write_plan(actor=request.actor, **form.cleaned_data)
        except PlanRefused as refusal:
            form.add_error("deputy", str(refusal))
        else:
            messages.success(request, "Written. Print it: it is needed when nothing here answers.")
            return redirect("backups:plan")
    status = 422 if form is not None and form.is_bound else 200
    context = {"standing": found, "form": form}
    return render(request, "backups/plan.html", context, status=status)


def _form(request: HttpRequest, latest: RecoveryPlan | None) -> PlanForm:
    before = (
        {name: getattr(latest, f"{name}_id", None) or getattr(latest, name) for name in NAMED}
        if latest else {"point_hours": 24, "time_hours": 24, "drill_days": 90}
    )  # fmt: skip
    given = request.POST if request.method == "POST" else None
    return PlanForm(given, initial=before, people=list(members_of(request.actor)))


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.CONFIGURATION, Category.PROFESSIONAL)
def plan_document(request: HttpRequest) -> HttpResponse:
    """The plan as a paper, with the steps and the latest drills."""
    found = standing_of(request.actor.organisation_id)
    if found.plan is None:
        raise Http404
    context = {
        "standing": found,
        "organisation": Organisation.objects.get(pk=request.actor.organisation_id),
        "drills": Drill.objects.order_by("-began_at")[:DRILLS_SHOWN],
    }
    return render(request, "backups/plan_document.html", context)
