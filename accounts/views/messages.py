"""What the portal told a person, and which messages they want."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import PreferencesForm
from accounts.models import Notification, Organisation, SaleOptOut, User
from accounts.permissions import safe_next, signed_in
from accounts.rules.marketing import BASIS_WORDS, MarketingBasis, may_be_sent
from accounts.rules.messages import (
    CATEGORIES,
    CHANNEL_LABELS,
    Channel,
    channels_for,
)
from accounts.rules.messages import Category as MessageCategory
from accounts.selectors import (
    all_choices_of,
    announcements_waiting_for,
    notifications_of,
)
from accounts.selectors.advertising import marketing_basis, marketing_choice_of
from accounts.services.notifications import acknowledge, mark_read, path_of
from accounts.services.preferences import choose_channels, choose_marketing
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PER_PAGE = 50


@signed_in
@require_safe
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def notifications(request: HttpRequest) -> HttpResponse:
    page = Paginator(notifications_of(request.actor), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "accounts/notifications.html",
        {
            "page": page,
            "waiting": announcements_waiting_for(request.actor),
        },
    )


@signed_in
@require_POST
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def open_one(request: HttpRequest, pk: str) -> HttpResponse:
    """Go where a message leads, and count it as read."""
    row = _mine(request, pk)
    mark_read(actor=request.actor, notification=row)
    return redirect(path_of(row.words, row.target_id))


@signed_in
@require_POST
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def read_one(request: HttpRequest, pk: str) -> HttpResponse:
    mark_read(actor=request.actor, notification=_mine(request, pk))
    return redirect("accounts:notifications")


@signed_in
@require_POST
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def read_all(request: HttpRequest) -> HttpResponse:
    mark_read(actor=request.actor)
    messages.success(request, "All are marked as read.")
    return redirect("accounts:notifications")


@signed_in
@require_POST
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def acknowledge_one(request: HttpRequest, pk: str) -> HttpResponse:
    acknowledge(actor=request.actor, notification=_mine(request, pk))
    messages.success(request, "Noted, with the time.")
    return redirect(safe_next(request))


def _mine(request: HttpRequest, pk: str) -> Notification:
    return get_object_or_404(notifications_of(request.actor), pk=pk)


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
def preferences(request: HttpRequest) -> HttpResponse:
    """A table of categories by ways; advertising by the basis that the residence gives."""
    chosen = all_choices_of(request.user)
    ways = {one: channels_for(one, chosen.get(one, {})) for one in MessageCategory}
    basis = _basis(request)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None,
        chosen=ways,
        advertising=_advertising(request.user, basis),
    )
    if request.method == "POST" and form.is_valid():
        _keep(request, form)
        messages.success(request, "Saved. It counts from the next message on.")
        return redirect("accounts:preferences")
    return render(
        request,
        "accounts/preferences.html",
        {
            "rows": _matrix(form, ways, basis),
            "channels": [CHANNEL_LABELS[one] for one in Channel],
            "opt_out": SaleOptOut.objects.filter(user=request.user).first(),
        },
    )


def _basis(request: HttpRequest) -> MarketingBasis:
    organisation = Organisation.objects.filter(pk=request.actor.organisation_id).first()
    return marketing_basis(organisation, request.user.residence)


def _advertising(user: User, basis: MarketingBasis) -> bool | None:
    """Is advertising on; None where there is none to choose."""
    if basis is MarketingBasis.NONE:
        return None
    choice = marketing_choice_of(user)
    return may_be_sent(basis, choice.wanted if choice else None)


def _keep(request: HttpRequest, form: PreferencesForm) -> None:
    wanted = form.wanted()
    choose_channels(actor=request.actor, user=request.user, wanted=wanted)
    field = f"{MessageCategory.PROMOTION}.{Channel.EMAIL}"
    # What was not touched is not a yes: silence is never kept as agreement.
    if field in form.changed_data:
        choose_marketing(
            user=request.user,
            wanted=wanted[MessageCategory.PROMOTION, Channel.EMAIL],
            source="preferences",
        )


def _matrix(
    form: PreferencesForm, ways: dict[MessageCategory, frozenset[Channel]], basis: MarketingBasis
) -> list[dict[str, object]]:
    """One line for each category: what it is, and for each way a tick box or a word."""
    lines = []
    for category, rule in CATEGORIES.items():
        cells = []
        for channel in Channel:
            name = f"{category}.{channel}"
            word = "always" if channel in ways[category] else "never"
            cells.append(
                {
                    "label": CHANNEL_LABELS[channel],
                    "field": form[name] if name in form.fields else None,
                    "word": "as the policy says"
                    if category is MessageCategory.POLICY_CHANGE and channel is Channel.EMAIL
                    else word,
                }
            )
        note = BASIS_WORDS[basis] if rule.promotional else ""
        lines.append({"rule": rule, "cells": cells, "note": note})
    return lines
