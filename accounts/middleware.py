"""Says who asks: `request.actor`, or None; ends sessions that have outlived their limits; and
lets nobody past the policy that is in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.models import SignIn
from accounts.rules import Actor, digest_of_secret, session_expired, session_limits
from accounts.rules.tracking import signals_of
from accounts.selectors import actor_of_session, signal_flags
from accounts.services.policy_gate import NotAccepted, enter, refused
from accounts.services.preferences import keep_signal
from accounts.services.trail import remember_request
from policies.rules.gate import PurposeRefused, declared_use, enter_use
from policies.selectors import packs_held

# Writing "seen" on every request would cost a commit each.
SEEN_EVERY = timedelta(seconds=60)
FOR_PROGRAMS = ("/dicom-web/", "/api/")
# No place is ever asked for (MEDDIM-2.8, XENRAD-2.15). The viewer may fill the screen, and
# passkeys sign in.
_NOBODY = (
    "accelerometer autoplay browsing-topics camera display-capture encrypted-media geolocation"
    " gyroscope hid idle-detection local-fonts magnetometer microphone midi payment"
    " picture-in-picture screen-wake-lock serial usb xr-spatial-tracking"
).split()
_OURSELVES = "fullscreen publickey-credentials-create publickey-credentials-get".split()
PERMISSIONS_POLICY = ", ".join(
    [f"{one}=()" for one in _NOBODY] + [f"{one}=(self)" for one in _OURSELVES]
)


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        remember_request(request)
        request.actor = _actor(request)
        organisation_id = request.actor.organisation_id if request.actor else None
        request.signals = signals_of(request, signal_flags(organisation_id))
        if request.actor is not None and request.signals.opts_out:
            _keep_signal(request)
        response = self.get_response(request)
        if request.actor is not None:
            # What a signed-in person sees is about people; no cache on the way may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class PermissionsPolicyMiddleware:
    """Tells the browser that no page here asks for place, camera, microphone and the like."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


def _keep_signal(request: HttpRequest) -> None:
    """Keep the opt-out once; the session remembers that it is kept, to save a query each time."""
    if not request.session.get("signal_kept"):
        keep_signal(user=request.user, signals=request.signals)
        request.session["signal_kept"] = True


def _actor(request: HttpRequest) -> Actor | None:
    if not request.session.session_key or not request.user.is_authenticated:
        return None
    row = SignIn.objects.filter(
        session_digest=digest_of_secret(request.session.session_key), ended_at=None
    ).first()
    if row is not None:
        actor = actor_of_session(request.user, request.session)
        if _renew(row, actor):
            return actor
    logout(request)
    return None


def _renew(row: SignIn, actor: Actor) -> bool:
    now = timezone.now()
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    limits = session_limits(
        public_computer=row.public_computer,
        idle_minutes=held[-1]["session.idle_minutes"] if held else None,
        absolute_hours=held[-1]["session.absolute_hours"] if held else None,
    )
    if session_expired(limits=limits, now=now, started_at=row.started_at, seen_at=row.seen_at):
        SignIn.objects.filter(pk=row.pk).update(ended_at=now)
        return False
    if now - row.seen_at > SEEN_EVERY:
        SignIn.objects.filter(pk=row.pk).update(seen_at=now)
    return True


class PolicyMiddleware:
    """Before a view runs: is the policy accepted, and does it list what the view is for?

    A program with a token is not known yet; `accounts.api.permissions` asks the same of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A thread serves one request after the other; none inherits a purpose.
        enter_use(None)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        try:
            enter(request.actor, declared_use(view))
        except NotAccepted as refusal:
            return _to_the_policy(request, str(refusal))
        except PurposeRefused as refusal:
            return _not_for_this(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal from deeper down becomes the same page."""
        if isinstance(exception, PurposeRefused):
            return _not_for_this(request, refused(request.actor, exception))
        return None


def _to_the_policy(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.path.startswith(FOR_PROGRAMS):
        return JsonResponse({"code": "policy-not-accepted", "detail": sentence}, status=403)
    onward = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return redirect(f"{reverse('accounts:policy_accept')}?next={quote(onward)}")


def _not_for_this(request: HttpRequest, refusal: PurposeRefused) -> HttpResponse:
    if request.path.startswith(FOR_PROGRAMS):
        body = {"code": refusal.why.value, "detail": str(refusal)}
        return JsonResponse(body, status=403)
    return render(request, "accounts/purpose_refused.html", {"refusal": refusal}, status=403)
