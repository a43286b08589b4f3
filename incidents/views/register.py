"""The register of incidents, a page of one, and the form that opens one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from incidents.forms import OpenForm, PersonForm
from incidents.permissions import may_see_names
from incidents.rules.states import DATA_LABELS, PLAN, State
from incidents.sealing import OpenIncident
from incidents.selectors import incidents_of, picture_of, pictures_of, possible_leads
from incidents.services.entries import IncidentRefused, note
from incidents.services.opening import open_incident
from incidents.services.registering import as_csv
from incidents.views.doors import for_handlers, found, refused
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PAGE = 200


@for_handlers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.PROFESSIONAL)
def incidents(request: HttpRequest) -> HttpResponse:
    """Every incident, also those of which nobody was told (GDPR Art. 33(5))."""
    rows = list(incidents_of(request.actor).order_by("-opened_at")[:PAGE])
    pictures = pictures_of(rows)
    lines = [(row, pictures[row.pk]) for row in rows]
    # What is open, and of that what is due first, comes first.
    lines.sort(key=lambda line: line[0].state == State.CLOSED.value)
    return render(request, "incidents/incidents.html", {"lines": lines})


@for_handlers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.PROFESSIONAL)
def incidents_file(request: HttpRequest) -> HttpResponse:
    """The register as a file for an authority; written down."""
    response = HttpResponse(as_csv(actor=request.actor), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    return response


@for_handlers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def incident_new(request: HttpRequest) -> HttpResponse:
    form = OpenForm(request.POST or None, initial={"discovered_at": timezone.now()})
    if request.method == "POST" and form.is_valid():
        try:
            made = open_incident(actor=request.actor, **form.cleaned_data)
        except IncidentRefused as refusal:
            return refused(request, "incidents/incident_new.html", form, refusal)
        messages.success(request, "Opened. Officers and administrators were told.")
        return redirect("incidents:incident", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "incidents/incident_new.html", {"form": form}, status=status)


@for_handlers
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.PROFESSIONAL, Category.ACCOUNT)
def incident(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One incident: its clocks, its plan, whom it touches, and all that was done."""
    row = found(request, pk)
    note(row, "incident.viewed", by=request.actor)
    opened = OpenIncident(row)
    picture = picture_of(row)
    lines = row.entries.select_related("by").order_by("at", "pk")
    context = {
        "incident": row,
        "title": opened.title,
        "factors": opened.factors,
        "picture": picture,
        "presumed": row.counted_at is None,
        "kinds": [DATA_LABELS[one] for one in row.kinds if one in DATA_LABELS],
        "steps": sorted(
            row.steps.select_related("done_by", "owner"), key=lambda one: list(PLAN).index(one.step)
        ),
        "entries": [(one, opened.text_of(one)) for one in lines],
        "is_open": row.state != State.CLOSED.value,
        "lead_form": PersonForm(people=possible_leads(row.organisation_id)),
        "residents": sorted(picture.facts.residents.items(), key=lambda one: (-one[1], one[0])),
        "may_see_names": may_see_names(request.actor),
        "now": timezone.now(),
    }
    return render(request, "incidents/incident.html", context)
