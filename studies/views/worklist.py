from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.permissions import signed_in
from accounts.rules import Capability
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.forms import WorklistForm
from studies.services.listing import worklist as find


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def worklist(request: HttpRequest) -> HttpResponse:
    actor = request.actor
    if actor.organisation_id is None:
        return redirect("studies:my_record")
    if not (actor.can(Capability.VIEW_IMAGES) or actor.can(Capability.SEE_SUBJECTS)):
        return redirect("studies:trail" if actor.can(Capability.SEE_TRAIL) else "accounts:account")
    form = WorklistForm(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = find(actor=actor, wanted=wanted, page=request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "studies/worklist.html",
        {
            "form": form,
            "found": found,
            "query": query.urlencode(),
            "narrowed": any(wanted.values()),
            "can_send": actor.can(Capability.SUBMIT_STUDIES),
        },
    )
