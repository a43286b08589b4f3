"""STOW-RS: store instances (DICOM PS3.18 section 10.5)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.rules import Actor
from consent.services.decisions import Refused as AccessRefused
from studies.api.body import body_reader, json_response
from studies.api.errors import body_problem, problem, storage_problem
from studies.api.pacing import BodyBroken
from studies.rules.multipart import (
    MultipartInvalid,
    MultipartReader,
    Part,
    checked_boundary,
    parameters_of,
)
from studies.rules.results import FAILURE_NO_RESOURCES, WARNING_COERCED, Result, Status
from studies.services.intake import Intake, record_refused_body
from studies.services.uploads import open_upload
from vault.rules.errors import StorageError

log = logging.getLogger(__name__)

DICOM = "application/dicom"


class BodyRefused(Exception):
    """A body that is refused as a whole, before any object is read."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


def store(request: HttpRequest, actor: Actor, study: str = "") -> HttpResponse:
    """Store the objects of a request; answer with the fate of each."""
    try:
        return _answer(_take(request, actor, study), study)
    except AccessRefused as refused:
        return problem(403, refused.decision.reason, refused.decision.sentence)
    except MultipartInvalid as invalid:
        return _refused(actor, problem(400, "body", str(invalid)), "body")
    except BodyRefused as refused:
        return _refused(
            actor, problem(refused.status, refused.code, refused.sentence), refused.code
        )
    except BodyBroken as broken:
        return _refused(actor, body_problem(broken), "body")
    except (StorageError, DatabaseError) as error:
        answer = storage_problem(error)
        if answer is None:
            raise
        log.exception("A submission could not be stored")
        return answer


def _refused(actor: Actor, answer: HttpResponse, code: str) -> HttpResponse:
    record_refused_body(actor=actor, code=code)
    return answer


def _take(request: HttpRequest, actor: Actor, study: str) -> list[Result]:
    # Who sends is settled before the first byte of the body is read.
    upload = open_upload(actor=actor, source="stow", save=False)
    parts = _parts(request)
    with Intake(actor=actor, upload=upload, only_study=study) as intake:
        for part in parts:
            if isinstance(part, Part) and part.media_type != DICOM:
                intake.refuse(
                    name="", code="media-type", sentence="Only application/dicom is stored."
                )
            else:
                intake.take(part)
        if not intake.results:
            raise BodyRefused(400, "empty", "The request holds no object.")
        return intake.commit()


def _parts(request: HttpRequest) -> Iterable[Iterable[bytes]]:
    if "Content-Encoding" in request.headers:
        raise BodyRefused(415, "content-encoding", "Send the body as it is, without an encoding.")
    media_type, parameters = parameters_of(request.headers.get("Content-Type", ""))
    if media_type == DICOM:
        return [_whole(request)]
    wanted = parameters.get("type", DICOM).lower()
    if media_type != "multipart/related" or wanted != DICOM:
        raise BodyRefused(
            415, "media-type", "Send application/dicom, alone or in multipart/related."
        )
    return MultipartReader(body_reader(request), checked_boundary(parameters))


def _whole(request: HttpRequest) -> Iterator[bytes]:
    read = body_reader(request)
    while piece := read(256 * 1024):
        yield piece


def _answer(results: list[Result], study: str) -> HttpResponse:
    """PS3.18 section 10.5.3: 200 all stored, 202 some, 409 none."""
    kept = [result for result in results if result.status.is_kept]
    failed = [result for result in results if not result.status.is_kept]
    value: dict[str, Any] = {}
    if study or len({result.study for result in kept}) == 1:
        value["00081190"] = {"vr": "UR", "Value": [f"/dicom-web/studies/{study or kept[0].study}"]}
    if kept:
        value["00081199"] = {"vr": "SQ", "Value": [_stored(result) for result in kept]}
    if failed:
        value["00081198"] = {"vr": "SQ", "Value": [_failed(result) for result in failed]}
    warned = any(result.neutralised or result.status is Status.HELD for result in kept)
    status = 409 if not kept else 202 if failed or warned else 200
    return json_response(value, status=status)


def _reference(result: Result) -> dict[str, Any]:
    found = {}
    if result.sop_class:
        found["00081150"] = {"vr": "UI", "Value": [result.sop_class]}
    if result.sop_instance:
        found["00081155"] = {"vr": "UI", "Value": [result.sop_instance]}
    return found


def _stored(result: Result) -> dict[str, Any]:
    path = f"/dicom-web/studies/{result.study}/series/{result.series}"
    value = _reference(result)
    value["00081190"] = {"vr": "UR", "Value": [f"{path}/instances/{result.sop_instance}"]}
    if result.neutralised or result.status is Status.HELD:
        value["00081196"] = {"vr": "US", "Value": [WARNING_COERCED]}
        value["00000902"] = {"vr": "LO", "Value": [_warning(result)]}
    return value


def _warning(result: Result) -> str:
    if result.status is Status.HELD:
        return "Held for a look: " + " ".join(reason.sentence for reason in result.held_for)
    return "The 128 free bytes in front of the object were set to zero."


def _failed(result: Result) -> dict[str, Any]:
    value = _reference(result)
    value["00081197"] = {"vr": "US", "Value": [result.failure or FAILURE_NO_RESOURCES]}
    # Error Comment: the reason in words, with our code in front.
    value["00000902"] = {"vr": "LO", "Value": [f"{result.code}: {result.sentence}"]}
    return value
