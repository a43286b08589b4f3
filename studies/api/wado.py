"""WADO-RS: retrieve objects, frames, descriptions and bulk values (DICOM PS3.18 section 10.4)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from accounts.rules import Actor
from consent.rules.decision import Action, Decision, Resource
from consent.services.decisions import Refused, authorise, decide
from studies.api.body import DICOM_JSON, accepts
from studies.api.errors import problem
from studies.gateways.decoder import CannotRender
from studies.gateways.objects import ObjectReader, lengths_of
from studies.models import Instance, Study
from studies.rules.rendering import served_header
from studies.rules.wado import (
    DICOM,
    EXPLICIT,
    FRAME_TYPES,
    OCTETS,
    Accepted,
    RetrievalInvalid,
    parse_accept,
    parse_frames,
    takes,
)
from studies.selectors import instances_released, metadata_of, resource_of, study_named
from studies.services.rendering import frame_parts, value_at
from studies.statements import own_study, shown_instance

# How often a running transfer asks again whether it is still allowed.
ASK_AGAIN_SECONDS = 1.0
CRLF = "\r\n"
NOT_FOUND = ("not-found", "There is no such study, or it was never shared with you.")


@dataclass(frozen=True, slots=True)
class Granted:
    """What a request may have: the study, the decision it rests on, the objects it covers."""

    actor: Actor
    action: Action
    resource: Resource
    study: Study
    decision: Decision
    rows: list[Instance]


def granted(
    actor: Actor,
    *,
    event: str,
    study: str,
    series: str = "",
    instance: str = "",
    action: Action = Action.VIEW,
    order: tuple[str, ...] = ("series_id", "number", "pk"),
    without: tuple[str, ...] = ("sealed_metadata",),
    details: dict[str, object] | None = None,
) -> Granted | HttpResponse:
    """Pass the door, or answer with the refusal. The event is written before the first byte."""
    found = _study(actor, study)
    if found is None:
        return problem(404, *NOT_FOUND)
    resource = resource_of(found, series=series, instance=instance)
    decision = decide(actor=actor, action=action, resource=resource)
    rows = _rows(found, decision, series, instance, order, without)
    if decision.is_permit and not rows:
        return problem(404, *NOT_FOUND)
    try:
        authorise(
            actor=actor,
            action=action,
            resource=resource,
            event=event,
            decision=decision,
            details=details,
        )
    except Refused as refused:
        status = 403 if refused.decision.is_known else 404
        return problem(status, refused.decision.reason, refused.decision.sentence)
    return Granted(actor, action, resource, found, decision, rows)


def _study(actor: Actor, uid: str) -> Study | None:
    own = own_study(actor.organisation_id, uid) if actor.organisation_id else None
    return own or study_named(actor, uid)


def _rows(
    study: Study,
    decision: Decision,
    series: str,
    instance: str,
    order: tuple[str, ...],
    without: tuple[str, ...],
) -> list[Instance]:
    if not decision.is_permit:
        return []
    if instance and series:
        row = shown_instance(study, series, instance)
        shown = row is not None and decision.releases(
            series_uid=series, instance_uid=instance, received_at=row.created_at
        )
        return [row] if row is not None and shown else []
    rows = instances_released(study, decision).select_related("blob").defer(*without)
    if series:
        rows = rows.filter(series__uid=series)
    if instance:
        rows = rows.filter(uid=instance)
    return list(rows.order_by(*order))


def still_allowed(pieces: Iterator[bytes], found: Granted) -> Iterator[bytes]:
    """Break off a running transfer when the permit ends; the receiver sees a cut connection."""
    asked = time.monotonic()
    for piece in pieces:
        if time.monotonic() - asked > ASK_AGAIN_SECONDS:
            now = decide(actor=found.actor, action=found.action, resource=found.resource)
            if not now.is_permit:
                raise ConnectionAbortedError(now.sentence)
            asked = time.monotonic()
        yield piece


# Whole objects -----------------------------------------------------------------------------------
def retrieve(
    request: HttpRequest, actor: Actor, study: str, series: str = "", instance: str = ""
) -> HttpResponse:
    """Send the objects of a study, of a series, or one, as they are stored."""
    if _choose(request, (DICOM,), alone=bool(instance)) is None:
        return problem(406, "not-acceptable", "Objects are sent as application/dicom.")
    found = granted(
        actor,
        event="study.retrieved",
        study=study,
        series=series,
        instance=instance,
        order=("blob_id", "offset"),
        without=("sealed_metadata", "layout"),
    )
    if isinstance(found, HttpResponse):
        return found
    rows = found.rows
    syntaxes = {row.transfer_syntax_uid for row in rows}
    # Of the ranges that the header lists, the first that takes what is stored.
    stored = syntaxes.pop() if len(syntaxes) == 1 else "several"
    chosen = _choose(request, (DICOM,), alone=bool(instance), syntax=stored)
    if chosen is None:
        return problem(406, "transfer-syntax", "Objects are sent in the syntax they are stored in.")
    lengths = lengths_of(rows)
    if not chosen.multipart and len(rows) == 1:
        response = _streamed(found, [(b"", rows[0])], b"", DICOM, lengths)
        response["Content-Disposition"] = f'attachment; filename="{rows[0].uid}.dcm"'
        return response
    boundary = secrets.token_hex(16)
    kind = f'multipart/related; type="{DICOM}"; boundary={boundary}'
    parts, end = _parts(rows, boundary, lengths), f"\r\n--{boundary}--\r\n".encode()
    return _streamed(found, parts, end, kind, lengths)


def _parts(
    rows: list[Instance], boundary: str, lengths: Mapping[int, int]
) -> list[tuple[bytes, Instance]]:
    """Put in front of each object what parts it from the one before."""
    return [
        (
            (
                f"{'' if number == 0 else CRLF}--{boundary}{CRLF}"
                f"Content-Type: {DICOM};transfer-syntax={row.transfer_syntax_uid}{CRLF}"
                f"Content-Length: {lengths[row.pk]}{CRLF}{CRLF}"
            ).encode(),
            row,
        )
        for number, row in enumerate(rows)
    ]


def _streamed(
    found: Granted,
    parts: list[tuple[bytes, Instance]],
    end: bytes,
    kind: str,
    lengths: Mapping[int, int],
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(still_allowed(_pieces(parts, end), found), content_type=kind)
    # Known beforehand, so that nobody has to put chunks together, and a cut is seen as one.
    length = sum(len(head) + lengths[row.pk] for head, row in parts) + len(end)
    response["Content-Length"] = str(length)
    return response


def _pieces(parts: list[tuple[bytes, Instance]], end: bytes) -> Iterator[bytes]:
    """Yield objects with what stands between them, few bytes never on their own."""
    before = b""
    with ObjectReader(row for _, row in parts) as reader:
        for head, row in parts:
            before += head
            for piece in reader.stream(row):
                yield b"".join((before, piece))
                before = b""
    yield before + end


# Descriptions ------------------------------------------------------------------------------------
def metadata(
    request: HttpRequest, actor: Actor, study: str, series: str = "", instance: str = ""
) -> HttpResponse:
    """Send the whole DICOM JSON of each object, without its bulk values."""
    if not accepts(request, (DICOM_JSON, "application/json")):
        return problem(406, "not-acceptable", "Descriptions are sent as application/dicom+json.")
    found = granted(
        actor,
        event="study.described",
        study=study,
        series=series,
        instance=instance,
        without=("layout",),
    )
    if isinstance(found, HttpResponse):
        return found
    described = zip(found.rows, metadata_of(found.rows), strict=True)
    headers = (served_header(item.header, row.transfer_syntax_uid) for row, item in described)
    body = b"[" + b",".join(headers) + b"]"
    return HttpResponse(body, content_type=DICOM_JSON)


# Frames and bulk values --------------------------------------------------------------------------
def frames(
    request: HttpRequest, actor: Actor, study: str, series: str, instance: str, wanted: str
) -> HttpResponse:
    """Send frames as they are stored; uncompressed ones as explicit little endian has them."""
    try:
        numbers = parse_frames(wanted)
    except RetrievalInvalid as invalid:
        return problem(400, "frames", str(invalid))
    found = granted(
        actor,
        event="study.viewed",
        study=study,
        series=series,
        instance=instance,
        details={"frames": len(numbers), "first_frame": numbers[0]},
    )
    if isinstance(found, HttpResponse):
        return found
    row = found.rows[0]
    syntax = _frame_syntax(row)
    kind = FRAME_TYPES.get(syntax, OCTETS)
    chosen = _choose(request, (kind, OCTETS), alone=len(numbers) == 1, syntax=syntax)
    if chosen is None:
        return problem(406, "not-acceptable", f"The frames are stored as {kind}.")
    try:
        parts = frame_parts(row, numbers)
    except IndexError:
        return problem(404, "no-such-frame", "The object has no such frame.")
    except CannotRender as reason:
        return problem(422, reason.reason, str(reason))
    typed = f"{kind}; transfer-syntax={syntax}"
    if not chosen.multipart:
        return HttpResponse(parts[0], content_type=typed)
    return multipart(parts, typed, kind)


def _frame_syntax(row: Instance) -> str:
    """Frames of the uncompressed syntaxes are sent as explicit little endian has them."""
    uid = row.transfer_syntax_uid
    return uid if uid in FRAME_TYPES else EXPLICIT


def bulk(
    request: HttpRequest, actor: Actor, study: str, series: str, instance: str, path: str
) -> HttpResponse:
    """Send one value that the description left out."""
    found = granted(
        actor, event="study.viewed", study=study, series=series, instance=instance,
        without=(), details={"bulk": 1},
    )  # fmt: skip
    if isinstance(found, HttpResponse):
        return found
    row = found.rows[0]
    places = {place[0]: place for place in orjson.loads(metadata_of([row])[0].places)}
    if path not in places:
        return problem(404, "no-such-value", "The object has no such value.")
    _, _, offset, length, _ = places[path]
    chosen = _choose(request, (OCTETS,), alone=True)
    if chosen is None:
        return problem(406, "not-acceptable", "Bulk values are sent as application/octet-stream.")
    value = value_at(row, offset, length)
    if not chosen.multipart:
        return HttpResponse(value, content_type=OCTETS)
    return multipart([value], OCTETS, OCTETS)


def multipart(parts: list[bytes], typed: str, kind: str) -> HttpResponse:
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {typed}\r\n\r\n".encode()
    body = b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return HttpResponse(body, content_type=f'multipart/related; type="{kind}"; boundary={boundary}')


def _choose(
    request: HttpRequest, offered: tuple[str, ...], *, alone: bool, syntax: str = ""
) -> Accepted | None:
    """Find the first accepted media range that we can serve; alone: a single part will do."""
    fits: Callable[[Accepted], bool] = lambda one: any(takes(one, kind) for kind in offered)  # noqa: E731
    for accepted in parse_accept(request.headers.get("Accept", "")):
        if not fits(accepted) or not (accepted.multipart or alone or accepted.media_type == "*/*"):
            continue
        if syntax and accepted.syntax not in {"", "*", syntax}:
            continue
        if accepted.media_type == "*/*" and not accepted.multipart:
            return Accepted(offered[0], True, accepted.syntax)
        return accepted
    return None
