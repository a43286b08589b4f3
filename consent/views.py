from __future__ import annotations

from typing import Any
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

from accounts.models import UsageEvent, WorkSettings
from accounts.permissions import needs_step_up, signed_in
from accounts.rules import words_of_factor
from accounts.rules.residence import COUNTRIES
from accounts.rules.use import Visitor, noted
from accounts.selectors.use import windows_on
from accounts.services.usage import use_of_member
from accounts.services.work_settings import (
    SettingsRefused,
    choose_colours,
    may_remember,
    switch_personal_settings,
    work_settings_of,
)
from consent.models import Grant
from consent.selectors import (
    agreed_text,
    grants_given,
    grants_known_to,
    grants_received,
    identities,
    purpose_consent_of,
    purposes_for,
    purposes_of_member,
    subjects_of_account,
    subjects_spoken_for_by,
)
from consent.services.closing import ClosingRefused, close_account, consequences_of_closing
from consent.services.grants import GrantRefused, can_revoke, revoke_grant
from consent.services.purposes import (
    ConsentRefused,
    give_purpose_consent,
    object_to_purpose,
    withdraw_objection,
    withdraw_purpose_consent,
)
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import OF_USE, Purpose
from policies.rules.schema import KEY
from policies.rules.schema.uses import MECHANISMS
from policies.selectors import packs_held

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
    wanted = request.GET.get("direction")
    direction = wanted if wanted in {"received", "abroad"} else "given"
    match direction:
        case "received":
            rows = grants_received(request.actor)
        case "abroad":
            rows = grants_given(request.actor).exclude(transfer_mechanism="")
        case _:
            rows = grants_given(request.actor)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    for grant in page if direction == "abroad" else ():
        grant.mechanism = MECHANISMS[grant.transfer_mechanism]
        grant.country = COUNTRIES.get(grant.recipient_organisation.country, "")
    return render(
        request,
        "consent/shares.html",
        {"page": page, "direction": direction, "now": timezone.now()},
    )


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def share(request: HttpRequest, pk: str) -> HttpResponse:
    """One share with its evidence: who, by which factors, on which notice, which exact words."""
    grant = get_object_or_404(grants_known_to(request.actor), pk=pk)
    return render(
        request,
        "consent/share.html",
        {
            "grant": grant,
            "now": timezone.now(),
            "text": agreed_text(grant),
            "first_factor": words_of_factor(grant.first_factor),
            "factor": words_of_factor(grant.factor),
            "mechanism": MECHANISMS.get(grant.transfer_mechanism, ""),
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
                messages.success(request, "Taken back. What needs your consent is not done now.")
            return page
        if not form.is_valid():
            raise ConsentRefused("A number of a document has letters, digits and hyphens only.")
        give_purpose_consent(
            actor=request.actor,
            subject=subject,
            purpose=purpose,
            document=form.cleaned_data["document"],
        )
        messages.success(request, "Recorded. Images can be used for it from now on.")
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    return page


# How a member's own data is used -----------------------------------------------------------------
@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.ACCOUNT, Category.CONSENT, Category.TECHNICAL)
def my_purposes(request: HttpRequest) -> HttpResponse:
    """Each purpose with its basis and data, and a button to object where that is a right."""
    actor = request.actor
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    pack = held[-1] if held else None
    context = {
        "lines": purposes_of_member(actor),
        "use": _use_noted(request),
        "can_remember": may_remember(actor, pack),
        "remembers": work_settings_of(actor),
        "colour_choices": WorkSettings.Colours.choices,
        "windows": windows_on(actor.user_id),
        "now": timezone.now(),
    }
    return render(request, "consent/my_purposes.html", context)


def _use_noted(request: HttpRequest) -> dict[str, Any] | None:
    """What is noted of this visit, and how many lines there are; None: the policy lists none."""
    actor = request.actor
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    if not held or not held[-1]["optional_events"]:
        return None
    visitor = Visitor(actor.objected_to, request.signals.opts_out, actor.public_computer)
    lines = UsageEvent.objects.filter(
        use_of_member(user_id=actor.user_id, organisation_id=actor.organisation_id)
    )
    return {
        "is_noted": bool(noted(held[-1], visitor)),
        "why_not": _why_not(visitor),
        "kinds": KEY["optional_events"].kind.words(held[-1]["optional_events"]),
        "labels": [one.label for one in held[-1].purposes if one.code in set(OF_USE)],
        "lines": lines.count(),
        "keep_days": held[-1]["logs.keep_days"],
    }


def _why_not(visitor: Visitor) -> str:
    if visitor.objected_to & set(OF_USE):
        return "because you objected."
    if visitor.opts_out:
        return "because of the signal that your browser sends."
    return "because others use this computer too." if visitor.public_computer else ""


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.ACCOUNT, Category.CONSENT, Category.TECHNICAL)
def my_purpose_object(request: HttpRequest, purpose: str) -> HttpResponse:
    """Object to a purpose, or take that back. It asks for no proof and no reason."""
    try:
        if request.POST.get("act") == "withdraw":
            withdraw_objection(actor=request.actor, purpose=purpose)
            messages.success(request, "Taken back. Your data may be used for it from now on.")
        else:
            object_to_purpose(actor=request.actor, purpose=purpose)
            messages.success(request, "You objected. It holds from this moment on.")
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("consent:my_purposes")


@signed_in
@require_POST
@uses(Purpose.PERSONALISATION, Category.ACCOUNT)
def my_settings_colours(request: HttpRequest) -> HttpResponse:
    """Have pages light, dark, or as the computer is set."""
    try:
        choose_colours(actor=request.actor, colours=request.POST.get("colours", ""))
    except SettingsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Remembered, in every browser that you sign in with.")
    return redirect("consent:my_purposes")


@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.ACCOUNT)
def my_settings_switch(request: HttpRequest) -> HttpResponse:
    """Switch personal settings on, or off: then they are forgotten."""
    on = request.POST.get("act") == "on"
    try:
        switch_personal_settings(actor=request.actor, on=on)
    except SettingsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            "On. The worklist can now remember how you like it."
            if on
            else "Off. What was remembered is deleted.",
        )
    return redirect("consent:my_purposes")
