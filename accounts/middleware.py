"""Says who asks: `request.actor`, or None. Ends sessions that have outlived their limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import SignIn
from accounts.rules import (
    PUBLIC_COMPUTER_LIMITS,
    SESSION_LIMITS,
    Actor,
    digest_of_secret,
    session_expired,
)
from accounts.selectors import actor_of_session
from accounts.services.trail import remember_request

# Writing "seen" on every request would cost a commit each.
SEEN_EVERY = timedelta(seconds=60)


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        remember_request(request)
        request.actor = _actor(request)
        response = self.get_response(request)
        if request.actor is not None:
            # What a signed-in person sees is about people; no cache on the way may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def _actor(request: HttpRequest) -> Actor | None:
    if not request.session.session_key or not request.user.is_authenticated:
        return None
    row = SignIn.objects.filter(
        session_digest=digest_of_secret(request.session.session_key), ended_at=None
    ).first()
    if row is None or not _renew(row):
        logout(request)
        return None
    return actor_of_session(request.user, request.session)


def _renew(row: SignIn) -> bool:
    now = timezone.now()
    limits = PUBLIC_COMPUTER_LIMITS if row.public_computer else SESSION_LIMITS
    if session_expired(limits=limits, now=now, started_at=row.started_at, seen_at=row.seen_at):
        SignIn.objects.filter(pk=row.pk).update(ended_at=now)
        return False
    if now - row.seen_at > SEEN_EVERY:
        SignIn.objects.filter(pk=row.pk).update(seen_at=now)
    return True
