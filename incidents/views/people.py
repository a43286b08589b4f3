"""Whom an incident touches: found by the trail, by where they live, and told by letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import signed_in
from consent.models import DataSubject
from consent.rules.identity import readable_name
from consent.selectors import identities
from incidents.forms import CountAccountForm, CountStudiesForm, LetterForm, ResidenceForm
from incidents.models import Affected, Incident
from incidents.permissions import may_see_names
from incidents.rules.letters import first_draft
from incidents.sealing import OpenIncident
from incidents.selectors import (
    accounts_of,
    accounts_told_of,
    asks_for_post,
    letter_for,
    letter_parts,
)
from incidents.services.counting import count_by_account, count_studies, note_residence
from incidents.services.entries import IncidentRefused
from incidents.services.telling import POSTED, note_posted, send_letters, write_letter
from incidents.views.doors import for_handlers, found, refused
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PAGE = 500
_PEOPLE = "incidents/affected.html"


def _chosen(request: HttpRequest) -> list[UUID]:
    found_ids = []
    for value in request.POST.getlist("who"):
        try:
            found_ids.append(UUID(value))
        except ValueError:
            continue
    return found_ids


def _window(row: Incident) -> dict[str, Any]:
    """Between which moments to look, until somebody knows better: the last thirty days."""
    return {
        "user": row.account_id,
        "since": row.since or row.discovered_at - timedelta(days=30),
        "until": row.until or row.discovered_at,
    }


def _people(request: HttpRequest, row: Incident, **more: Any) -> dict[str, Any]:
    place = request.GET.get("place")
    rows = row.affected.select_related("told_by").order_by("residence", "pk")
    if place is not None:
        rows = rows.filter(residence="" if place == "unknown" else place)
    lines = list(rows[:PAGE])
    names = _names(lines) if may_see_names(request.actor) else {}
    counted: dict[str, int] = {}
    for residence in row.affected.values_list("residence", flat=True):
        counted[residence] = counted.get(residence, 0) + 1
    return {
        "incident": row,
        "lines": [(one, names.get(one.subject_id, "")) for one in lines],
        "places": sorted(counted.items()),
        "place": place,
        "all": sum(counted.values()),
        "residence_form": ResidenceForm(),
        "account_form": CountAccountForm(
            initial=_window(row), people=accounts_of(row.organisation_id)
        ),
        "studies_form": CountStudiesForm(),
        "may_see_names": may_see_names(request.actor),
        **more,
    }


def _names(lines: list[Affected]) -> dict[UUID, str]:
    subjects = DataSubject.objects.filter(pk__in=[one.subject_id for one in lines])
    found_names = {}
    for pk, one in identities(subjects).items():
        # Of an animal its owner is told.
        name = one.responsible_person if one.is_animal and one.responsible_person else one.name
        found_names[pk] = readable_name(name) or f"number {one.identifier}"
    return found_names


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.IDENTITY, Category.ACCOUNT)
def affected(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whom it touches, by where they live; posted to, notes where the chosen ones do."""
    row = found(request, pk)
    if request.method == "POST":
        form = ResidenceForm(request.POST)
        if not form.is_valid():
            return render(request, _PEOPLE, _people(request, row, form=form), status=422)
        try:
            note_residence(
                actor=request.actor, incident=row, affected=_chosen(request), **form.cleaned_data
            )
        except IncidentRefused as refusal:
            return refused(request, _PEOPLE, form, refusal, **_people(request, row))
        messages.success(request, "Noted. The clocks follow.")
        return redirect("incidents:affected", row.pk)
    return render(request, _PEOPLE, _people(request, row))


def _count(request: HttpRequest, row: Incident, form: forms.Form, count: Any, name: str) -> Any:
    if form.is_valid():
        try:
            number = count(actor=request.actor, incident=row, **form.cleaned_data)
        except IncidentRefused as refusal:
            more = _people(request, row) | {name: form}
            return refused(request, _PEOPLE, form, refusal, **more)
        messages.success(request, f"Counted. New on the list: {number}.")
        return redirect("incidents:affected", row.pk)
    more = _people(request, row, form=form) | {name: form}
    return render(request, _PEOPLE, more, status=422)


@for_handlers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.IDENTITY, Category.ACCOUNT)
def count_account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add everybody whose studies an account reached between two moments, as the trail says."""
    row = found(request, pk)
    form = CountAccountForm(request.POST, people=accounts_of(row.organisation_id))
    return _count(request, row, form, count_by_account, "account_form")


@for_handlers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.IDENTITY, Category.ACCOUNT)
def count_uids(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add everybody whom these studies are about."""
    row = found(request, pk)
    return _count(request, row, CountStudiesForm(request.POST), count_studies, "studies_form")


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT)
def letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Write the letter, see it whole, and see who gets it how."""
    row = found(request, pk)
    opened = OpenIncident(row)
    draft = opened.letter or first_draft(row.kinds)
    before = {"happened": draft.happened, "doing": draft.doing, "advice": draft.advice}
    form = LetterForm(request.POST or None, initial=before)
    waiting = list(row.affected.filter(told="").values_list("subject_id", flat=True))
    by_portal = len(accounts_told_of(waiting)) if waiting else 0
    context = {
        "incident": row, "parts": letter_parts(row, opened), "waiting": len(waiting),
        "by_portal": by_portal, "on_paper": len(waiting) - by_portal,
        "told": row.affected.exclude(told="").count(),
        "may_see_names": may_see_names(request.actor), "asks_for_post": asks_for_post(row),
    }  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            write_letter(actor=request.actor, incident=row, draft=form.draft())
        except IncidentRefused as refusal:
            return refused(request, "incidents/letter.html", form, refusal, **context)
        messages.success(request, "Kept. Read it below before it goes.")
        return redirect("incidents:letter", row.pk)
    status = 422 if form.is_bound else 200
    return render(request, "incidents/letter.html", context | {"form": form}, status=status)


@for_handlers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT)
def letter_send(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send it to everybody with an account."""
    row = found(request, pk)
    try:
        left = send_letters(actor=request.actor, incident=row)
    except IncidentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            f"Sent. On paper: {left} still to print and post." if left else "Everybody has it.",
        )
    return redirect("incidents:letter", row.pk)


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.IDENTITY)
def letter_print(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Letters on paper, with names; posted to, notes that those on the page went out."""
    row = found(request, pk)
    if not may_see_names(request.actor):
        raise Http404
    if request.method == "POST":
        try:
            number = note_posted(actor=request.actor, incident=row, affected=_chosen(request))
        except IncidentRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Noted that {number} went out.")
        return redirect("incidents:letter", row.pk)
    rows = row.affected.exclude(told=POSTED)
    waiting = rows if asks_for_post(row) else rows.filter(told="")
    lines = list(waiting.order_by("pk")[:PAGE])
    names = _names(lines)
    context = {
        "incident": row, "parts": letter_parts(row, OpenIncident(row)), "today": timezone.now(),
        # Whose record is gone has no name here any more, and nobody to write to.
        "to_note": [
            (one, names[one.subject_id])
            for one in lines
            if one.subject_id in names and not one.told
        ],
        "lines": [(one, names[one.subject_id]) for one in lines if one.subject_id in names],
    }  # fmt: skip
    return render(request, "incidents/letter_print.html", context)


@signed_in
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def my_letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The letter of somebody whom it touched, for their own account alone."""
    row = letter_for(request.user.pk, pk)
    if row is None:
        raise Http404
    row_parts = letter_parts(row.incident, OpenIncident(row.incident))
    context = {"affected": row, "organisation": row.incident.organisation, "parts": row_parts}
    return render(request, "incidents/my_letter.html", context)
