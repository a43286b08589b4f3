"""A series without the viewer: one image at a time or many small ones, reports as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import signed_in
from consent.rules.decision import Action
from consent.services.decisions import authorise
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.models import Instance, Series, Study
from studies.rules.display import words_of_series, words_of_study
from studies.rules.rendering import ENCAPSULATED_PDF
from studies.rules.report import Report, report_of
from studies.selectors import (
    instances_released,
    metadata_of,
    resource_of,
    series_summaries,
    study_summaries,
)
from studies.services.reels import Reel
from studies.views.study import study_or_404

PER_GRID: Final = 60
MOST_TEXTS: Final = 50
# Center and width in Hounsfield units, as radiology uses them every day.
CT_WINDOWS: Final = (
    ("Soft tissue", "40,400"),
    ("Lung", "-600,1500"),
    ("Bone", "400,1800"),
    ("Brain", "40,80"),
)


@dataclass(frozen=True, slots=True)
class Film:
    """One image of the series: its place in it, and where its picture is."""

    at: int
    label: str
    large: str
    small: str


@dataclass(frozen=True, slots=True)
class Other:
    """An object without an image: a report as text, a document, or what cannot be shown here."""

    label: str
    report: Report | None
    document: str


def _film(study: Study, series: Series, reel: Reel, at: int, window: str = "") -> Film:
    """Return image `at` (from 1)."""
    place = reel.place(at)
    path = [study.uid, series.uid, place.row.uid, str(place.frame)]
    query = {"viewport": "1024,1024"} | ({"window": window} if window else {})
    return Film(
        at,
        place.label,
        f"{reverse('dicomweb:frame_rendered', args=path)}?{urlencode(query, safe=',')}",
        f"{reverse('dicomweb:frame_thumbnail', args=path)}?viewport=160,160",
    )


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def frames(request: HttpRequest, uid: str, series_uid: str) -> HttpResponse:
    """Show a series: `at` is the image, `window` the preset, `grid` the first of many."""
    study = study_or_404(request, uid)
    decision = authorise(
        actor=request.actor,
        action=Action.VIEW,
        resource=resource_of(study, series=series_uid),
        event="study.described",
    )
    released = instances_released(study, decision).filter(series__uid=series_uid)
    rows = list(released.select_related("series", "blob").order_by("number", "pk"))
    if not rows:
        raise Http404
    series = rows[0].series
    reel = Reel(rows)
    context: dict[str, Any] = {
        "study": study,
        "series": series,
        "words": words_of_study(orjson.loads(study_summaries([study])[0])),
        "series_words": words_of_series(orjson.loads(series_summaries(study, [series])[0])),
        "reel": reel,
        "others": _others([row for row in rows if not row.frames]),
    }
    context |= (
        _grid(request, study, series, reel)
        if "grid" in request.GET
        else _single(request, study, series, reel)
    )
    return render(request, "studies/frames.html", context)


def _single(request: HttpRequest, study: Study, series: Series, reel: Reel) -> dict[str, Any]:
    if not reel.count:
        return {}
    presets = CT_WINDOWS if series.modality == "CT" else ()
    window = request.GET.get("window", "")
    window = window if window in {value for _, value in presets} else ""
    at = _number(request.GET.get("at"), reel.count)
    return {
        "film": _film(study, series, reel, at, window),
        "before": at - 1,
        "after": at + 1 if at < reel.count else 0,
        "window": window,
        "presets": presets,
    }


def _grid(request: HttpRequest, study: Study, series: Series, reel: Reel) -> dict[str, Any]:
    wanted = _number(request.GET.get("grid"), max(1, reel.count))
    first = wanted - (wanted - 1) % PER_GRID
    last = min(first + PER_GRID - 1, reel.count)
    return {
        "films": [_film(study, series, reel, at) for at in range(first, last + 1)],
        "first": first,
        "last": last,
        "grid_before": max(1, first - PER_GRID) if first > 1 else 0,
        "grid_after": last + 1 if last < reel.count else 0,
    }


def _number(text: str | None, most: int) -> int:
    return min(max(int(text), 1), most) if text and text.isdecimal() and len(text) < 10 else 1


def _others(rows: list[Instance]) -> list[Other]:
    described = metadata_of(rows[:MOST_TEXTS]) if rows else []
    return [
        _other(row, orjson.loads(item.header))
        for row, item in zip(rows[:MOST_TEXTS], described, strict=True)
    ]


def _other(row: Instance, attributes: dict[str, Any]) -> Other:
    path = [row.study.uid, row.series.uid, row.uid]
    is_pdf = row.sop_class_uid == ENCAPSULATED_PDF
    return Other(
        label=f"Object {row.number}" if row.number is not None else "Object",
        report=report_of(attributes),
        document=reverse("dicomweb:instance_rendered", args=path) if is_pdf else "",
    )
