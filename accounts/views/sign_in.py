from __future__ import annotations

from collections.abc import Container

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.fields import token_of_email
from accounts.forms import CodeForm, SignInForm
from accounts.gateways import passkeys
from accounts.models import User
from accounts.permissions import public, safe_next, signed_in
from accounts.rules import Factor
from accounts.selectors import (
    entry_factors_of,
    factors_allowed_to,
    factors_of,
    must_enrol,
    usable_factors_of,
)
from accounts.services import sign_in as service
from accounts.services.demo import CAST
from accounts.services.trail import record, user_ref
from accounts.views.json_body import read_json
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

FORGET = '"cookies", "storage"'
FORGET_ALL = '"cache", "cookies", "storage"'


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.actor is not None:
        return redirect(safe_next(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = service.check_password(
                request,
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
            )
        except service.SignInRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            service.remember_first_factor(
                request, user=user, public_computer=form.cleaned_data["public_computer"]
            )
            request.session["next"] = safe_next(request)
            return redirect("accounts:second_factor")
    status = 200 if request.method == "GET" else 422
    return render(
        request,
        "accounts/sign_in.html",
        {
            "form": form,
            "next": safe_next(request),
            "out": "out" in request.GET,
            "demo_links": _demo_links(request),
        },
        status=status,
    )


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def second_factor(request: HttpRequest) -> HttpResponse:
    user = service.pending_user(request)
    if user is None:
        return redirect("accounts:sign_in")
    if service.may_enrol(request, user=user):
        return redirect("accounts:enrol")
    factors = entry_factors_of(user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        factor = service.check_code(user, form.cleaned_data["code"], factors)
        if factor is not None:
            return _enter(request, user, factor)
        record(action="session.failed", actor=user_ref(user), outcome="refused", reason="code")
        form.add_error(
            "code", "This code is not right, or was used already. Wait for the next one."
        )
    return render(
        request,
        "accounts/second_factor.html",
        {"form": form, "factors": factors, "must_enrol": must_enrol(user)},
        status=422 if form.is_bound else 200,
    )


@public
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def passkey_begin(request: HttpRequest) -> HttpResponse:
    user = _who_proves(request)
    options, state = passkeys.begin_authentication(request, user)
    request.session["passkey_state"] = state
    return JsonResponse(options)


@public
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def passkey_complete(request: HttpRequest) -> HttpResponse:
    user = _who_proves(request)
    state = request.session.pop("passkey_state", None)
    try:
        if state is None or Factor.PASSKEY not in _accepted(request, user):
            raise passkeys.PasskeyRefused("no ceremony, or not allowed by the policy")
        passkeys.complete_authentication(request, user, state=state, answer=read_json(request))
    except passkeys.PasskeyRefused:
        record(action="session.failed", actor=user_ref(user), outcome="refused", reason="passkey")
        return JsonResponse({"detail": "The passkey was not accepted."}, status=403)
    if request.actor is not None:
        service.step_up(request, factor=Factor.PASSKEY)
        return JsonResponse({"next": safe_next(request)})
    return JsonResponse({"next": _enter(request, user, Factor.PASSKEY).url})


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def step_up(request: HttpRequest) -> HttpResponse:
    """Ask for a fresh second factor before an act that needs one (C02)."""
    form = CodeForm(request.POST or None)
    factors = usable_factors_of(request.user)
    if request.method == "POST" and form.is_valid():
        factor = service.check_code(request.user, form.cleaned_data["code"], factors)
        if factor is not None:
            service.step_up(request, factor=factor)
            return redirect(safe_next(request))
        form.add_error(
            "code", "This code is not right, or was used already. Wait for the next one."
        )
    return render(
        request,
        "accounts/step_up.html",
        {
            "form": form,
            "next": safe_next(request),
            "factors": factors,
            # They have set some up, and the policy lets none of them count.
            "barred": not factors and bool(factors_of(request.user)),
            "minutes": int(request.actor.step_up_lasts.total_seconds() // 60),
            "demo": _is_demo(request),
        },
        status=422 if form.is_bound else 200,
    )


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def demo_step_up(request: HttpRequest) -> HttpResponse:
    """The demonstration's accounts need no phone; never to be had when deployed."""
    if not _is_demo(request):
        raise Http404
    service.step_up(request, factor=Factor.DEMO)
    return redirect(safe_next(request))


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def demo(request: HttpRequest, token: str) -> HttpResponse:
    """Open a demonstration account by its link: demo mode and loopback only."""
    if not _is_demo(request):
        raise Http404
    user = service.user_of_demo_token(token)
    if user is None:
        raise PermissionDenied("This link has ended. Ask for another: manage.py demo_link.")
    request.session["next"] = safe_next(request)
    return _enter(request, user, Factor.DEMO)


@public
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out, and have the browser forget what this site left in it (LIFEIMAGE-15.11)."""
    shared = service.sign_out(request)
    # No message in a session: that would be another cookie, right after they were cleared.
    response = redirect(f"{reverse('accounts:sign_in')}?out=1")
    # The cache holds programs and no images, which are never stored; it costs time to clear.
    response["Clear-Site-Data"] = FORGET_ALL if shared else FORGET
    return response


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """What django-axes answers with after too many tries."""
    record(
        action="session.failed", actor=service.anonymous_ref(), outcome="refused", reason="locked"
    )
    return render(request, "accounts/locked_out.html", status=429)


def _enter(request: HttpRequest, user: User, factor: Factor) -> HttpResponse:
    if factor is not Factor.DEMO and factor not in factors_allowed_to(user):
        service.remember_old_factor(request, user=user)
        return redirect("accounts:enrol")
    onward = request.session.pop("next", settings.LOGIN_REDIRECT_URL)
    service.complete_sign_in(request, user=user, factor=factor)
    return redirect(onward)


def _accepted(request: HttpRequest, user: User) -> Container[Factor]:
    """What counts as a proof: at the door also what only opens the setting up of another."""
    return usable_factors_of(user) if request.actor is not None else entry_factors_of(user)


def _who_proves(request: HttpRequest) -> User:
    user = request.user if request.actor is not None else service.pending_user(request)
    if user is None:
        raise PermissionDenied("Give your e-mail address and password first.")
    return user


def _is_demo(request: HttpRequest) -> bool:
    return settings.DEMO and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}


def _demo_links(request: HttpRequest) -> list[tuple[User, str]]:
    if not _is_demo(request):
        return []
    tokens = [token_of_email(person.email) for person in CAST]
    people = User.objects.filter(is_active=True, email_token__in=tokens).order_by("pk")
    return [(user, service.demo_token(user)) for user in people]
