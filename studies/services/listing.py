"""The worklist: what an actor may know of, narrowed by what its form asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from django.core.paginator import Page, Paginator

from accounts.rules import Actor
from accounts.services.trail import record
from studies.models import Study
from studies.rules.display import StudyWords, words_of_study
from studies.rules.qido import EARLIEST, LATEST, DateRange
from studies.selectors import (
    ACCESSION,
    MODALITIES,
    PATIENT_ID,
    PATIENT_NAME,
    STUDY_DATE,
    Counts,
    counts_seen_by,
    narrowed,
    of_modalities_seen_by,
    organisations_searched,
    studies_listed_for,
    study_summaries,
)

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    study: Study
    words: StudyWords
    is_own: bool
    counts: Counts


@dataclass(frozen=True, slots=True)
class Worklist:
    page: Page[Any]
    rows: list[Row]


def worklist(*, actor: Actor, wanted: dict[str, Any], page: str | None) -> Worklist:
    """Return one page of the list and record that it was read. Every column is a keyed hash."""
    texts = {
        tag: text
        for tag, text in (
            (PATIENT_NAME, f"{wanted['name']}*" if wanted.get("name") else ""),
            (PATIENT_ID, wanted.get("identifier", "")),
            (ACCESSION, wanted.get("accession", "")),
            (MODALITIES, wanted.get("modality", "")),
        )
        if text
    }
    studies = studies_listed_for(actor, held_too=True).select_related("organisation")
    if texts or wanted.get("since") or wanted.get("until"):
        studies = narrowed(studies, organisations_searched(actor), texts, _dates(wanted))
    if MODALITIES in texts:
        studies = studies.filter(of_modalities_seen_by(actor, texts[MODALITIES]))
    found = Paginator(studies, wanted.get("per_page") or PER_PAGE).get_page(page)
    rows = described(actor, list(found.object_list))
    record(action="study.listed", actor=actor, details={"results": len(rows)})
    return Worklist(found, rows)


def described(actor: Actor, studies: Sequence[Study]) -> list[Row]:
    """Open the descriptions of studies: one query for all their keys, one for what is shared."""
    counts = counts_seen_by(actor, studies)
    return [
        Row(
            study,
            words_of_study(orjson.loads(summary)),
            study.organisation_id == actor.organisation_id,
            counts[study.pk],
        )
        for study, summary in zip(studies, study_summaries(studies), strict=True)
    ]


def _dates(wanted: dict[str, Any]) -> dict[str, DateRange]:
    since: date | None = wanted.get("since")
    until: date | None = wanted.get("until")
    if since is None and until is None:
        return {}
    return {STUDY_DATE: DateRange(since or EARLIEST, until or LATEST)}
