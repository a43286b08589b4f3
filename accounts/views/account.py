from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import ForgotForm, NewPasswordForm, ProfileForm, TokenForm
from accounts.gateways.outbox import read_outbox
from accounts.models import Membership, Profile, User
from accounts.permissions import needs_step_up, public, signed_in
from accounts.rules import Scope, digest_of_secret
from accounts.selectors import (
    factors_allowed_to,
    factors_of,
    live_sign_ins_of,
    live_tokens_of,
    memberships_of_user,
    password_length_for,
)
from accounts.selectors.agreements import agreements_of
from accounts.services.details import change_details
from accounts.services.email_change import open_change_of
from accounts.services.notifications import notify
from accounts.services.password_reset import request_reset_link
from accounts.services.sign_in import end_all_sessions, end_session
from accounts.services.tokens import TokenRefused, issue_token, revoke_token
from accounts.services.trail import record, user_ref
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.PROFESSIONAL, Category.TECHNICAL)
def account(request: HttpRequest) -> HttpResponse:
    profile, _ = Profile.objects.get_or_create(user=request.user)
    form = ProfileForm(request.POST or None, instance=profile, user=request.user)
    if request.method == "POST" and form.is_valid():
        _save_profile(request, form)
        messages.success(request, "Saved.")
        return redirect("accounts:account")
    return render(
        request,
        "accounts/account.html",
        {
            "form": form,
            "factors": factors_of(request.user),
            "change": open_change_of(request.user),
            "allowed": factors_allowed_to(request.user),
            "sign_ins": live_sign_ins_of(request.user),
            "current": digest_of_secret(request.session.session_key),
            "tokens": live_tokens_of(request.actor.membership_id),
            "memberships": memberships_of_user(request.user.pk),
        },
        status=422 if form.is_bound else 200,
    )


def _save_profile(request: HttpRequest, form: ProfileForm) -> None:
    user = request.user
    user.name, user.phone = form.cleaned_data["name"], form.cleaned_data["phone"]
    user.residence = form.residence
    change_details(actor=request.actor, user=user, profile=form.instance, fields=form.changed_data)


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def session_end(request: HttpRequest, pk: str) -> HttpResponse:
    end_session(
        actor=request.actor, sign_in=get_object_or_404(live_sign_ins_of(request.user), pk=pk)
    )
    messages.success(request, "That browser is signed out.")
    return redirect("accounts:account")


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def organisation_choose(request: HttpRequest) -> HttpResponse:
    membership = get_object_or_404(
        memberships_of_user(request.user.pk), pk=request.POST.get("membership", "")
    )
    request.session["membership_id"] = str(membership.pk)
    return redirect("/")


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def token_issue(request: HttpRequest) -> HttpResponse:
    if request.actor.membership_id is None:
        raise Http404
    if detour := needs_step_up(request):
        return detour
    form = TokenForm(request.POST or None, agreements=agreements_of(request.actor.organisation_id))
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = issue_token(
                acting=request.actor,
                membership=Membership.objects.get(pk=request.actor.membership_id),
                name=form.cleaned_data["name"],
                scopes=[Scope(scope) for scope in form.cleaned_data["scopes"]],
                lasts=timedelta(days=form.cleaned_data["days"]),
                agreement=form.cleaned_data["agreement"],
            )
        except TokenRefused as refusal:
            form.add_error("agreement", str(refusal))
        else:
            context = {"token": token, "secret": secret}
            return render(request, "accounts/token_shown.html", context)
    return render(request, "accounts/token_issue.html", {"form": form})


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def token_revoke(request: HttpRequest, pk: str) -> HttpResponse:
    token = get_object_or_404(live_tokens_of(request.actor.membership_id), pk=pk)
    revoke_token(acting=request.actor, token=token)
    messages.success(request, "The token is revoked. Its next request is refused.")
    return redirect("accounts:account")


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def password_forgot(request: HttpRequest) -> HttpResponse:
    """Answer the same for every address: nobody learns here who has an account."""
    form = ForgotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        request_reset_link(email=form.cleaned_data["email"])
        return render(request, "accounts/password_sent.html")
    return render(request, "accounts/password_forgot.html", {"form": form})


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def password_reset(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a new password by the link of a mail. The second factor is still asked for."""
    user = _user_of_uid(uid)
    if user is None or not default_token_generator.check_token(user, token):
        return render(request, "accounts/password_link_ended.html", status=410)
    form = NewPasswordForm(request.POST or None, user=user, at_least=password_length_for(user))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            user.set_password(form.cleaned_data["password"])
            user.save(update_fields=["password"])
            end_all_sessions(user=user)
            record(action="password.changed", actor=user_ref(user))
            notify(users=[user], template="password-changed")
        messages.success(request, "The new password is set. Sign in with it.")
        return redirect("accounts:sign_in")
    return render(request, "accounts/password_reset.html", {"form": form})


@public
@require_safe
@uses(Purpose.SECURITY, Category.COMMUNICATIONS)
def outbox(request: HttpRequest) -> HttpResponse:
    """What would have been mailed: only in demo mode, only on the loopback."""
    if not settings.DEMO or request.META.get("REMOTE_ADDR") not in {"127.0.0.1", "::1"}:
        raise Http404
    return render(request, "accounts/outbox.html", {"letters": read_outbox()})


def _user_of_uid(uid: str) -> User | None:
    try:
        return User.objects.filter(pk=int(force_str(urlsafe_base64_decode(uid)))).first()
    except (ValueError, OverflowError):
        return None
