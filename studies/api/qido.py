"""QIDO-RS: search (DICOM PS3.18 section 10.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.rules import Actor
from consent.rules.decision import Action, Reason
from consent.services.decisions import Refused, authorise
from studies.api.body import DICOM_JSON, accepts, json_response
from studies.api.errors import problem
from studies.models import Instance, Series, Study
from studies.rules.attributes import INSTANCE, DicomJson, parsed, picked
from studies.rules.qido import (
    SERIES_KEYS,
    STUDY_KEYS,
    Search,
    SearchInvalid,
    fits,
    parse_search,
)
from studies.selectors import (
    MODALITIES,
    Counts,
    instances_released,
    metadata_of,
    modalities_asked,
    resource_of,
    series_summaries,
    study_named,
    study_summaries,
)
from studies.services.searching import Found, SearchTooBroad, search_studies

JSON_TYPES = (DICOM_JSON, "application/json")


def search(
    request: HttpRequest, actor: Actor, level: str, study: str = "", series: str = ""
) -> HttpResponse:
    """Answer a search at the level of studies, series or instances."""
    if not accepts(request, JSON_TYPES):
        return problem(406, "not-acceptable", "Searches are answered in application/dicom+json.")
    asked = [(name, value) for name, values in request.GET.lists() for value in values]
    try:
        wanted = parse_search(level, asked)
        if level == "study":
            return _studies(search_studies(actor=actor, search=wanted))
        return _inside(actor, wanted, study, series)
    except SearchInvalid as invalid:
        return problem(400, "search", str(invalid))
    except SearchTooBroad:
        return problem(
            413, "too-broad", "Too many studies to compare. Add a date, a name or an id."
        )
    except Refused as refused:
        return problem(403, refused.decision.reason, refused.decision.sentence)


# Studies -----------------------------------------------------------------------------------------
def _studies(found: Found) -> HttpResponse:
    rows = [_study(row, summary, found.counts[row.pk]) for row, summary in found.rows]
    return _answer(rows, found.remaining)


def _study(row: Study, summary: bytes, counts: Counts) -> bytes:
    """Add what is counted to what is stored, without reading it: both are JSON objects."""
    modalities = {"Value": list(counts.modalities)} if counts.modalities else {}
    added = {
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", **modalities},
        "00081190": {"vr": "UR", "Value": [f"/dicom-web/studies/{row.uid}"]},
        "00201206": {"vr": "IS", "Value": [counts.series]},
        "00201208": {"vr": "IS", "Value": [counts.instances]},
    }
    return _joined(summary, added)


def _joined(stored: bytes, added: dict[str, Any]) -> bytes:
    more = orjson.dumps(added)
    return more if len(stored) <= 2 else stored[:-1] + b"," + more[1:]


def _answer(rows: Sequence[bytes], remaining: int) -> HttpResponse:
    response = HttpResponse(b"[" + b",".join(rows) + b"]", content_type=DICOM_JSON)
    if remaining > 0:
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
    except Refused as refused:
        if refused.decision.reason is Reason.SCOPE:
            raise
        return json_response([])  # a search never says what there is that one may not see
    attributes = parsed(study_summaries([study])[0]) if _concerns_study(wanted) else {}
    released = instances_released(study, decision)
    if not _study_fits(wanted, study, attributes, released):
        return json_response([])
    if wanted.level == "series":
        return _series(study, released, wanted, attributes)
    return _instances(study, released, wanted, series_uid)


def _concerns_study(wanted: Search) -> bool:
    asked = {*wanted.texts, *wanted.dates, *wanted.times, *wanted.include}
    return wanted.include_all or not asked.isdisjoint(STUDY_KEYS)


def _study_fits(
    wanted: Search, study: Study, attributes: DicomJson, released: QuerySet[Instance]
) -> bool:
    if study.uid not in wanted.uids.get("0020000D", (study.uid,)):
        return False
    if MODALITIES in wanted.texts:
        modalities = modalities_asked(wanted.texts[MODALITIES])
        if not released.filter(series__modality__in=modalities).exists():
            return False
    return fits(wanted, attributes, STUDY_KEYS.keys() - {MODALITIES})


def _fitting_series(
    study: Study, rows: QuerySet[Series], wanted: Search
) -> list[tuple[Series, bytes]]:
    """The series that match what is asked of series, with their DICOM JSON."""
    if "0020000E" in wanted.uids:
        rows = rows.filter(uid__in=wanted.uids["0020000E"])
    if "00200011" in wanted.numbers:
        rows = rows.filter(number=wanted.numbers["00200011"])
    found = list(rows.order_by("number", "pk"))
    asks = not {*wanted.texts, *wanted.dates}.isdisjoint(SERIES_KEYS)
    return [
        (row, summary)
        for row, summary in zip(found, series_summaries(study, found), strict=True)
        if not asks or fits(wanted, parsed(summary), SERIES_KEYS)
    ]


def _series(
    study: Study, released: QuerySet[Instance], wanted: Search, attributes: DicomJson
) -> HttpResponse:
    counted = released.order_by().values_list("series_id").annotate(instances=Count("pk"))
    counts: dict[int, int] = dict(counted)
    kept = _fitting_series(study, Series.objects.filter(pk__in=list(counts)), wanted)
    asked = attributes.keys() if wanted.include_all else wanted.include
    added = {
        **picked(attributes, tuple(asked)),
        "0020000D": {"vr": "UI", "Value": [study.uid]},
    }
    page = kept[wanted.offset : wanted.offset + wanted.limit]
    answers = [
        _joined(
            summary,
            {
                **{tag: value for tag, value in added.items() if tag not in parsed(summary)},
                "00081190": {
                    "vr": "UR",
                    "Value": [f"/dicom-web/studies/{study.uid}/series/{row.uid}"],
                },
                "00201209": {"vr": "IS", "Value": [counts[row.pk]]},
            },
        )
        for row, summary in page
    ]
    return _answer(answers, len(kept) - wanted.offset - wanted.limit)


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
    if not {*wanted.texts, *wanted.dates, *wanted.numbers}.isdisjoint(SERIES_KEYS):
        fitting = _fitting_series(study, Series.objects.filter(study=study), wanted)
        rows = rows.filter(series__in=[row.pk for row, _ in fitting])
    total = rows.count()
    page = list(rows[wanted.offset : wanted.offset + wanted.limit])
    answers = [
        orjson.dumps(_instance(study, row, metadata.header, wanted))
        for row, metadata in zip(page, metadata_of(page), strict=True)
    ]
    return _answer(answers, total - wanted.offset - len(page))


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
