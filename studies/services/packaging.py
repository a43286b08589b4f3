"""A study as a file set to take away: a ZIP archive with a DICOMDIR, made as it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import orjson
from zipstream import ZIP_STORED, ZipStream

from studies.gateways.disagreements import as_text, said_of
from studies.gateways.objects import ObjectReader
from studies.models import Instance, Series, Study
from studies.rules.dicomdir import (
    DirectoryObject,
    DirectorySeries,
    DirectoryStudy,
    dicomdir,
    record_kind,
)
from studies.selectors import metadata_of, series_summaries, study_summaries

_OPENED_TOGETHER: Final = 200
# What somebody says against something in the study goes with it (45 CFR 164.526(d)(5)).
STATEMENTS: Final = "STATEMNT.TXT"


class Package:
    """The archive of a study's released objects; `size` is known before the first byte."""

    def __init__(self, study: Study, rows: Sequence[Instance]) -> None:
        """Take rows with `blob` and `series` joined, in the order of series and numbers."""
        self.study, self.rows = study, rows
        self._reader = ObjectReader(rows)
        paths = _paths(rows)
        self._archive = ZipStream(compress_type=ZIP_STORED, sized=True)
        index = dicomdir(_described(study, rows, paths), identifier=f"2.25.{uuid.uuid4().int}")
        self._archive.add(index, "DICOMDIR")
        if said := said_of(study):
            self._archive.add(as_text(said), STATEMENTS)
        for row, path in zip(rows, paths, strict=True):
            length = self._reader.length(row)
            self._archive.add(self._object(row), "/".join(path), size=length)
        self.size = len(self._archive)

    def pieces(self) -> Iterator[bytes]:
        """Yield the archive; objects are opened one after the other, on the way."""
        with self._reader:
            yield from self._archive

    def _object(self, row: Instance) -> Iterator[bytes]:
        for piece in self._reader.stream(row):
            yield bytes(piece)


def _paths(rows: Sequence[Instance]) -> list[tuple[str, ...]]:
    """Name the files as media demand: capitals and digits, eight at most (PS3.10 section 8.2)."""
    paths: list[tuple[str, ...]] = []
    for number, (_, group) in enumerate(groupby(rows, key=lambda row: row.series_id), start=1):
        paths += [
            ("DICOM", f"SE{number:06}", f"IM{place:06}") for place, _ in enumerate(group, start=1)
        ]
    return paths


def _described(
    study: Study, rows: Sequence[Instance], paths: Sequence[tuple[str, ...]]
) -> DirectoryStudy:
    groups: dict[int, list[DirectoryObject]] = {}
    series: dict[int, Series] = {}
    extra = _more_about([row for row in rows if record_kind(row.sop_class_uid) != "IMAGE"])
    for row, path in zip(rows, paths, strict=True):
        series[row.series_id] = row.series
        number = {"00200013": {"vr": "IS", "Value": [row.number]}} if row.number is not None else {}
        groups.setdefault(row.series_id, []).append(
            DirectoryObject(
                path, row.sop_class_uid, row.uid, row.transfer_syntax_uid, extra.get(row.pk, number)
            )
        )
    summaries = series_summaries(study, list(series.values()))
    return DirectoryStudy(
        orjson.loads(study_summaries([study])[0]),
        [
            DirectorySeries(orjson.loads(summary), groups[pk])
            for pk, summary in zip(series, summaries, strict=True)
        ],
    )


def _more_about(rows: Sequence[Instance]) -> dict[int, dict[str, object]]:
    """Open the descriptions of reports and the like, whose records say more than a number."""
    found: dict[int, dict[str, object]] = {}
    for start in range(0, len(rows), _OPENED_TOGETHER):
        some = rows[start : start + _OPENED_TOGETHER]
        for row, item in zip(some, metadata_of(some), strict=True):
            found[row.pk] = orjson.loads(item.header)
    return found
