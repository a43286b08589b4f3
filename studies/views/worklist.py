from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import WorkSettings
from accounts.permissions import needs, signed_in
from accounts.rules import Capability
from accounts.services.work_settings import (
    SettingsRefused,
    remember_worklist,
    work_settings_of,
)
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.forms import RememberForm, WorklistForm
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
    settings = work_settings_of(actor)
    form = WorklistForm(request.GET or _remembered(settings))
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = find(actor=actor, wanted=wanted, page=request.GET.get("page"))
    query = form.data.copy() if form.is_bound else QueryDict(mutable=True)
    query.pop("page", None)
    return render(
        request,
        "studies/worklist.html",
        {
            "form": form,
            "found": found,
            "query": query.urlencode(),
            "narrowed": any(value for name, value in wanted.items() if name != "per_page"),
            "remembers": settings is not None,
            "can_remember": settings is not None and not _is_remembered(settings, wanted),
            "wanted": wanted,
            "can_send": actor.can(Capability.SUBMIT_STUDIES),
        },
    )


def _remembered(settings: WorkSettings | None) -> QueryDict | None:
    """What the member has remembered, as if they had asked for it; None: nothing of it."""
    if settings is None or not (settings.modality or settings.per_page):
        return None
    query = QueryDict(mutable=True)
    query.update({"modality": settings.modality, "per_page": str(settings.per_page or "")})
    return query


def _is_remembered(settings: WorkSettings, wanted: dict[str, Any]) -> bool:
    shown = (wanted.get("modality") or "", wanted.get("per_page"))
    return shown == (settings.modality, settings.per_page)


@needs(Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)
@require_POST
@uses(Purpose.PERSONALISATION, Category.ACCOUNT)
def worklist_remember(request: HttpRequest) -> HttpResponse:
    """Have the worklist begin with this modality and as many lines, from now on."""
    form = RememberForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a modality and a number of lines from the lists.")
        return redirect("studies:worklist")
    try:
        remember_worklist(actor=request.actor, **form.cleaned_data)
    except SettingsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Remembered. The list begins like this from now on.")
    return redirect("studies:worklist")
