"""Sending studies in: the page, what came of an upload, and the plain form without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from rest_framework.authentication import CSRFCheck
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.permissions import needs, to_sign_in
from accounts.rules import Capability
from accounts.services.trail import record
from consent.rules.identity import DOUBT_WORDS
from policies.rules.categories import CARE_DATA
from policies.rules.gate import use, uses
from policies.rules.purposes import Purpose
from studies.api.body import body_reader
from studies.api.pacing import BodyBroken
from studies.models import Upload
from studies.rules.multipart import (
    MultipartInvalid,
    MultipartReader,
    Part,
    checked_boundary,
    parameters_of,
)
from studies.rules.results import Result
from studies.selectors import studies_listed_for
from studies.services.listing import described
from studies.services.submitting import TooManyBodies, bodies, take_bodies, upload_of
from studies.services.uploads import attestation_for, close_upload, open_upload

SHOWN = 200
_FIELD_BYTES = 1024


@ensure_csrf_cookie
@needs(Capability.SUBMIT_STUDIES)
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def upload(request: HttpRequest) -> HttpResponse:
    """Choose what to send, look at it, attest, send."""
    return render(request, "studies/upload.html", {"attestation": _attestation(request)})


@ensure_csrf_cookie
@needs(Capability.SUBMIT_STUDIES)
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def upload_state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What came of an upload, as the server knows it; an open one can be gone on with."""
    row = upload_of(request.actor, pk)
    if row is None:
        raise Http404
    return _page(request, row, [])


class UploadPlain(APIView):
    """Takes the plain form. The files go straight to the intake, never to a temporary file.

    Django would read the whole body to find the form's token. Here it is the form's first field,
    and is checked, by Django, before anything behind it is read.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    gate = Capability.SUBMIT_STUDIES.value
    use = use(Purpose.TREATMENT, *CARE_DATA)

    def post(self, request: Request) -> HttpResponse:
        sent: HttpRequest = request._request
        if sent.actor is None:
            return to_sign_in(sent)
        if not sent.actor.can(Capability.SUBMIT_STUDIES):
            return render(sent, "403.html", status=403)
        try:
            with bodies.one_of(sent.actor.user_id):
                return self._take(sent)
        except MultipartInvalid as invalid:
            return _again(sent, str(invalid), status=400)
        except BodyBroken:
            return _again(sent, "The connection ended too early. Send it again.", status=400)
        except TooManyBodies:
            return _again(sent, "You are sending too much at once. Wait a moment.", status=429)

    def _take(self, request: HttpRequest) -> HttpResponse:
        media_type, parameters = parameters_of(request.headers.get("Content-Type", ""))
        if media_type != "multipart/form-data":
            raise MultipartInvalid("This is not the form that was expected.")
        parts = iter(MultipartReader(body_reader(request), checked_boundary(parameters)))
        if _field(next(parts, None), "csrfmiddlewaretoken", request) is None:
            return render(request, "403.html", status=403)
        part = next(parts, None)
        if part is None or _name(part)[0] != "attested":
            return _again(request, "Confirm that you are allowed to send these images.", status=422)
        row = open_upload(actor=request.actor, source="browser")
        results = take_bodies(actor=request.actor, upload=row, files=_files(parts))
        close_upload(upload=row)
        row.refresh_from_db()
        return _page(request, row, results)


def _field(part: Part | None, name: str, request: HttpRequest) -> str | None:
    """Read the token's field and let Django judge it, with origin and cookie; None if it fails."""
    if part is None or _name(part)[0] != name:
        return None
    value = b""
    for piece in part:
        value += piece
        if len(value) > _FIELD_BYTES:
            return None
    # Tell Django that there is no form to be parsed, and give it the token as a header.
    request._post, request._files = QueryDict(), MultiValueDict()  # type: ignore[attr-defined]
    request.META["HTTP_X_CSRFTOKEN"] = value.decode("latin-1")
    check = CSRFCheck(lambda _: HttpResponse())
    check.process_request(request)
    return None if check.process_view(request, None, (), {}) else name


def _name(part: Part) -> tuple[str, str]:
    """The field's name and the file's, if it is one (RFC 7578 section 4.2)."""
    _, parameters = parameters_of(part.headers.get("content-disposition", ""))
    readable = {
        key: text.encode("latin-1").decode("utf-8", "replace") for key, text in parameters.items()
    }
    return readable.get("name", ""), readable.get("filename", "")


def _files(parts: Iterable[Part]) -> Iterator[tuple[str, Iterable[bytes]]]:
    for part in parts:
        name, filename = _name(part)
        if name != "files":
            continue
        content = iter(part)
        first = next(content, b"")
        # A form without a chosen file sends one that is empty and has no name.
        if first or filename:
            yield filename[-200:], chain([first], content)


def _page(request: HttpRequest, row: Upload, results: list[Result]) -> HttpResponse:
    studies = list(
        studies_listed_for(request.actor, held_too=True)
        .filter(pk__in=row.instances.values("study_id"))
        .select_related("organisation")[:SHOWN]
    )
    rows = described(request.actor, studies)
    record(action="study.listed", actor=request.actor, details={"results": len(rows)})
    return render(
        request,
        "studies/upload_state.html",
        {
            "upload": row,
            "rows": [(one, [DOUBT_WORDS[code] for code in one.study.doubts]) for one in rows],
            "more": max(0, row.instances.values("study_id").distinct().count() - len(rows)),
            "refused": [result for result in results if not result.status.is_kept],
            "held": row.instances.filter(held=True).count(),
            "is_open": row.state == Upload.State.OPEN,
            "attestation": _attestation(request),
        },
    )


def _attestation(request: HttpRequest) -> str:
    return attestation_for(request.actor.organisation_id)


def _again(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    return render(
        request,
        "studies/upload.html",
        {"attestation": _attestation(request), "wrong": sentence},
        status=status,
    )
