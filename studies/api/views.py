"""The DICOMweb routes: who asks, then search, retrieve or store."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.authentication import SessionAuthentication, TokenAuthentication
from accounts.api.permissions import UnderPolicy
from policies.rules.categories import CARE_DATA
from policies.rules.gate import use
from policies.rules.purposes import Purpose
from studies.api import qido, rendered, stow, wado
from studies.api.errors import damaged_problem
from vault.rules.errors import BlobMissing, SealError


class DicomWebView(APIView):
    """Authenticates by token or session; answers are made without content negotiation of DRF."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated, UnderPolicy]
    gate = "api"
    use = use(Purpose.TREATMENT, *CARE_DATA)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, SealError | BlobMissing):
            return damaged_problem()
        return super().handle_exception(exc)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ARG002
        # Our answers are bytes already; a refusal of DRF is JSON whatever is accepted.
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


class Studies(DicomWebView):
    def get(self, request: Request) -> HttpResponse:
        return qido.search(plain(request), request.auth, "study")

    def post(self, request: Request) -> HttpResponse:
        return stow.store(plain(request), request.auth)


class Retrieve(DicomWebView):
    def get(
        self, request: Request, study: str, series: str = "", instance: str = ""
    ) -> HttpResponse:
        return wado.retrieve(plain(request), request.auth, study, series, instance)


class Study(Retrieve):
    def post(self, request: Request, study: str) -> HttpResponse:
        return stow.store(plain(request), request.auth, study)


class Metadata(DicomWebView):
    def get(
        self, request: Request, study: str, series: str = "", instance: str = ""
    ) -> HttpResponse:
        return wado.metadata(plain(request), request.auth, study, series, instance)


class Frames(DicomWebView):
    def get(
        self, request: Request, study: str, series: str, instance: str, frames: str
    ) -> HttpResponse:
        return wado.frames(plain(request), request.auth, study, series, instance, frames)


class Bulk(DicomWebView):
    def get(
        self, request: Request, study: str, series: str, instance: str, path: str
    ) -> HttpResponse:
        return wado.bulk(plain(request), request.auth, study, series, instance, path)


class Rendered(DicomWebView):
    def get(
        self, request: Request, study: str, series: str, instance: str, frames: str = "1"
    ) -> HttpResponse:
        return rendered.rendered(
            plain(request),
            request.auth,
            study=study,
            series=series,
            instance=instance,
            frames=frames,
        )


class Thumbnail(DicomWebView):
    def get(
        self,
        request: Request,
        study: str,
        series: str = "",
        instance: str = "",
        frames: str = "",
    ) -> HttpResponse:
        return rendered.thumbnail(
            plain(request),
            request.auth,
            study=study,
            series=series,
            instance=instance,
            frames=frames,
        )


class SeriesOfStudy(DicomWebView):
    def get(self, request: Request, study: str) -> HttpResponse:
        return qido.search(plain(request), request.auth, "series", study)


class Instances(DicomWebView):
    def get(self, request: Request, study: str, series: str = "") -> HttpResponse:
        return qido.search(plain(request), request.auth, "instance", study, series)


def plain(request: Request) -> HttpRequest:
    return request._request
