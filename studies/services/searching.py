"""Search: the list an actor may see, narrowed by keyed hashes, compared in the clear, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet

from accounts.rules import Actor
from accounts.services.trail import record
from studies.models import Study
from studies.rules.qido import STUDY_KEYS, Search, in_range, is_literal, matches
from studies.selectors import (
    ACCESSION,
    MODALITIES,
    PATIENT_ID,
    STUDY_DATE,
    STUDY_ID,
    narrowed,
    organisations_searched,
    studies_listed_for,
    study_summaries,
)

# How many studies a search may open to compare what no hash can tell.
MOST_OPENED = 20_000
_BATCH = 500


class SearchTooBroad(Exception):
    """More candidates than may be opened; ask for something that narrows."""


@dataclass(frozen=True, slots=True)
class Found:
    """A slice of the answer: rows with their DICOM JSON, and how many more there are."""

    rows: list[tuple[Study, bytes]]
    remaining: int


def search_studies(*, actor: Actor, search: Search) -> Found:
    """Find studies by study-level attributes and record the search, with its count.

    Raises `SearchTooBroad`.
    """
    found = _find(actor, search)
    record(action="study.listed", actor=actor, details={"results": len(found.rows)})
    return found


def candidates(actor: Actor, search: Search) -> QuerySet[Study]:
    """Studies the actor may see and the hashes let through; a few may still not match."""
    texts = {tag: text for tag, text in search.texts.items() if tag in STUDY_KEYS}
    dates = {tag: wanted for tag, wanted in search.dates.items() if tag in STUDY_KEYS}
    studies = narrowed(studies_listed_for(actor), organisations_searched(actor), texts, dates)
    if "0020000D" in search.uids:
        studies = studies.filter(uid__in=search.uids["0020000D"])
    return studies


def is_settled_by_hashes(search: Search) -> bool:
    """Can the database alone answer, so that it may also count and cut the slice?"""
    exact = all(
        tag == MODALITIES or (tag in {PATIENT_ID, ACCESSION, STUDY_ID} and is_literal(text))
        for tag, text in search.texts.items()
    )
    return exact and set(search.dates) <= {STUDY_DATE}


def compared(search: Search, studies: QuerySet[Study]) -> Iterator[tuple[Study, bytes]]:
    """Open candidates in batches and yield those that match. Raises `SearchTooBroad`."""
    opened = 0
    rows = studies.iterator(chunk_size=_BATCH)
    while batch := list(islice(rows, _BATCH)):
        opened += len(batch)
        if opened > MOST_OPENED:
            raise SearchTooBroad
        for row, summary in zip(batch, study_summaries(batch), strict=True):
            if _matches(search, orjson.loads(summary)):
                yield row, summary


def _matches(search: Search, attributes: dict[str, Any]) -> bool:
    return all(
        tag == MODALITIES or matches(text, attributes, tag) for tag, text in search.texts.items()
    ) and all(in_range(wanted, attributes, tag) for tag, wanted in search.dates.items())


def _find(actor: Actor, search: Search) -> Found:
    studies = candidates(actor, search)
    if not is_settled_by_hashes(search):
        return _find_compared(search, studies)
    rows = list(studies[search.offset : search.offset + search.limit + 1])
    more = len(rows) > search.limit
    remaining = studies.count() - search.offset - search.limit if more else 0
    rows = rows[: search.limit]
    return Found(list(zip(rows, study_summaries(rows), strict=True)), remaining)


def _find_compared(search: Search, studies: QuerySet[Study]) -> Found:
    kept: list[tuple[Study, bytes]] = []
    total = 0
    for pair in compared(search, studies):
        total += 1
        if search.offset < total <= search.offset + search.limit:
            kept.append(pair)
    return Found(kept, max(0, total - search.offset - search.limit))
