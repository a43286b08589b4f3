from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import signed_in
from accounts.rules import Capability
from accounts.selectors import officers_of
from audit.selectors import events_for_target
from consent.rules.decision import Action, Decision
from consent.rules.directives import DIRECTIVES, scope_words
from consent.rules.identity import DOUBT_WORDS
from consent.selectors import grants_of_study
from consent.selectors.directives import bars_of
from consent.services.decisions import authorise, decide
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import CARE, Purpose
from studies.gateways.disagreements import said_of
from studies.models import Instance, Series, Study
from studies.permissions import can_reject
from studies.rules.display import SeriesWords, words_of_series, words_of_study
from studies.rules.keeping import kept_until
from studies.rules.minors import UNATTESTED
from studies.rules.reasons import SENTENCES
from studies.selectors import (
    held_in,
    instances_released,
    resource_of,
    series_summaries,
    sources_of,
    study_named,
    study_summaries,
)
from studies.services.holding import release_held, settle_doubts
from studies.services.minors import guardian_named_for
from studies.timeline import lines_of

TIMELINE = 60


def study_or_404(request: HttpRequest, uid: str) -> Study:
    study = study_named(request.actor, uid)
    if study is None:
        raise Http404
    return study


@dataclass(frozen=True, slots=True)
class ShownSeries:
    row: Series
    words: SeriesWords
    count: int
    picture: str


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def study(request: HttpRequest, uid: str) -> HttpResponse:
    """One study: what it is, whose it is, who may see it and why, and what was done with it."""
    row = study_or_404(request, uid)
    decision = authorise(
        actor=request.actor,
        action=Action.SEARCH,
        resource=resource_of(row),
        event="study.opened",
    )
    own = row.organisation_id == request.actor.organisation_id
    view = decide(actor=request.actor, action=Action.VIEW, resource=resource_of(row))
    download = decide(actor=request.actor, action=Action.DOWNLOAD, resource=resource_of(row))
    events = events_for_target(
        kind="study", uid=row.uid, organisation_id=row.organisation_id, limit=TIMELINE
    )
    return render(
        request,
        "studies/study.html",
        {
            "study": row,
            "words": words_of_study(orjson.loads(study_summaries([row])[0])),
            "series": shown_series(row, decision),
            "own": own,
            "may_view": view.is_permit,
            "may_download": download.is_permit,
            "may_share": own and request.actor.can(Capability.SHARE_STUDIES),
            "decision": decision,
            "grants": grants_of_study(organisation_id=row.organisation_id, study_uid=row.uid)
            if own
            else [],
            **(_waiting(row) if own else {}),
            "may_reject": can_reject(request.actor, row),
            "may_settle": own and request.actor.can(Capability.SUBMIT_STUDIES),
            "said": said_of(row) if decision.is_permit else [],
            "barred": _barred(row) if own else [],
            "doubts": [DOUBT_WORDS[code] for code in row.doubts] if own else [],
            "sources": sources_of([row.pk]) if own else [],
            "officers": officers_of(row.organisation_id),
            "lines": lines_of(events.events) if own else [],
            "keeping": kept_until(row) if own else None,
            "now": timezone.now(),
        },
    )


def shown_series(row: Study, decision: Decision) -> list[ShownSeries]:
    """The series a decision covers, with how many objects of each: four queries, however many."""
    released = instances_released(row, decision).order_by("number", "pk")
    members: dict[int, list[int]] = {}
    pictures: dict[int, list[int]] = {}
    for series_id, pk, frames in released.values_list("series_id", "pk", "frames"):
        members.setdefault(series_id, []).append(pk)
        if frames:
            pictures.setdefault(series_id, []).append(pk)
    # The middle of a stack shows what it is of; its first slice often shows nothing.
    middles = [pks[len(pks) // 2] for pks in pictures.values()]
    shown = dict(Instance.objects.filter(pk__in=middles).values_list("series_id", "uid"))
    rows = list(Series.objects.filter(pk__in=members).order_by("number", "pk"))
    return [
        ShownSeries(
            series,
            words_of_series(orjson.loads(summary)),
            len(members[series.pk]),
            shown.get(series.pk, ""),
        )
        for series, summary in zip(rows, series_summaries(row, rows), strict=True)
    ]


def _barred(row: Study) -> list[str]:
    """What the person said against care with this study: those who treat have to know (GDPR
    recital 67). What else they said is none of their business."""
    return [
        f"{DIRECTIVES[bar.kind].label} ({DIRECTIVES[bar.kind].cites}):"
        f" {scope_words(bar.kind, bar.purposes, bar.studies)}."
        for bar in bars_of(row.subject_id, row.organisation_id)
        if bar.purposes & CARE and (not bar.studies or row.uid in bar.studies)
    ]


def _waiting(row: Study) -> dict[str, Any]:
    """What is held for a look, and what only until a guardian is named; of whom there was one."""
    held = held_in(row)
    looked = [one for one in held if one.reasons != [UNATTESTED]]
    return {
        "held": [
            {"row": one, "reasons": [SENTENCES.get(code, code) for code in one.reasons]}
            for one in looked[:200]
        ],
        "of_minor": sum(UNATTESTED in one.reasons for one in held),
        "guardian": guardian_named_for(row),
    }


@signed_in
@require_POST
@uses(Purpose.TREATMENT, *CARE_DATA)
def held_release(request: HttpRequest, uid: str) -> HttpResponse:
    count = release_held(
        actor=request.actor,
        study=study_or_404(request, uid),
        instance_uids=request.POST.getlist("instance"),
    )
    messages.success(request, f"{count} released. They are part of the study now.")
    return redirect("studies:study", uid=uid)


@signed_in
@require_POST
@uses(Purpose.TREATMENT, *CARE_DATA)
def doubts_settle(request: HttpRequest, uid: str) -> HttpResponse:
    settle_doubts(actor=request.actor, study=study_or_404(request, uid))
    messages.success(request, "Noted: it is the same patient.")
    return redirect("studies:study", uid=uid)
