"""What officers and administrators do with an incident, each on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from incidents.forms import AssessForm, DelayForm, DoneForm, PersonForm, TextForm
from incidents.models import Incident
from incidents.rules.states import PLAN
from incidents.sealing import OpenIncident
from incidents.selectors import picture_of, possible_leads, today_at
from incidents.services.assessing import assess, mark_done, note_delay
from incidents.services.entries import IncidentRefused
from incidents.services.opening import (
    assign_step,
    close_incident,
    finish_step,
    hand_lead,
    note_on_incident,
)
from incidents.views.doors import for_handlers, found, refused
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

ACT = "incidents/act.html"


def _done(request: HttpRequest, row: Incident, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("incidents:incident", row.pk)


def _act(
    request: HttpRequest, row: Incident, form: forms.Form, do: Callable[[], object], said: str,
    **context: Any,
) -> HttpResponse:  # fmt: skip
    """Show the form, or carry out what it says."""
    context |= {"incident": row}
    template = context.pop("template", ACT)
    if request.method == "POST" and form.is_valid():
        try:
            do()
        except IncidentRefused as refusal:
            return refused(request, template, form, refusal, **context)
        return _done(request, row, said)
    status = 422 if form.is_bound else 200
    return render(request, template, {"form": form, **context}, status=status)


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def note(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = found(request, pk), TextForm(request.POST or None)
    return _act(
        request, row, form,
        lambda: note_on_incident(actor=request.actor, incident=row, **form.cleaned_data),
        "Written down.", heading="Write a note", button="Write it down",
        hint="It is sealed, and is never changed.",
    )  # fmt: skip


@for_handlers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT)
def lead(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = found(request, pk)
    form = PersonForm(request.POST, people=possible_leads(row.organisation_id))
    return _act(
        request, row, form,
        lambda: hand_lead(actor=request.actor, incident=row, **form.cleaned_data),
        "They lead now.", heading="Who leads", button="Let them lead",
    )  # fmt: skip


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def assessment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The four factors and the risk; until they are weighed, people are told."""
    row = found(request, pk)
    factors = OpenIncident(row).factors
    before: dict[str, Any] = {"risk": row.risk, "unreadable": row.is_unreadable}
    if factors is not None:
        before |= {
            "is_breach": "yes" if row.is_breach else "no", "nature": factors.nature,
            "who": factors.who, "seen": factors.seen, "mitigated": factors.mitigated,
            "low_probability": row.low_probability,
        }  # fmt: skip
    form = AssessForm(request.POST or None, initial=before)
    return _act(
        request, row, form,
        lambda: assess(actor=request.actor, incident=row, found=form.assessment()),
        "Assessed. What is owed follows from it.", template="incidents/assess.html",
    )  # fmt: skip


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def delay(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = found(request, pk), DelayForm(request.POST or None)
    return _act(
        request, row, form,
        lambda: note_delay(actor=request.actor, incident=row, **form.cleaned_data),
        "Noted. The clocks that may wait do so.", heading="The police ask to wait",
        button="Note it", hint="Clocks of HIPAA and of states wait until that day. Those of the"
        " GDPR and of your own policy do not.",
    )  # fmt: skip


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = found(request, pk), TextForm(request.POST or None)
    return _act(
        request, row, form,
        lambda: close_incident(actor=request.actor, incident=row, **form.cleaned_data),
        "Closed. It stays in the register.", heading="Close it", button="Close it",
        hint="Write what was learned, and what is done differently from now on. A closed incident"
        " is not opened again.",
    )  # fmt: skip


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT)
def step(request: HttpRequest, pk: UUID, step: str) -> HttpResponse:
    """Mark a step of the plan as done; or, with somebody named, say who does it."""
    row = found(request, pk)
    if step not in PLAN:
        raise Http404
    people = possible_leads(row.organisation_id)
    if request.method == "POST" and "to" not in request.POST:
        try:
            finish_step(actor=request.actor, incident=row, step=step)
        except IncidentRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("incidents:incident", row.pk)
        return _done(request, row, "Done.")
    form = PersonForm(request.POST or None, people=people)
    return _act(
        request, row, form,
        lambda: assign_step(actor=request.actor, incident=row, step=step, **form.cleaned_data),
        "They do it.", heading=PLAN[step].label, button="Let them do it",
    )  # fmt: skip


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def duty(request: HttpRequest, pk: UUID, code: str) -> HttpResponse:
    """Note that somebody was told, when and how."""
    row = found(request, pk)
    owed = {one.duty.code: one for one in picture_of(row).owed}.get(code)
    if owed is None:
        raise Http404
    form = DoneForm(request.POST or None, initial={"done_on": today_at(row.organisation)})
    return _act(
        request, row, form,
        lambda: mark_done(actor=request.actor, incident=row, code=code, **form.cleaned_data),
        "Noted.", heading=f"Tell {owed.duty.to}", button="They were told",
        hint=f"{owed.duty.law}, {owed.duty.cites}. {owed.duty.how}",
    )  # fmt: skip
