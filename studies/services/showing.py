"""A study to be looked at without a program: pictures, reports, and a page that shows them.

Goes with the copy that a person gets, who has no program for DICOM and need not be a clinician
(GDPR Art. 12(1): in an intelligible and easily accessible form).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Final

import orjson
from django.template.loader import render_to_string
from PIL import Image, ImageDraw

from policies.rules.holdings import File
from studies.gateways.decoder import CannotRender
from studies.gateways.objects import ObjectReader
from studies.models import Instance, Study
from studies.rules.display import SeriesWords, words_of_series, words_of_study
from studies.rules.rendering import ENCAPSULATED_PDF, Picture
from studies.rules.report import Report, report_of
from studies.selectors import metadata_of, series_summaries, study_summaries
from studies.services.reels import Place, Reel, spread
from studies.services.rendering import document_of, draw, small_source_of, source_of

PAGE: Final = "LOOK.html"
# Of one series. All images are there as DICOM files; these are for a look.
MOST_PICTURES: Final = 60
MOST_REPORTS: Final = 200
_AHEAD: Final = 4
_AS_DRAWN: Final = Picture(width=1024, height=1024)
_TOLD: Final = "This image cannot be drawn. The DICOM file has it."


@dataclass(slots=True)
class Shot:
    """One picture, by its path beside the page; `drawn` is known once it was written."""

    path: str
    label: str
    drawn: bool = True


@dataclass(frozen=True, slots=True)
class Strip:
    """The pictures of a series, of `count` images."""

    words: SeriesWords
    count: int
    shots: list[Shot]


@dataclass(slots=True)
class Text:
    """A report as words, or the path of a document beside the page."""

    label: str
    report: Report | None
    path: str = ""


@dataclass(slots=True)
class _Found:
    """What is on the page; filled while the files before it are listed."""

    strips: list[Strip] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    # Objects without a picture and without words, such as presentation states.
    others: int = 0


def files_to_look_at(
    study: Study,
    rows: Sequence[Instance],
    reader: Callable[[], ObjectReader],
    *,
    has_statements: bool = False,
) -> Iterator[File]:
    """Pictures, documents and last the page, of objects in the order of their series.

    Each file is made when it is read, the page after all others. `reader` gives the one that reads
    this study; `has_statements`: whether what was said against something in it lies beside.
    """
    found = _Found()
    drawing = _Drawing(reader)
    series = [(one, list(group)) for one, group in groupby(rows, key=lambda row: row.series)]
    summaries = series_summaries(study, [one for one, _ in series])
    for number, ((_, group), summary) in enumerate(zip(series, summaries, strict=True), start=1):
        reel = Reel(group)
        strip = Strip(words_of_series(orjson.loads(summary)), reel.count, [])
        for at in spread(reel.count, MOST_PICTURES):
            place = reel.place(at)
            shot = Shot(f"pictures/{number:03}-{at:05}.jpg", place.label)
            strip.shots.append(shot)
            yield File(shot.path, _drawn(shot, drawing, drawing.number_of(place)), 0)
        if strip.shots:
            found.strips.append(strip)
    yield from _texts(found, [row for row in rows if not row.frames])

    def page() -> Iterator[bytes]:
        drawing.close()
        yield _page(study, found, has_statements=has_statements)

    yield File(PAGE, page, 0)


class _Drawing:
    """Draws pictures two at once, a few before they are asked for: a process is started for each,
    which takes longer than the drawing."""

    def __init__(self, reader: Callable[[], ObjectReader]) -> None:
        self._reader = reader
        self._places: list[Place] = []
        self._begun: dict[int, Future[bytes]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def number_of(self, place: Place) -> int:
        """Note one that will be asked for; they are asked for in this order, or some not at all."""
        self._places.append(place)
        return len(self._places) - 1

    def picture(self, number: int) -> bytes:
        """Raises `CannotRender`, and whatever reading the object raises."""
        for ahead in range(number, min(number + _AHEAD, len(self._places))):
            if ahead not in self._begun:
                self._begin(ahead)
        if number in self._begun:
            return self._begun.pop(number).result()
        # Several large ones at once would have no bound in memory.
        place = self._places[number]
        source = source_of(self._reader(), place.row, place.frame)
        return draw(source, frame=place.frame, picture=_AS_DRAWN)

    def _begin(self, number: int) -> None:
        place = self._places[number]
        # Read here, for other threads have no door to the database.
        source = small_source_of(self._reader(), place.row)
        if source is not None:
            self._pool = self._pool or ThreadPoolExecutor(2)
            self._begun[number] = self._pool.submit(
                draw, source, frame=place.frame, picture=_AS_DRAWN
            )

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None
        self._begun.clear()


def _drawn(shot: Shot, drawing: _Drawing, number: int) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        try:
            yield drawing.picture(number)
        except CannotRender:
            # The file was promised before it was known.
            shot.drawn = False
            yield _no_picture()

    return pieces


def _texts(found: _Found, rows: Sequence[Instance]) -> Iterator[File]:
    """Documents as files; the words of reports go on the page itself."""
    if not rows:
        return
    # With their descriptions, which lists of whole studies leave out.
    whole = list(
        Instance.objects.filter(pk__in=[row.pk for row in rows[:MOST_REPORTS]])
        .select_related("blob", "series")
        .order_by("series__number", "series_id", "number", "pk")
    )
    for row, described in zip(whole, metadata_of(whole), strict=True):
        label = f"Object {row.number}" if row.number is not None else "Object"
        if report := report_of(orjson.loads(described.header)):
            found.texts.append(Text(label, report))
        elif row.sop_class_uid == ENCAPSULATED_PDF:
            text = Text(label, None, f"documents/{len(found.texts) + 1:03}.pdf")
            found.texts.append(text)
            yield File(text.path, _document(text, row), row.length)
        else:
            found.others += 1
    found.others += len(rows) - len(whole)


def _document(text: Text, row: Instance) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        document = document_of(row)
        if document is None:
            text.path = ""  # what calls itself a PDF and is none
        yield document or b""

    return pieces


def _page(study: Study, found: _Found, *, has_statements: bool) -> bytes:
    (summary,) = study_summaries([study])
    context = {
        "words": words_of_study(orjson.loads(summary)), "strips": found.strips,
        "texts": found.texts, "others": found.others, "has_statements": has_statements,
    }  # fmt: skip
    return render_to_string("studies/look.html", context).encode()


@cache
def _no_picture() -> bytes:
    image = Image.new("L", (512, 160), 32)
    ImageDraw.Draw(image).text((24, 70), _TOLD, fill=224)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()
