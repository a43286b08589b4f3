"""What anybody may read: what is left in a browser, what is kept of a visit, where links lead."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import public
from accounts.rules.tracking import tracking_statement
from accounts.selectors import signal_flags
from policies.rules.cookies import REGISTER
from policies.rules.gate import uses_no_personal_data
from policies.rules.links import LINKS, link_named
from policies.rules.logs import logs_under, not_kept_under
from policies.selectors import packs_held


@public
@require_safe
@uses_no_personal_data
def cookies(request: HttpRequest) -> HttpResponse:
    """What is true under the policy of whoever looks; of all policies, for a visitor."""
    events = _optional_events(request)
    return render(
        request,
        "accounts/cookies.html",
        {
            "items": REGISTER,
            "logs": logs_under(events),
            "not_kept": not_kept_under(events),
            "signals": request.signals,
            "statement": tracking_statement(signal_flags(_organisation_id(request))),
            "gpc": link_named("gpc"),
            "help": [link for link in LINKS if link.code.startswith("cookies-")],
        },
    )


@public
@require_safe
@uses_no_personal_data
def leaving(request: HttpRequest) -> HttpResponse:
    """Say where a link goes before it goes there; only what is registered can be gone to."""
    link = link_named(request.GET.get("to", ""))
    if link is None:
        raise Http404
    response = render(request, "accounts/leaving.html", {"link": link})
    # The other site is not to learn where its visitor came from.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _organisation_id(request: HttpRequest) -> UUID | None:
    return request.actor.organisation_id if request.actor else None


def _optional_events(request: HttpRequest) -> list[str] | None:
    organisation_id = _organisation_id(request)
    held = packs_held(organisation_id) if organisation_id else ()
    return held[-1]["optional_events"] if held else None


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """What Django answers a form with whose token is missing or old (CSRF_FAILURE_VIEW)."""
    return render(
        request, "accounts/form_refused.html", {"no_cookies": not request.COOKIES}, status=403
    )
