"""Setting up a second factor: forced at first sign-in, and later from the account page."""

from __future__ import annotations

import base64

import segno
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import CodeForm
from accounts.gateways import passkeys
from accounts.models import User
from accounts.permissions import needs_step_up, public
from accounts.rules import Factor
from accounts.selectors import factors_allowed_to, factors_of
from accounts.services import sign_in as service
from accounts.views.json_body import read_json
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PROVE_FIRST = "Prove again who you are first: open this page anew."


@public
@require_safe
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def enrol(request: HttpRequest) -> HttpResponse:
    user = _who_enrols(request)
    if request.actor is not None and (detour := needs_step_up(request)):
        return detour
    return render(request, "accounts/enrol.html", {"allowed": factors_allowed_to(user)})


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def enrol_totp(request: HttpRequest) -> HttpResponse:
    user = _who_enrols(request)
    if request.actor is not None and (detour := needs_step_up(request)):
        return detour
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if service.confirm_totp(user=user, code=form.cleaned_data["code"]):
            return _enrolled(request, user, Factor.TOTP)
        form.add_error("code", "This code is not right. Check the clock of your phone, and retry.")
        device = user.authenticator_set.filter(confirmed=False).first() or service.begin_totp(user)
    else:
        device = service.begin_totp(user)
    return render(
        request,
        "accounts/enrol_totp.html",
        {
            "form": form,
            "picture": segno.make(device.config_url, error="m").svg_data_uri(scale=5),
            "secret": base64.b32encode(device.bin_key).decode(),
        },
        status=422 if form.is_bound else 200,
    )


@public
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def enrol_passkey_begin(request: HttpRequest) -> HttpResponse:
    if _must_prove_first(request):
        return JsonResponse({"detail": PROVE_FIRST}, status=403)
    user = _who_enrols(request)
    service.require_allowed(user, Factor.PASSKEY)
    options, state = passkeys.begin_registration(request, user)
    request.session["passkey_state"] = state
    return JsonResponse(options)


@public
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def enrol_passkey_complete(request: HttpRequest) -> HttpResponse:
    user = _who_enrols(request)
    service.require_allowed(user, Factor.PASSKEY)
    state = request.session.pop("passkey_state", None)
    if _must_prove_first(request):
        return JsonResponse({"detail": PROVE_FIRST}, status=403)
    try:
        if state is None:
            raise passkeys.PasskeyRefused("no ceremony")
        passkeys.complete_registration(request, user, state=state, answer=read_json(request))
    except passkeys.PasskeyRefused:
        return JsonResponse({"detail": "The passkey could not be set up."}, status=403)
    service.note_enrolled_factor(user=user, factor=Factor.PASSKEY)
    return JsonResponse({"next": _enrolled(request, user, Factor.PASSKEY).url})


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show new recovery codes, once. A reload makes new ones only by the button."""
    if request.actor is None:
        return redirect("accounts:sign_in")
    service.require_allowed(request.user, Factor.RECOVERY)
    codes = request.session.pop("new_recovery_codes", None)
    if request.method == "POST":
        if detour := needs_step_up(request):
            return detour
        codes = service.issue_recovery_codes(request.user)
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


def _must_prove_first(request: HttpRequest) -> bool:
    """A session that somebody found open must not be given a factor that then proves it."""
    return request.actor is not None and needs_step_up(request) is not None


def _who_enrols(request: HttpRequest) -> User:
    """The signed-in person, or the one who has passed the first factor and has no second left."""
    if request.actor is not None:
        return request.user
    user = service.pending_user(request)
    if user is None or not service.may_enrol(request, user=user):
        raise PermissionDenied("Sign in first.")
    return user


def _enrolled(request: HttpRequest, user: User, factor: Factor) -> HttpResponse:
    if request.actor is None:
        service.complete_sign_in(request, user=user, factor=factor)
    if Factor.RECOVERY in factors_of(user) or Factor.RECOVERY not in factors_allowed_to(user):
        messages.success(request, "The second factor is set up.")
        return redirect("accounts:account")
    request.session["new_recovery_codes"] = service.issue_recovery_codes(user)
    return redirect("accounts:recovery_codes")
