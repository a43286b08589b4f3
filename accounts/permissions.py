"""The first gate of every page: who may come to this route at all.

A view without one of these does not pass `tests/test_access.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.rules import Capability

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """Mark a page that needs no sign-in."""
    view.gate = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    @wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor is None:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    gated.gate = "signed-in"  # type: ignore[attr-defined]
    return gated


def needs(*capabilities: Capability) -> Callable[[View], View]:
    """Ask for at least one of these capabilities in the organisation the person works for."""
    return _gate(capabilities, lambda: PermissionDenied("Your role does not include this page."))


def hidden_unless(*capabilities: Capability) -> Callable[[View], View]:
    """Like `needs`, for pages of which not even it is anybody else's that they are there (404)."""
    return _gate(capabilities, Http404)


def _gate(
    capabilities: tuple[Capability, ...], refusal: Callable[[], Exception]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.actor is None:
                return to_sign_in(request)
            if not any(request.actor.can(capability) for capability in capabilities):
                raise refusal()
            return view(request, *args, **kwargs)

        gated.gate = "+".join(capabilities)  # type: ignore[attr-defined]
        return gated

    return decorate


def to_sign_in(request: HttpRequest) -> HttpResponse:
    return redirect(f"{resolve_url(settings.LOGIN_URL)}?next={quote(request.get_full_path())}")


def needs_step_up(request: HttpRequest) -> HttpResponse | None:
    """Send the person to prove again who they are, unless they just did."""
    return None if request.actor.is_fresh(timezone.now()) else to_step_up(request)


def to_step_up(request: HttpRequest) -> HttpResponse:
    return redirect(f"{resolve_url('accounts:step_up')}?next={quote(request.get_full_path())}")


def safe_next(request: HttpRequest) -> str:
    """Where to go on to: a path of ours, whatever the address bar asks for."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return settings.LOGIN_REDIRECT_URL
