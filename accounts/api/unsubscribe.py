"""One click ends advertising: no sign-in, no session, no question why (RFC 8058)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from rest_framework import negotiation
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from accounts.services.preferences import choose_marketing, user_of_unsubscribe_token
from policies.rules.categories import Category
from policies.rules.gate import use
from policies.rules.purposes import Purpose


class AnyFormat(negotiation.BaseContentNegotiation):
    """A mail program asks for no format in particular and must not be turned away for it."""

    def select_parser(self, _request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, _request: Any, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class Unsubscribe(APIView):
    """A look changes nothing, for mail scanners follow links; the button or a mail program posts.

    The signed token is all there is to show, so there is no CSRF token to ask for.
    """

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    content_negotiation_class = AnyFormat
    schema = None
    gate = "public"
    use = use(Purpose.RIGHTS, Category.COMMUNICATIONS)

    def get(self, request: Any, token: str) -> HttpResponse:
        return self._answer(request, token, done=False)

    def post(self, request: Any, token: str) -> HttpResponse:
        return self._answer(request, token, done=True)

    def _answer(self, request: Any, token: str, *, done: bool) -> HttpResponse:
        user = user_of_unsubscribe_token(token)
        if user is not None and done:
            choose_marketing(user=user, wanted=False, source="link")
        return render(
            request._request,
            "accounts/unsubscribe.html",
            {"known": user is not None, "done": done},
            status=200 if user is not None else 404,
        )
