"""A refusal becomes a page that says why and whom to ask; what one may not know of is 404."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Organisation
from consent.selectors import grants_received
from consent.services.decisions import Refused


class RefusedMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        if not exception.decision.is_known:
            raise Http404 from exception
        owner = Organisation.objects.get(pk=exception.resource.organisation_id)
        grant = (
            grants_received(request.actor)
            .filter(organisation=owner, items__study_uid=exception.resource.study_uid)
            .first()
        )
        context = {"decision": exception.decision, "owner": owner, "grant": grant}
        return render(request, "consent/refused.html", context, status=403)
