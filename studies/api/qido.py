"""QIDO-RS: search (DICOM PS3.18 section 10.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.rules import Actor
from consent.rules.decision import Action
from consent.services.decisions import Refused, authorise
from studies.api.body import DICOM_JSON, accepts, json_response
from studies.api.errors import problem
from studies.models import Instance, Series, Study
from studies.rules.attributes import INSTANCE, picked
from studies.rules.qido import Search, SearchInvalid, in_range, matches, parse_search
from studies.selectors import (
    instances_released,
    metadata_of,
    resource_of,
    series_summaries,
    study_named,
)
from studies.services.searching import Found, SearchTooBroad, search_studies

JSON_TYPES = (DICOM_JSON, "application/json")


def search(
    request: HttpRequest, actor: Actor, level: str, study: str = "", series: str = ""
) -> HttpResponse:
    """Answer a search at the level of studies, series or instances."""
    if not accepts(request, JSON_TYPES):
        return problem(406, "not-acceptable", "Searches are answered in application/dicom+json.")
    try:
        wanted = parse_search(level, request.GET.items())
        if level == "study":
            return _studies(search_studies(actor=actor, search=wanted))
        if study:
            return _inside(actor, wanted, study, series)
    except SearchInvalid as invalid:
        return problem(400, "search", str(invalid))
    except SearchTooBroad:
        return problem(
            413, "too-broad", "Too many studies to compare. Add a date, a name or an id."
        )
    return problem(400, "search", "Name the study: /studies/<uid>/" + level)


# Studies -----------------------------------------------------------------------------------------
def _studies(found: Found) -> HttpResponse:
    rows = [_study(row, summary) for row, summary in found.rows]
    return _answer(rows, found.remaining)


def _study(row: Study, summary: bytes) -> bytes:
    """Add what is counted to what is stored, without reading it: both are JSON objects."""
    modalities = row.modalities.strip("\\").split("\\") if row.modalities else []
    added = {
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", "Value": modalities} if modalities else {"vr": "CS"},
        "00081190": {"vr": "UR", "Value": [f"/dicom-web/studies/{row.uid}"]},
        "00201206": {"vr": "IS", "Value": [row.series_count]},
        "00201208": {"vr": "IS", "Value": [row.instance_count]},
    }
    return _joined(summary, added)


def _joined(stored: bytes, added: dict[str, Any]) -> bytes:
    more = orjson.dumps(added)
    return more if len(stored) <= 2 else stored[:-1] + b"," + more[1:]


def _answer(rows: Sequence[bytes], remaining: int) -> HttpResponse:
    response = HttpResponse(b"[" + b",".join(rows) + b"]", content_type=DICOM_JSON)
    if remaining:
        response["Warning"] = (
            f'299 collimate "There are {remaining} additional results that can be requested"'
        )
    return response


# Series and instances of one study ---------------------------------------------------------------
def _inside(actor: Actor, wanted: Search, study_uid: str, series_uid: str) -> HttpResponse:
    study = study_named(actor, study_uid)
    if study is None:
        return json_response([])
    try:
        decision = authorise(
            actor=actor,
            action=Action.SEARCH,
            resource=resource_of(study, series=series_uid),
            event="study.listed",
        )
    except Refused:
        return json_response([])  # a search never says what there is that one may not see
    released = instances_released(study, decision)
    if wanted.level == "series":
        return _series(study, released, wanted)
    return _instances(study, released, wanted, series_uid)


def _series(study: Study, released: QuerySet[Instance], wanted: Search) -> HttpResponse:
    counts: dict[int, int] = {}
    for series_id in released.order_by().values_list("series_id", flat=True):
        counts[series_id] = counts.get(series_id, 0) + 1
    rows = Series.objects.filter(pk__in=list(counts)).order_by("number", "pk")
    if "0020000E" in wanted.uids:
        rows = rows.filter(uid__in=wanted.uids["0020000E"])
    if "00200011" in wanted.numbers:
        rows = rows.filter(number=wanted.numbers["00200011"])
    found = list(rows)
    kept = [
        (row, summary)
        for row, summary in zip(found, series_summaries(study, found), strict=True)
        if _fits(wanted, summary)
    ]
    page = kept[wanted.offset : wanted.offset + wanted.limit]
    answers = [
        _joined(
            summary,
            {
                "0020000D": {"vr": "UI", "Value": [study.uid]},
                "00081190": {
                    "vr": "UR",
                    "Value": [f"/dicom-web/studies/{study.uid}/series/{row.uid}"],
                },
                "00201209": {"vr": "IS", "Value": [counts[row.pk]]},
            },
        )
        for row, summary in page
    ]
    return _answer(answers, max(0, len(kept) - wanted.offset - wanted.limit))


def _fits(wanted: Search, summary: bytes) -> bool:
    if not wanted.texts and not wanted.dates:
        return True
    attributes = orjson.loads(summary)
    return all(matches(text, attributes, tag) for tag, text in wanted.texts.items()) and all(
        in_range(one, attributes, tag) for tag, one in wanted.dates.items()
    )


def _instances(
    study: Study, released: QuerySet[Instance], wanted: Search, series_uid: str
) -> HttpResponse:
    rows = released.select_related("blob", "series").order_by(
        "series__number", "series", "number", "pk"
    )
    if series_uid:
        rows = rows.filter(series__uid=series_uid)
    for tag, column in (
        ("0020000E", "series__uid"),
        ("00080018", "uid"),
        ("00080016", "sop_class_uid"),
    ):
        if tag in wanted.uids:
            rows = rows.filter(**{f"{column}__in": wanted.uids[tag]})
    if "00200013" in wanted.numbers:
        rows = rows.filter(number=wanted.numbers["00200013"])
    if "00080060" in wanted.texts:
        rows = rows.filter(series__modality=wanted.texts["00080060"])
    total = rows.count()
    page = list(rows[wanted.offset : wanted.offset + wanted.limit])
    answers = [
        orjson.dumps(_instance(study, row, metadata.header, wanted))
        for row, metadata in zip(page, metadata_of(page), strict=True)
    ]
    return _answer(answers, max(0, total - wanted.offset - len(page)))


def _instance(study: Study, row: Instance, header: bytes, wanted: Search) -> dict[str, Any]:
    attributes = orjson.loads(header)
    if not wanted.include_all:
        attributes = picked(attributes, (*INSTANCE, *sorted(wanted.include)))
    path = f"/dicom-web/studies/{study.uid}/series/{row.series.uid}/instances/{row.uid}"
    return attributes | {
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081190": {"vr": "UR", "Value": [path]},
        "0020000D": {"vr": "UI", "Value": [study.uid]},
        "0020000E": {"vr": "UI", "Value": [row.series.uid]},
    }
