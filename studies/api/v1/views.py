"""Uploads for the browser and for programs: begin with an attestation, send, end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import SessionAuthentication, TokenAuthentication
from accounts.api.permissions import UnderPolicy
from consent.services.decisions import Refused as AccessRefused
from policies.rules.categories import CARE_DATA
from policies.rules.gate import use
from policies.rules.purposes import Purpose
from studies.api.body import body_reader
from studies.api.errors import body_problem, problem, storage_problem
from studies.api.pacing import BodyBroken
from studies.api.v1.serializers import ProblemOut, ResultOut, ResultsOut, UploadIn, UploadOut
from studies.models import Upload
from studies.rules.multipart import parameters_of
from studies.rules.results import Result, Status
from studies.services.submitting import (
    TooManyBodies,
    UploadClosed,
    bodies,
    check_open,
    take_body,
    upload_of,
)
from studies.services.uploads import close_upload, open_upload
from vault.rules.errors import StorageError

OBJECT_TYPES = {"application/dicom", "application/zip", "application/octet-stream"}
_PROBLEMS = dict.fromkeys((403, 404, 409, 415, 422, 429, 507), ProblemOut)
Answer = Callable[..., HttpResponse]


def answering_refusals(view: Answer) -> Answer:
    """Turn what may go wrong with a submission into problem details."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except AccessRefused as refused:
            return problem(403, refused.decision.reason, refused.decision.sentence)
        except UploadClosed:
            return problem(409, "upload-closed", "This upload was ended. Begin another.")
        except TooManyBodies:
            response = problem(
                429, "too-many-bodies", "Too many files at once. Wait for those under way."
            )
            response["Retry-After"] = "1"
            return response
        except BodyBroken as broken:
            return body_problem(broken)
        except (StorageError, DatabaseError) as error:
            answer = storage_problem(error)
            if answer is None:
                raise
            return answer

    return guarded


class UploadView(APIView):
    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated, UnderPolicy]
    gate = "api"
    use = use(Purpose.TREATMENT, *CARE_DATA)

    def found(self, request: Request, pk: UUID) -> Upload | HttpResponse:
        upload = upload_of(request.auth, pk)
        return upload or problem(404, "not-found", "You have begun no upload with this id.")


class Uploads(UploadView):
    @extend_schema(request=UploadIn, responses={201: UploadOut, 400: ProblemOut, 403: ProblemOut})
    @answering_refusals
    def post(self, request: Request) -> HttpResponse:
        """Begin an upload. The sender must confirm being allowed to send."""
        wanted = UploadIn(data=request.data)
        if not wanted.is_valid() or not wanted.validated_data["attested"]:
            return problem(
                400, "not-attested", 'Confirm that you are allowed to send: {"attested": true}.'
            )
        source = "browser" if request.auth.token_id is None else "api"
        upload = open_upload(actor=request.auth, source=source)
        return Response(UploadOut(upload).data, status=201)


class UploadState(UploadView):
    @extend_schema(responses={200: UploadOut, 404: ProblemOut})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Tell how far an upload is."""
        upload = self.found(request, pk)
        return upload if isinstance(upload, HttpResponse) else Response(UploadOut(upload).data)


class UploadObjects(UploadView):
    @extend_schema(
        request=dict.fromkeys(sorted(OBJECT_TYPES), OpenApiTypes.BINARY),
        parameters=[
            OpenApiParameter(
                "name", str, description="Given back in the result, and stored nowhere."
            )
        ],
        responses={200: ResultsOut, **_PROBLEMS},
    )
    @answering_refusals
    def post(self, request: Request, pk: UUID) -> HttpResponse:
        """Send one DICOM object, or a ZIP archive of them, as the body.

        200 if any object was kept (stored, held for a look, or there already); else 409 for
        conflicts and 422. The fate of each object is in `results`.
        """
        sent = request._request
        upload = self.found(request, pk)
        if isinstance(upload, HttpResponse):
            return upload
        kind = parameters_of(sent.headers.get("Content-Type", ""))[0]
        if kind not in OBJECT_TYPES or "Content-Encoding" in sent.headers:
            return problem(415, "media-type", "Send application/dicom or application/zip as it is.")
        with bodies.one_of(request.auth.user_id):
            check_open(actor=request.auth, upload=upload)
            results = take_body(
                actor=request.auth,
                upload=upload,
                chunks=_chunks(sent),
                name=sent.GET.get("name", "")[:200],
            )
        return _answer(results)


class UploadClose(UploadView):
    @extend_schema(request=None, responses={200: UploadOut, 404: ProblemOut})
    def post(self, request: Request, pk: UUID) -> HttpResponse:
        """End an upload. Safe to repeat."""
        upload = self.found(request, pk)
        if isinstance(upload, HttpResponse):
            return upload
        close_upload(upload=upload)
        upload.refresh_from_db()
        return Response(UploadOut(upload).data)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    read = body_reader(request)
    while piece := read(256 * 1024):
        yield piece


def _answer(results: list[Result]) -> HttpResponse:
    shown = ResultOut(results, many=True).data
    if any(result.status.is_kept for result in results):
        return Response({"results": shown})
    first = results[0]
    status = 409 if first.status is Status.CONFLICT else 422
    return problem(status, first.code, first.sentence, results=shown)
