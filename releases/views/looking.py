"""Comparing what was blacked with what was there; and what was put aside, with the reason."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from releases.models import Output, Project
from releases.rules.states import ASIDE_LABELS, Act, Aside, State, can_be_done
from releases.services.projects import ReleaseRefused
from releases.services.reviewing import clean_picture, judge, note_look, original_picture, originals
from releases.views.scope import own_project_or_404, preparing
from studies.gateways.decoder import CannotRender
from studies.rules.deidentification.assess import DOUBT_WORDS, Doubt

PER_PAGE: Final = 12
SHOWN: Final = {
    "look": ("Wait for a look", [Aside.LOOK]),
    "seen": ("Looked at", [Aside.SEEN]),
    "back": ("Kept back", [Aside.REFUSED]),
    "aside": ("Put aside", [Aside.ASIDE]),
}


@needs(Capability.VIEW_IMAGES)
@require_safe
@preparing
def review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Objects side by side: before and after, or why there is no after."""
    project = own_project_or_404(request, pk)
    shown = request.GET.get("shown", "look")
    if shown not in SHOWN:
        raise Http404
    rows = project.outputs.filter(state__in=SHOWN[shown][1]).order_by("pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    counts = {code: project.outputs.filter(state__in=states).count()
              for code, (_, states) in SHOWN.items()}  # fmt: skip
    context = {
        "project": project,
        "shown": shown,
        "tabs": [(code, label, counts[code]) for code, (label, _) in SHOWN.items()],
        "page": page,
        "rows": _described(request, project, list(page.object_list)),
        "may_judge": can_be_done(Act.LOOK, State(project.state)) and shown != "aside",
    }
    return render(request, "releases/review.html", context)


def _described(
    request: HttpRequest, project: Project, outputs: list[Output]
) -> list[dict[str, Any]]:
    found = originals(actor=request.actor, project=project, outputs=outputs)
    note_look(actor=request.actor, project=project, instances=found.values())
    return [
        {
            "output": one,
            "original": found.get(one.pk),
            "reasons": [DOUBT_WORDS[Doubt(doubt)] for doubt in one.doubts],
            "state": ASIDE_LABELS[Aside(one.state)],
        }
        for one in outputs
    ]


@needs(Capability.VIEW_IMAGES)
@require_safe
@preparing
def compare(request: HttpRequest, pk: UUID, output: int) -> HttpResponse:
    """Every frame of one object, before and after."""
    project = own_project_or_404(request, pk)
    row = get_object_or_404(project.outputs, pk=output)
    described = _described(request, project, [row])[0]
    original = described["original"]
    count = row.frames or (original.frames if original else 0)
    page = Paginator(range(1, count + 1), PER_PAGE).get_page(request.GET.get("page"))
    context = described | {
        "project": project,
        "page": page,
        "may_judge": can_be_done(Act.LOOK, State(project.state)) and bool(row.pixels),
    }
    return render(request, "releases/compare.html", context)


@needs(Capability.VIEW_IMAGES)
@require_safe
@preparing
def picture(request: HttpRequest, pk: UUID, output: int, frame: int, side: str) -> HttpResponse:
    """One frame as it was, or as it is now."""
    project = own_project_or_404(request, pk)
    row = get_object_or_404(project.outputs, pk=output)
    width = 900 if request.GET.get("large") else 420
    try:
        if side == "before":
            data = original_picture(request.actor, project, row, frame=frame, width=width)
        else:
            data = clean_picture(project, row, frame=frame, width=width)
    except CannotRender as fault:
        raise Http404 from fault
    if data is None:
        raise Http404
    return HttpResponse(data, content_type="image/jpeg")


@needs(Capability.VIEW_IMAGES)
@require_POST
@preparing
def judged(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say of the ticked objects that they may go out, or are kept back."""
    project = own_project_or_404(request, pk)
    ids = [int(one) for one in request.POST.getlist("output") if one.isascii() and one.isdigit()]
    good = request.POST.get("verdict") == "good"
    back = redirect("releases:review", pk=pk)
    if not ids or request.POST.get("verdict") not in {"good", "back"}:
        messages.error(request, "Tick the objects that you have compared.")
        return back
    try:
        number = judge(actor=request.actor, project=project, output_ids=ids, good=good)
    except ReleaseRefused as refusal:
        messages.error(request, str(refusal))
        return back
    words = "may go out" if good else "kept back"
    messages.success(request, f"{number} object{'' if number == 1 else 's'}: {words}.")
    return back
