"""The page by which an officer reports that an account is a child's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import Organisation
from accounts.permissions import needs, to_step_up
from accounts.rules import Capability
from dsar.forms.children import ChildForm
from dsar.rules.children import hours_to_delete
from dsar.rules.states import Door
from dsar.services.children import report_child
from dsar.services.entries import CaseRefused
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, *Category)
def child(request: HttpRequest) -> HttpResponse:
    """Say whose account and how it is known, read what that does, and close it."""
    form = ChildForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if not request.actor.is_fresh(timezone.now()):
            return to_step_up(request)
        given = form.cleaned_data
        try:
            case = report_child(
                actor=request.actor, email=given["email"], how=given["how"],
                door=Door(given["door"]),
            )  # fmt: skip
        except CaseRefused as refused:
            form.add_error("email", str(refused))
        else:
            messages.success(request, "The account is closed. What goes waits for two approvals.")
            return redirect("dsar:erasure", case.number)
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    context = {
        "form": form,
        "organisation": organisation,
        "hours": hours_to_delete(effective_pack(organisation.pk).values),
        "is_fresh": request.actor.is_fresh(timezone.now()),
    }
    return render(request, "dsar/child.html", context, status=422 if form.is_bound else 200)
