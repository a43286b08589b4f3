"""WADO-RS: pictures of objects and frames, large and small (DICOM PS3.18 section 10.4)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from accounts.rules import Actor
from studies.api.errors import problem
from studies.api.wado import Granted, granted
from studies.gateways.decoder import CannotRender
from studies.models import Instance
from studies.rules.rendering import (
    ENCAPSULATED_PDF,
    IMAGE_TYPES,
    PDF,
    THUMBNAIL_SIDE,
    Picture,
    accepts_pdf,
    picture_of,
)
from studies.rules.wado import RetrievalInvalid, parse_frames
from studies.services.rendering import document_of, draw_frame

# No codec's failure is the server's: what cannot be drawn is said in a 4xx.
_STATUSES = {"frame": 404, "region": 400, "size": 413}
NO_PIXELS = ("no-pixels", "The object has no image that could be drawn.")


def rendered(
    request: HttpRequest,
    actor: Actor,
    *,
    study: str,
    series: str,
    instance: str,
    frames: str = "1",
) -> HttpResponse:
    """Draw one frame, the first by default; an encapsulated PDF is sent as such."""
    try:
        frame = _one_frame(frames)
        picture = picture_of(request.GET, request.headers.get("Accept", ""))
    except RetrievalInvalid as invalid:
        return problem(400, "rendering", str(invalid))
    found = granted(
        actor,
        event="study.viewed",
        study=study,
        series=series,
        instance=instance,
        details={"rendered": 1, "first_frame": frame},
    )
    if isinstance(found, HttpResponse):
        return found
    row = found.rows[0]
    if row.sop_class_uid == ENCAPSULATED_PDF:
        return _document(request, row)
    if picture is None:
        return _not_acceptable()
    return _drawn(row, frame, picture)


def thumbnail(
    request: HttpRequest,
    actor: Actor,
    *,
    study: str,
    series: str = "",
    instance: str = "",
    frames: str = "",
) -> HttpResponse:
    """Draw a small picture that stands for a study, a series, an object or a frame."""
    try:
        wanted = _one_frame(frames) if frames else None
        picture = picture_of(request.GET, request.headers.get("Accept", ""))
    except RetrievalInvalid as invalid:
        return problem(400, "rendering", str(invalid))
    found = granted(
        actor,
        event="study.viewed",
        study=study,
        series=series,
        instance=instance,
        order=("series__number", "series_id", "number", "pk"),
        without=("sealed_metadata", "layout"),
        details={"thumbnail": 1},
    )
    if isinstance(found, HttpResponse):
        return found
    if picture is None:
        return _not_acceptable()
    row = _typical(found)
    if row is None:
        return problem(404, *NO_PIXELS)
    small = Picture(
        picture.media_type,
        picture.width or THUMBNAIL_SIDE,
        picture.height or THUMBNAIL_SIDE,
        picture.region,
        picture.window,
        picture.quality,
    )
    return _drawn(row, wanted or (row.frames + 1) // 2, small)


def _typical(found: Granted) -> Instance | None:
    """Choose the middle one of the first series that has images: more telling than an end."""
    rows = [row for row in found.rows if row.frames]
    of_series = [row for row in rows if row.series_id == rows[0].series_id]
    return of_series[(len(of_series) - 1) // 2] if of_series else None


def _one_frame(text: str) -> int:
    numbers = parse_frames(text)
    if len(numbers) > 1:
        raise RetrievalInvalid("Pictures are drawn of one frame at a time.")
    return numbers[0]


def _drawn(row: Instance, frame: int, picture: Picture) -> HttpResponse:
    if not row.frames:
        return problem(404, *NO_PIXELS)
    try:
        data = draw_frame(row, frame=frame, picture=picture)
    except CannotRender as reason:
        return problem(_STATUSES.get(reason.reason, 422), reason.reason, str(reason))
    return HttpResponse(data, content_type=picture.media_type)


def _document(request: HttpRequest, row: Instance) -> HttpResponse:
    if not accepts_pdf(request.headers.get("Accept", "")):
        return problem(406, "not-acceptable", f"The object is sent as {PDF}.")
    data = document_of(row)
    if data is None:
        return problem(404, "no-document", "The object does not hold the PDF that it says it does.")
    response = HttpResponse(data, content_type=PDF)
    response["Content-Disposition"] = 'inline; filename="document.pdf"'
    # Our own pages show it inside of themselves; nobody else may.
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
    )
    return response


def _not_acceptable() -> HttpResponse:
    return problem(406, "not-acceptable", f"Pictures are sent as {' or '.join(IMAGE_TYPES)}.")
