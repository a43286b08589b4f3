"""Rejecting a study that should not have been sent, and restoring it."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from consent.rules.decision import Action
from consent.services.decisions import authorise
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.forms import RejectedStudyForm, RejectForm
from studies.models import Study
from studies.permissions import answers_for_members, can_reject
from studies.rules.display import StudyWords, words_of_study
from studies.rules.rejecting import restorable_until
from studies.selectors import resource_of, study_named, study_summaries
from studies.services.rejected import days_to_restore, rejected_list, rejections_for
from studies.services.rejecting import (
    NOT_YOURS,
    RejectionRefused,
    reject_study,
    restore_study,
)


@needs(Capability.SUBMIT_STUDIES, Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def reject(request: HttpRequest, uid: str) -> HttpResponse:
    """Say what is wrong with a study, read what that does, and hide it."""
    row = study_named(request.actor, uid)
    if row is None or row.organisation_id != request.actor.organisation_id:
        raise Http404
    if not can_reject(request.actor, row):
        raise PermissionDenied(NOT_YOURS)
    form = RejectForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            reject_study(actor=request.actor, study=row, **form.cleaned_data)
        except RejectionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Rejected. Nobody sees it any more.")
            return redirect("studies:rejected")
    days = days_to_restore(request.actor)
    context = {
        "study": row,
        "words": _words(request, row),
        "objects": row.instance_count + row.held_count,
        "modalities": ", ".join(filter(None, row.modalities.split("\\"))),
        "form": form,
        "days": days,
        "until": restorable_until(timezone.now().date(), days),
    }
    return render(request, "studies/reject.html", context, status=422 if form.is_bound else 200)


def _words(request: HttpRequest, row: Study) -> StudyWords | None:
    """Whose it is, for those whose role includes that: an administrator's does not."""
    if not request.actor.can(Capability.SEE_SUBJECTS):
        return None
    authorise(
        actor=request.actor, action=Action.SEARCH, resource=resource_of(row), event="study.opened"
    )
    return words_of_study(orjson.loads(study_summaries([row])[0]))


@needs(Capability.SUBMIT_STUDIES, Capability.MANAGE_MEMBERS)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def rejected(request: HttpRequest) -> HttpResponse:
    """What was rejected and can be restored; for administrators also the way to reject."""
    form = RejectedStudyForm(request.GET if "study" in request.GET else None)
    if form.is_bound and form.is_valid():
        uid = form.cleaned_data["study"].strip()
        row = study_named(request.actor, uid)
        if row is not None and row.organisation_id == request.actor.organisation_id:
            return redirect("studies:reject", uid)
        form.add_error("study", "There is no such study here, or it is hidden already.")
    context: dict[str, Any] = {
        "found": rejected_list(actor=request.actor, page=request.GET.get("page")),
        "days": days_to_restore(request.actor),
        "form": form if answers_for_members(request.actor) else None,
    }
    return render(request, "studies/rejected.html", context, status=422 if form.errors else 200)


@needs(Capability.SUBMIT_STUDIES, Capability.MANAGE_MEMBERS)
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a rejected study again."""
    found = rejections_for(request.actor).filter(study__uid=uid).first()
    if found is None:
        raise Http404
    try:
        restore_study(actor=request.actor, study=found.study)
    except RejectionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("studies:rejected")
    messages.success(request, "Restored. It is where it was before.")
    if request.actor.can(Capability.SEE_SUBJECTS):
        return redirect("studies:study", uid)
    return redirect("studies:rejected")
