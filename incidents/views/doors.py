"""The door of every page here: to whoever handles no incidents, there is no such page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.permissions import signed_in
from incidents.models import Incident
from incidents.permissions import may_see_incidents
from incidents.selectors import incidents_of
from incidents.services.entries import IncidentRefused

View = Callable[..., HttpResponse]


def for_handlers(view: View) -> View:
    """Let officers and administrators in; everybody else gets 404, signed in as they may be."""

    @wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_see_incidents(request.actor):
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(gated)


def found(request: HttpRequest, pk: UUID) -> Incident:
    return get_object_or_404(incidents_of(request.actor), pk=pk)


def refused(
    request: HttpRequest, template: str, form: Any, refusal: IncidentRefused, **context: Any
) -> HttpResponse:
    """The page again, with the reason above the form and what was written still in it."""
    form.add_error(None, str(refusal))
    return render(request, template, {"form": form, **context}, status=422)
