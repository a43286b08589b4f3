"""Says who asks: `request.actor`, or None; ends sessions that have outlived their limits; and
lets nobody past the policy that is in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from accounts.models import SignIn
from accounts.rules import Actor, digest_of_secret, session_expired, session_limits
from accounts.rules.cards import holds_card_number
from accounts.rules.tracking import PRESSED, Signals, signals_of
from accounts.rules.use import Visitor, feature_of, noted
from accounts.selectors import actor_of_session, signal_flags
from accounts.services.policy_gate import NotAccepted, enter, refused
from accounts.services.preferences import keep_signal
from accounts.services.sign_in import browser_name
from accounts.services.trail import anonymous_ref, record, remember_request
from accounts.services.usage import Visit, note_use
from policies.rules.categories import Category
from policies.rules.gate import PurposeRefused, declared_use, enter_use, using
from policies.rules.purposes import Purpose
from policies.selectors import packs_held

# Writing "seen" on every request would cost a commit each.
SEEN_EVERY = timedelta(seconds=60)
# Forms of people and documents of programs are smaller; what is larger carries files.
SMALL = 1 << 20
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
        # Who asks is found out before it is known what for.
        with using(Purpose.AUTHENTICATION, Category.ACCOUNT):
            request.actor = _actor(request)
        organisation_id = request.actor.organisation_id if request.actor else None
        request.signals = _signals(request, organisation_id)
        if request.actor is not None and request.signals.opts_out:
            _keep_signal(request)
        response = self.get_response(request)
        if request.actor is not None:
            # What a signed-in person sees is about people; no cache on the way may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class UsageMiddleware:
    """Notes which feature was used, if the policy lists that and the person does not object.

    The line is written when the answer has gone out, outside of whatever the page did: nobody
    waits for it, and it is one insert and no other query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and feature_of(match.view_name) and _is_use(request, response):
            took_ms = round((monotonic() - began) * 1000)
            _note_when_sent(request, response, match.view_name, took_ms)
        return response


def _is_use(request: HttpRequest, response: HttpResponse) -> bool:
    """A page that was shown, an act that was done, or either that failed; no part of a page."""
    if request.headers.get("HX-Request"):
        return False
    if request.method == "POST":
        return True
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    is_download = request.resolver_match.view_name == "studies:download"
    is_redirect = 300 <= response.status_code < 400
    return request.method == "GET" and (is_page or is_download) and not is_redirect


def _note_when_sent(request: HttpRequest, response: HttpResponse, page: str, took_ms: int) -> None:
    actor = request.actor
    organisation_id = actor.organisation_id if actor else getattr(request, "notice_of", None)
    held = packs_held(organisation_id) if organisation_id else ()
    # Nothing of who has not accepted the policy that would allow it.
    if not held or (actor is not None and actor.accepted_version != held[-1].id):
        return
    kinds = noted(held[-1], _visitor(request, organisation_id))
    if not kinds:
        return
    visit = Visit(
        organisation_id=organisation_id,
        user_id=actor.user_id if actor else None,
        page=page,
        from_page=page_before(request) if "clicks" in kinds else "",
        browser=browser_name(request.headers.get("User-Agent", "")),
        status=response.status_code,
        took_ms=took_ms,
    )
    after_sending(response, lambda: note_use(pack=held[-1], kinds=kinds, visit=visit))


def _visitor(request: HttpRequest, organisation_id: UUID) -> Visitor:
    signals = _signals(request, organisation_id)
    if request.actor is None:
        return Visitor(opts_out=signals.opts_out)
    return Visitor(
        objected_to=request.actor.objected_to,
        opts_out=signals.opts_out,
        public_computer=request.actor.public_computer,
    )


def page_before(request: HttpRequest) -> str:
    """The name of our own page that a link was followed from; empty if there is none."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host():
        return ""
    try:
        return resolve(parts.path).view_name
    except Resolver404:
        return ""


def after_sending(response: HttpResponse, work: Callable[[], None]) -> None:
    """Have something done once the last byte is out; the server closes each answer then."""
    response._resource_closers.append(work)


class PermissionsPolicyMiddleware:
    """Tells the browser that no page here asks for place, camera, microphone and the like."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


def _signals(request: HttpRequest, organisation_id: UUID | None) -> Signals:
    """What the browser signals, and whether its visitor has pressed the link."""
    # Without a session nothing was pressed, and none is looked for.
    pressed = bool(request.session.session_key) and bool(request.session.get(PRESSED))
    return signals_of(request, signal_flags(organisation_id), pressed=pressed)


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
            return replace(actor, public_computer=row.public_computer)
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


class CardNumberMiddleware:
    """Takes no number of a payment card, in whatever field of whatever page (MEDDIM-2.4, AVMI-2.4).

    It looks at forms and at small JSON documents. Objects and archives are not text of people;
    what their headers hold is sealed. A password is hashed, and may be whatever one remembers.
    """

    EXEMPT = frozenset({"csrfmiddlewaretoken", "password"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        # A view of programs reads its files from the stream itself; a form of theirs has no text.
        if getattr(view, "csrf_exempt", False) and request.content_type == "multipart/form-data":
            return None
        field = _field_with_card_number(request, self.EXEMPT)
        if not field:
            return None
        # Neither the number nor the name of the field, which a stranger can choose.
        record(
            action="card.refused", actor=request.actor or anonymous_ref(), outcome="refused",
            reason="card-number",
        )  # fmt: skip
        if request.path.startswith(FOR_PROGRAMS):
            sentence = "This holds the number of a payment card, which is never taken."
            return JsonResponse({"code": "card-number", "detail": sentence}, status=422)
        return render(request, "accounts/card_refused.html", {"field": field}, status=422)


def _field_with_card_number(request: HttpRequest, exempt: frozenset[str]) -> str:
    """Name the field that holds one; empty if none does, or if this is no form and no JSON."""
    if request.method not in {"POST", "PUT", "PATCH"} or not 0 < _length(request) <= SMALL:
        return ""
    if request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        for name, values in request.POST.lists():
            if name not in exempt and any(map(holds_card_number, values)):
                return name
    elif request.content_type == "application/json":
        return "JSON" if holds_card_number(request.body.decode(errors="replace")) else ""
    return ""


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
