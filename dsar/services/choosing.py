"""What a copy of some records alone can hold: each study, each report, and the rest by its file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from django.db.models import Q

from dsar.services.collecting import Collection
from policies.rules.holdings import Whose
from studies.models import Instance, Study
from studies.rules.display import words_of_study
from studies.rules.report import report_of
from studies.selectors import metadata_of, studies_of_person, study_summaries

# DICOM PS3.4 B.5: structured reports, and documents within objects.
REPORTS = Q(sop_class_uid__startswith="1.2.840.10008.5.1.4.1.1.88.") | Q(
    sop_class_uid__startswith="1.2.840.10008.5.1.4.1.1.104."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be ticked: its path in the copy, a folder with a slash at its end."""

    path: str
    label: str
    # A report lies within a study.
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class OwnStudy:
    """A study as its person reads of it."""

    study: Study
    title: str
    day: object
    objects: int
    reports: int
    # Modalities, as DICOM writes them.
    kinds: str


def choices_of(collection: Collection, whose: Whose) -> list[Choice]:
    return [*_of_studies(whose), *_of_rooms(collection)]


def _of_rooms(collection: Collection) -> Iterator[Choice]:
    for part in collection.parts:
        labels: dict[str, list[str]] = defaultdict(list)
        for one in part.holdings or ():
            if one.file:
                labels[one.file].append(one.what)
        for file, whats in labels.items():
            # A file of many kinds of rows is the room's own.
            yield Choice(f"{part.code}/{file}", whats[0] if len(whats) == 1 else part.label)


def studies_held(whose: Whose) -> list[Study]:
    """The studies of a person at one organisation of which they have a copy."""
    return list(studies_of_person(whose.organisation_id, whose.subject_ids))


def reports_in(studies: Sequence[Study]) -> dict[int, list[Instance]]:
    """The reports of each study: one query."""
    found: dict[int, list[Instance]] = defaultdict(list)
    rows = Instance.objects.filter(REPORTS, study__in=[one.pk for one in studies])
    for row in rows.select_related("blob", "series").order_by("pk"):
        found[row.study_id].append(row)
    return found


def own_studies(whose: Whose) -> list[OwnStudy]:
    """Every study with how much of it there is, also what is held back; not what was rejected."""
    studies = [one for one in studies_held(whose) if one.rejected_at is None]
    reports = reports_in(studies)
    told = []
    for study, summary in zip(studies, study_summaries(studies), strict=True):
        words = words_of_study(orjson.loads(summary))
        objects = study.instance_count + study.held_count
        kinds = ", ".join(one for one in study.modalities.split("\\") if one)
        told.append(
            OwnStudy(study, words.title, words.date, objects, len(reports[study.pk]), kinds)
        )
    return told


def _of_studies(whose: Whose) -> Iterator[Choice]:
    studies = studies_held(whose)
    reports = reports_in(studies)
    titles = _titles([row for rows in reports.values() for row in rows])
    for study, summary in zip(studies, study_summaries(studies), strict=True):
        words = words_of_study(orjson.loads(summary))
        day = f", {words.date.day} {words.date:%B %Y}" if words.date else ""
        folder = f"studies/images/{study.uid}/"
        objects = f"{study.instance_count + study.held_count} objects"
        much = "rejected as wrongly sent" if study.rejected_at else objects
        yield Choice(folder, f"{words.title}{day}: the whole study, {much}")
        for row in reports[study.pk]:
            yield Choice(f"{folder}{row.series.uid}/{row.uid}.dcm", titles[row.pk], is_part=True)


def _titles(rows: list[Instance]) -> dict[int, str]:
    """What each report calls itself: one query for all keys."""
    titles = {}
    for row, one in zip(rows, metadata_of(rows), strict=True):
        found = report_of(orjson.loads(one.header))
        titles[row.pk] = f"Report: {found.title}" if found else "Report: a document"
    return titles
