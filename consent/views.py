from __future__ import annotations

from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs_step_up, signed_in
from accounts.rules import FACTOR_LABELS, Factor
from consent.models import Grant
from consent.selectors import (
    agreed_text,
    grants_given,
    grants_known_to,
    grants_received,
    identities,
    purpose_consent_of,
    purposes_for,
    subjects_of_account,
    subjects_spoken_for_by,
)
from consent.services.closing import ClosingRefused, close_account, consequences_of_closing
from consent.services.grants import GrantRefused, can_revoke, revoke_grant
from consent.services.purposes import (
    ConsentRefused,
    give_purpose_consent,
    withdraw_purpose_consent,
)
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


class DocumentForm(forms.Form):
    document = forms.SlugField(
        label="Number of the signed document", max_length=60, required=False,
        help_text="Where it is filed, such as CF-2026-17. Not a name.",
    )  # fmt: skip


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


@signed_in
@require_safe
@uses(Purpose.RIGHTS, *CARE_DATA)
def subject_purposes(request: HttpRequest, pk: str) -> HttpResponse:
    """What somebody's images can be shared for, and where that takes their fresh consent."""
    subject = get_object_or_404(subjects_spoken_for_by(request.actor), pk=pk)
    context = {
        "subject": subject,
        "identity": identities([subject])[subject.pk],
        "is_own": subjects_of_account(request.actor.user_id).filter(pk=subject.pk).exists(),
        "lines": purposes_for(subject),
        "form": DocumentForm(),
    }
    return render(request, "consent/subject_purposes.html", context)


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.CONSENT)
def subject_consent(request: HttpRequest, pk: str, purpose: str) -> HttpResponse:
    """Record fresh consent to a purpose, or take it back."""
    subject = get_object_or_404(subjects_spoken_for_by(request.actor), pk=pk)
    page = redirect("consent:subject_purposes", pk=subject.pk)
    if not request.actor.is_fresh(timezone.now()):
        # The page is asked for anew after the proof; nothing was done yet.
        return redirect(f"{reverse('accounts:step_up')}?next={quote(page.url)}")
    given = purpose_consent_of(subject.pk, purpose)
    form = DocumentForm(request.POST)
    try:
        if request.POST.get("act") == "withdraw":
            if given is not None:
                withdraw_purpose_consent(actor=request.actor, given=given)
                messages.success(request, "Taken back. Earlier images are not shared for it now.")
            return page
        if not form.is_valid():
            raise ConsentRefused("A number of a document has letters, digits and hyphens only.")
        give_purpose_consent(
            actor=request.actor,
            subject=subject,
            purpose=purpose,
            document=form.cleaned_data["document"],
        )
        messages.success(request, "Recorded. Earlier images can be shared for it from now on.")
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    return page
