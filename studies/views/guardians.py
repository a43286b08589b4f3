"""Naming the guardian who agreed to images of a minor."""

from __future__ import annotations

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs
from accounts.rules import Capability
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.forms import GuardianForm
from studies.rules.display import words_of_study
from studies.rules.minors import UNATTESTED
from studies.selectors import held_in, study_summaries
from studies.services.minors import GuardianRefused, name_guardian
from studies.views.study import study_or_404


@needs(Capability.SUBMIT_STUDIES)
@require_http_methods(["GET", "POST"])
@uses(Purpose.TREATMENT, *CARE_DATA)
def guardian(request: HttpRequest, uid: str) -> HttpResponse:
    """Say who agreed and in which right; then the images are shown."""
    row = study_or_404(request, uid)
    if row.organisation_id != request.actor.organisation_id:
        raise Http404
    form = GuardianForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            shown = name_guardian(actor=request.actor, study=row, **form.cleaned_data)
        except GuardianRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Noted. {shown} images are part of the study now.")
            return redirect("studies:study", uid)
    context = {
        "study": row,
        "words": words_of_study(orjson.loads(study_summaries([row])[0])),
        "waiting": sum(UNATTESTED in one.reasons for one in held_in(row)),
        "form": form,
    }
    return render(request, "studies/guardian.html", context, status=422 if form.is_bound else 200)
