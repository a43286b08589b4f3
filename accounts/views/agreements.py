"""The organisation's agreements: what it is bound by, and who was told what (C11, C12)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import AgreementForm
from accounts.models import Agreement
from accounts.permissions import needs
from accounts.rules import Capability
from accounts.rules.agreements import STATE_LABELS, AgreementKind, AgreementState
from accounts.selectors import other_organisations
from accounts.selectors.agreements import agreements_of, contacts_of, service_agreement_lapsed
from accounts.services.agreements import (
    AgreementRefused,
    end_agreement,
    record_agreement,
    soon,
    what_ends_with,
)
from accounts.services.policy_gate import WITHOUT_ACCEPTANCE
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import packs_held


@needs(Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.PROFESSIONAL)
def agreements(request: HttpRequest) -> HttpResponse:
    organisation_id, today = request.actor.organisation_id, timezone.localdate()
    rows = list(agreements_of(organisation_id))
    contacts = contacts_of(rows)
    listed = [
        {
            "agreement": row,
            "state": row.term.state(today),
            "state_label": STATE_LABELS[row.term.state(today)],
            "contact": contacts[row.pk],
            "ends_soon": row.term.holds(today) and row.ends_on and row.ends_on <= soon(today),
            "notices": row.notices.all(),
        }
        for row in rows
    ]
    resting = _resting_on_contract(organisation_id)
    return render(
        request,
        "accounts/agreements.html",
        {
            "listed": listed,
            "resting": resting,
            "lapsed": service_agreement_lapsed(organisation_id),
            "none_recorded": not any(row.kind == AgreementKind.SERVICE for row in rows),
            "may_record": request.actor.can(Capability.MANAGE_CONFIGURATION),
            "in_force": AgreementState.IN_FORCE,
            "coming": AgreementState.COMING,
        },
    )


@needs(Capability.MANAGE_CONFIGURATION)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.PROFESSIONAL)
def agreement_record(request: HttpRequest) -> HttpResponse:
    partners = other_organisations(request.actor.organisation_id)
    form = AgreementForm(request.POST or None, partners=partners)
    if request.method == "POST" and form.is_valid():
        try:
            made = record_agreement(acting=request.actor, terms=form.terms)
        except AgreementRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The agreement with {made.party} is recorded.")
            return redirect("accounts:agreements")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/agreement_record.html", {"form": form}, status=status)


@needs(Capability.MANAGE_CONFIGURATION)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.PROFESSIONAL)
def agreement_end(request: HttpRequest, pk: str) -> HttpResponse:
    """Say what ending it does, and do it once that was read."""
    agreement = get_object_or_404(agreements_of(request.actor.organisation_id), pk=pk)
    if request.method == "POST":
        end_agreement(acting=request.actor, agreement=agreement)
        messages.success(request, f"The agreement with {agreement.party} has ended.")
        return redirect("accounts:agreements")
    stops = []
    if agreement.kind == AgreementKind.SERVICE and not _follows(agreement):
        stops = _resting_on_contract(agreement.organisation_id)
    return render(
        request,
        "accounts/agreement_end.html",
        {"agreement": agreement, "stops": stops, "ends": what_ends_with(agreement)},
    )


def _resting_on_contract(organisation_id: UUID) -> list[str]:
    """The purposes that end with the service agreement: signing in, for one, does not."""
    held = packs_held(organisation_id)
    return [
        one.label
        for one in (held[-1].purposes if held else ())
        if one.basis == "contract" and Purpose(one.code) not in WITHOUT_ACCEPTANCE
    ]


def _follows(ended: Agreement) -> bool:
    """Is there another service agreement in force beside this one?"""
    today = timezone.localdate()
    return any(
        row.pk != ended.pk and row.kind == AgreementKind.SERVICE and row.term.holds(today)
        for row in agreements_of(ended.organisation_id)
    )
