"""Search: the list an actor may see, narrowed by keyed hashes, compared in the clear, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet

from accounts.rules import Actor
from accounts.services.trail import record
from consent.rules.decision import NEEDED_SCOPE, Action, Resource
from consent.services.decisions import authorise
from studies.models import Study
from studies.rules.qido import STUDY_KEYS, Search, fits, is_literal, is_name_start
from studies.selectors import (
    ACCESSION,
    MODALITIES,
    PATIENT_ID,
    PATIENT_NAME,
    STUDY_DATE,
    STUDY_ID,
    Counts,
    counts_seen_by,
    narrowed,
    of_modalities_seen_by,
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
    """A slice of the answer: rows with their DICOM JSON, and how many more there are.

    `counts` says by primary key how much of each study the actor may know of.
    """

    rows: list[tuple[Study, bytes]]
    remaining: int
    counts: dict[int, Counts]


def search_studies(*, actor: Actor, search: Search) -> Found:
    """Find studies by study-level attributes and record the search, with its count.

    Raises `SearchTooBroad`, and `Refused` for a token that was not issued for reading.
    """
    if not actor.has_scope(NEEDED_SCOPE[Action.SEARCH]):
        everything = Resource(organisation_id=actor.organisation_id or UUID(int=0), study_uid="")
        authorise(actor=actor, action=Action.SEARCH, resource=everything, event="study.listed")
    rows, remaining = _find(actor, search)
    found = Found(rows, remaining, counts_seen_by(actor, [row for row, _ in rows]))
    record(action="study.listed", actor=actor, details={"results": len(found.rows)})
    return found


def candidates(actor: Actor, search: Search) -> QuerySet[Study]:
    """Studies the actor may see and the hashes let through; a few may still not match."""
    texts = {tag: text for tag, text in search.texts.items() if tag in STUDY_KEYS}
    dates = {tag: wanted for tag, wanted in search.dates.items() if tag in STUDY_KEYS}
    studies = narrowed(
        studies_listed_for(actor),
        organisations_searched(actor),
        texts,
        dates,
        fuzzy=search.fuzzy,
        whole_names=True,
    )
    if MODALITIES in texts:
        studies = studies.filter(of_modalities_seen_by(actor, texts[MODALITIES]))
    if "0020000D" in search.uids:
        studies = studies.filter(uid__in=search.uids["0020000D"])
    return studies


def is_settled_by_hashes(search: Search) -> bool:
    """Can the database alone answer, so that it may also count and cut the slice?"""
    exact = all(
        tag == MODALITIES
        or (tag in {PATIENT_ID, ACCESSION, STUDY_ID} and is_literal(text))
        or (tag == PATIENT_NAME and is_name_start(text) and not search.fuzzy)
        for tag, text in search.texts.items()
    )
    return exact and set(search.dates) <= {STUDY_DATE} and not search.times


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
    return fits(search, attributes, STUDY_KEYS.keys() - {MODALITIES})


Slice = tuple[list[tuple[Study, bytes]], int]


def _find(actor: Actor, search: Search) -> Slice:
    studies = candidates(actor, search)
    if not is_settled_by_hashes(search):
        return _find_compared(search, studies)
    rows = list(studies[search.offset : search.offset + search.limit + 1])
    more = len(rows) > search.limit
    remaining = studies.count() - search.offset - search.limit if more else 0
    rows = rows[: search.limit]
    return list(zip(rows, study_summaries(rows), strict=True)), remaining


def _find_compared(search: Search, studies: QuerySet[Study]) -> Slice:
    kept: list[tuple[Study, bytes]] = []
    total = 0
    for pair in compared(search, studies):
        total += 1
        if search.offset < total <= search.offset + search.limit:
            kept.append(pair)
    return kept, max(0, total - search.offset - search.limit)
