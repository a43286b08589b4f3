"""What lies in the legal archive, for those who answer for it: numbers and ends, never whose."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.permissions import needs, needs_step_up
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from jobs.selectors import job_visible_to
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from retention.forms import ClosingForm
from retention.models import ArchivedStudy
from retention.selectors.archive import archive_of
from retention.selectors.holds import guard_of
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.services.closing_organisation import (
    agree_to_close,
    ask_to_close,
    closing_of,
    take_back_closing,
)
from retention.services.refusals import RetentionRefused
from studies.models import Study
from studies.selectors import THERE

PER_PAGE = 50


@needs(Capability.APPROVE_DISPOSAL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def archive(request: HttpRequest) -> HttpResponse:
    """What law alone keeps here, why, and until when."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    page = Paginator(archive_of(request.actor), PER_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    _note(request.actor, len(rows))
    context = {
        "page": page,
        "rows": _described(organisation, rows),
        "organisation": organisation,
        "may_release": request.actor.can(Capability.ANSWER_REQUESTS),
    }
    return render(request, "retention/archive.html", context)


@needs(Capability.APPROVE_DISPOSAL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA, Category.ORGANISATION, Category.PROFESSIONAL)
def closing(request: HttpRequest) -> HttpResponse:
    """Close the organisation's account: what it does, who asked, and the second person's word."""
    if detour := needs_step_up(request):
        return detour
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    form = ClosingForm(request.POST or None, name=organisation.name)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            told = _ACTS[form.cleaned_data["act"]](request.actor)
        except RetentionRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, told)
            return redirect("retention:closing")
    found = closing_of(organisation.pk)
    context = {
        "organisation": organisation,
        "closing": found,
        "form": form,
        "refusal": refusal,
        "studies": Study.objects.filter(THERE, organisation=organisation).count(),
        "may_ask": request.actor.can(Capability.MANAGE_MEMBERS),
        "is_own": found is not None and found.asked_by_id == request.actor.user_id,
        "job": job_visible_to(request.user, found.job_id)
        if found and found.job_id and not found.ended_at else None,
    }  # fmt: skip
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "retention/closing.html", context, status=status)


def _ask(actor: Actor) -> str:
    ask_to_close(actor=actor)
    return "Asked for. A second person has to agree."


def _agree(actor: Actor) -> str:
    agree_to_close(actor=actor)
    return "Closed. Its studies go to the archive now."


def _take_back(actor: Actor) -> str:
    take_back_closing(actor=actor)
    return "Taken back. Nothing has happened."


_ACTS: dict[str, Callable[[Actor], str]] = {
    "ask": _ask, "agree": _agree, "take-back": _take_back,
}  # fmt: skip


def _described(organisation: Organisation, rows: list[ArchivedStudy]) -> list[dict[str, object]]:
    studies = [row.study for row in rows]
    keepings = keeping_of_studies(studies, terms_of(organisation)) if studies else {}
    guard = guard_of(organisation.pk, studies) if studies else None
    return [
        {
            "row": row,
            "modalities": ", ".join(filter(None, row.study.modalities.split("\\"))),
            "keeping": keepings.get(row.study_id),
            "bar": guard.bar_for(row.study) if guard else None,
        }
        for row in rows
    ]


def _note(actor: Actor, shown: int) -> None:
    """Whoever looks sees days of examinations, so that stands in the trail."""
    record(
        action="archive.viewed", actor=actor,
        target=("organisation", str(actor.organisation_id)), details={"shown": shown},
    )  # fmt: skip
