from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs_step_up, signed_in
from accounts.rules import FACTOR_LABELS, Factor
from consent.models import Grant
from consent.selectors import agreed_text, grants_given, grants_known_to, grants_received
from consent.services.closing import ClosingRefused, close_account, consequences_of_closing
from consent.services.grants import GrantRefused, can_revoke, revoke_grant
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PER_PAGE = 50
REVOKE_REASONS = [
    ("no-longer-needed", "It is no longer needed"),
    ("withdrawn", "The patient or owner withdrew consent"),
    ("mistake", "It was a mistake"),
    ("misuse", "I suspect misuse"),
]


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(label="Why", choices=REVOKE_REASONS, widget=forms.RadioSelect)


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def shares(request: HttpRequest) -> HttpResponse:
    """What my organisation shared, and what was shared with me."""
    direction = "received" if request.GET.get("direction") == "received" else "given"
    rows = (
        grants_received(request.actor) if direction == "received" else grants_given(request.actor)
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "consent/shares.html",
        {"page": page, "direction": direction, "now": timezone.now()},
    )


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def share(request: HttpRequest, pk: str) -> HttpResponse:
    """One share with its evidence: who, by what factor, on which notice, which exact words."""
    grant = get_object_or_404(grants_known_to(request.actor), pk=pk)
    return render(
        request,
        "consent/share.html",
        {
            "grant": grant,
            "now": timezone.now(),
            "text": agreed_text(grant),
            "factor": FACTOR_LABELS.get(Factor(grant.factor), grant.factor),
            "can_revoke": can_revoke(request.actor, grant) and grant.revoked_at is None,
        },
    )


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.TREATMENT, *CARE_DATA)
def share_revoke(request: HttpRequest, pk: str) -> HttpResponse:
    grant = get_object_or_404(grants_known_to(request.actor), pk=pk)
    if not can_revoke(request.actor, grant):
        raise PermissionDenied("Only whoever shared it, or a privacy officer, can revoke a share.")
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _revoke(request, grant, form.cleaned_data["reason"])
    return render(request, "consent/share_revoke.html", {"grant": grant, "form": form})


def _revoke(request: HttpRequest, grant: Grant, reason: str) -> HttpResponse:
    try:
        revoke_grant(actor=request.actor, grant=grant, reason=reason)
    except GrantRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Revoked. The next request of the recipient is refused.")
    return redirect("consent:share", pk=grant.pk)


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.ACCOUNT, Category.CONSENT)
def account_close(request: HttpRequest) -> HttpResponse:
    """Say what closing the account does, then do it and nothing else."""
    if detour := needs_step_up(request):
        return detour
    if request.method == "POST":
        try:
            close_account(actor=request.actor)
        except ClosingRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("consent:account_close")
        logout(request)
        messages.success(request, "Your account is closed.")
        return redirect("accounts:sign_in")
    consequences = consequences_of_closing(request.actor)
    return render(request, "consent/account_close.html", {"consequences": consequences})
