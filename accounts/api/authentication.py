"""Who asks at the API: a bearer token, or the session of a browser."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework import authentication, exceptions

from accounts.rules import Actor
from accounts.selectors import actor_of_token


class Asker:
    """What Django REST framework takes for a user; the actor is what we decide on."""

    is_authenticated = True

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.pk = actor.user_id


class TokenAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[Asker, Actor] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        actor = actor_of_token(secret.strip())
        if actor is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, has ended or was revoked."
            )
        _set_actor(request, actor)
        return Asker(actor), actor

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002
        return 'Bearer realm="collimate"'


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser's session; unsafe methods need the CSRF token."""

    def authenticate(self, request: Any) -> tuple[Asker, Actor] | None:
        actor = getattr(request._request, "actor", None)
        if actor is None:
            return None
        # Django's request, not DRF's: that one would read and parse the body to look for a field.
        self.enforce_csrf(request._request)
        return Asker(actor), actor


def _set_actor(request: Any, actor: Actor) -> None:
    django_request: HttpRequest = request._request
    django_request.actor = actor
