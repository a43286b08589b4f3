"""What this room holds about a patient: studies, their objects, and who looked at them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from uuid import UUID

import orjson
from django.template.defaultfilters import filesizeformat

from audit.models import Event
from audit.selectors import events_for_subject, number_for_subjects
from consent.selectors import grants_of_subjects
from policies.rules.categories import CATEGORIES, Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder
from studies.gateways.disagreements import as_text, said_of_studies
from studies.gateways.objects import ObjectReader, lengths_of
from studies.models import Correction, Instance, Statement, Study
from studies.selectors import (
    OF_SOMEBODY_ELSE,
    REJECTED,
    sources_of,
    studies_of_person,
    study_summaries,
)
from studies.services.showing import files_to_look_at
from studies.timeline import Line, Shown, lines_of

# Studies, and rows of objects, that are asked for together.
_TOGETHER, _ROWS_TOGETHER = 50, 1000


def _studies(whose: Whose) -> list[Study]:
    return list(studies_of_person(whose.organisation_id, whose.subject_ids))


def _holdings(whose: Whose) -> Iterator[Holding]:
    yield from _rejected(whose)
    studies = [one for one in _studies(whose) if one.rejected_at is None]
    if studies:
        objects = sum(one.instance_count + one.held_count for one in studies)
        size = sum(one.bytes for one in studies)
        shared = grants_of_subjects(whose.subject_ids).filter(organisation_id=whose.organisation_id)
        yield Holding(
            Category.IMAGES, f"Studies, with {objects} objects, {filesizeformat(size)}",
            len(studies), studies[0].created_at,
            ", ".join(sources_of([one.pk for one in studies])),
            tuple(sorted({one.recipient_organisation.name for one in shared})),
        )  # fmt: skip
    yield from _words(_studies(whose))
    looks = number_for_subjects(
        subject_ids=whose.subject_ids, organisation_id=whose.organisation_id
    )
    if looks:
        yield Holding(
            Category.TRAIL, "Acts with these data in the trail", looks,
            source=CATEGORIES[Category.TRAIL].source.value,
            kept="as the law asks of whoever keeps a trail", file="who-did-what.csv",
        )  # fmt: skip


def _rejected(whose: Whose) -> Iterator[Holding]:
    """What was sent by mistake is held too, until it is gone."""
    rows = Study.objects.filter(
        REJECTED, organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids,
        archived_at=None,
    ).order_by("pk")  # fmt: skip
    for others, what, withheld in (
        (False, "Studies rejected as wrongly sent or of no use", ""),
        (True, "Studies rejected because they show somebody else, or were not meant for us",
         "what somebody else's images show is theirs to see"),
    ):  # fmt: skip
        found = rows.filter(OF_SOMEBODY_ELSE) if others else rows.exclude(OF_SOMEBODY_ELSE)
        if first := found.first():
            yield Holding(
                Category.IMAGES, what, found.count(), first.created_at,
                ", ".join(sources_of(found.values_list("pk", flat=True))),
                kept="hidden until it can be restored no more, then destroyed unless law keeps it",
                withheld=withheld,
            )  # fmt: skip


def _words(studies: list[Study]) -> Iterator[Holding]:
    """What was corrected, and what was said of what was not."""
    for model, what in ((Correction, "Corrections"), (Statement, "Statements of disagreement")):
        rows = model.objects.filter(study__in=[one.pk for one in studies]).order_by("at")
        if first := rows.first():
            yield Holding(
                Category.MEDICAL, what, rows.count(), first.at,
                CATEGORIES[Category.MEDICAL].source.value, (), "as long as the study",
            )  # fmt: skip


def _events(subject_id: UUID, whose: Whose) -> Iterator[list[Event]]:
    after = ""
    while True:
        page = events_for_subject(
            subject_id=subject_id, organisation_id=whose.organisation_id, after=after, limit=500
        )
        yield page.events
        if not (after := page.next):
            return


def _files(whose: Whose) -> Iterator[File]:
    yield from _in_words(whose)
    yield from files_of_studies(_studies(whose))


def _in_words(whose: Whose) -> Iterator[File]:
    """What the studies are, and who did what with them: without the images."""
    studies = _studies(whose)
    if studies:
        described = [orjson.loads(one) for one in study_summaries(studies)]
        yield one_file("studies.json", json.dumps(described, indent=2, ensure_ascii=False).encode())
    lines = [
        line for one in whose.subject_ids for page in _events(one, whose)
        for line in lines_of(page, shown=Shown.ROLE)
    ]  # fmt: skip
    if lines:
        yield one_file("who-did-what.csv", _table(lines))


def files_of_studies(studies: Sequence[Study]) -> Iterator[File]:
    """All objects of these studies, also those held back, for they are held about the person too;
    what was said of each study, and what shows it without a program. Their keys must be open to us.

    The files of one study are read one after the other.
    """
    reading = _OneAfterTheOther()
    for first in range(0, len(studies), _TOGETHER):
        some = studies[first : first + _TOGETHER]
        said = said_of_studies(some)
        objects = _objects(some)
        lengths = lengths_of([row for rows in objects.values() for row in rows])
        for study in some:
            folder, rows = f"images/{study.uid}", objects[study.pk]
            reader = partial(reading.reader_of, rows)
            for row in rows:
                path = f"{folder}/{row.series.uid}/{row.uid}.dcm"
                yield File(path, _opener(reader, row), lengths[row.pk])
            if said[study.pk]:
                yield one_file(f"{folder}/statements.txt", as_text(said[study.pk]))
            for one in files_to_look_at(study, rows, reader, has_statements=bool(said[study.pk])):
                yield File(f"{folder}/{one.path}", one.pieces, one.size)


def _objects(studies: Sequence[Study]) -> dict[int, list[Instance]]:
    found: dict[int, list[Instance]] = {one.pk: [] for one in studies}
    rows = (
        Instance.objects.filter(study__in=found)
        .select_related("blob", "series")
        .defer("sealed_metadata", "layout")
        .order_by("series__number", "series_id", "number", "pk")
    )
    for row in rows.iterator(chunk_size=_ROWS_TOGETHER):
        found[row.study_id].append(row)
    return found


class _OneAfterTheOther:
    """Reads studies one after the other: keys and corrections of each are asked for once, and let
    go when the next one begins."""

    def __init__(self) -> None:
        self._study = 0
        self._reader: ObjectReader | None = None

    def reader_of(self, rows: Sequence[Instance]) -> ObjectReader:
        """The reader of these rows, all of one study."""
        if self._reader is None or self._study != rows[0].study_id:
            if self._reader is not None:
                self._reader.close()
            self._study, self._reader = rows[0].study_id, ObjectReader(rows)
        return self._reader


def _opener(reader: Callable[[], ObjectReader], row: Instance) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        for piece in reader().stream(row):
            yield bytes(piece)

    return pieces


def _table(lines: Iterable[Line]) -> bytes:
    """Who did what, when and why: of others their role, for they are people too."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["when", "what", "who", "why", "refused"])
    for line in lines:
        table.writerow(
            [line.at.isoformat(), line.what, line.who, line.why, "yes" if line.refused else ""]
        )
    return text.getvalue().encode()


def register() -> None:
    register_holder(
        Holder("studies", "Images, reports and who looked", _holdings, _files, _in_words)
    )
