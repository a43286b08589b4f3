from __future__ import annotations

import csv
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from releases.forms import CountForm, QuestionForm
from releases.models import Project, Snapshot
from releases.permissions import can_approve
from releases.rules.aggregates.blocks import GROUP_KEY
from releases.rules.aggregates.reading import countable
from releases.rules.aggregates.tables import Table
from releases.rules.states import State
from releases.services.counting import Answer, answer, count_people
from releases.services.projects import ReleaseRefused
from releases.views.projects import WORKERS
from releases.views.scope import own_project_or_404


@needs(*WORKERS)
@require_safe
@uses(Purpose.STATISTICS, Category.DEIDENTIFIED)
def counts(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask how many people there are, by one or two dimensions; and have them counted."""
    project = own_project_or_404(request, pk)
    snapshot = Snapshot.objects.filter(project=project).first()
    context = {
        "project": project,
        "snapshot": snapshot,
        "at_least": effective_pack(project.organisation_id)[GROUP_KEY],
        "may_count": can_approve(request.actor, project) and project.state == State.RELEASED,
        "count_form": CountForm(possible=countable(project.options)),
    }
    if snapshot is not None:
        form = QuestionForm(request.GET or None, dimensions=snapshot.dimensions)
        context |= {"form": form} | _asked(request, project, form)
    return render(request, "releases/counts.html", context)


def _asked(request: HttpRequest, project: Project, form: QuestionForm) -> dict[str, Any]:
    if not form.is_bound or not form.is_valid():
        return {}
    try:
        found = _answer(request, project, form)
    except ReleaseRefused as refusal:
        form.add_error(None, str(refusal))
        return {}
    query = request.GET.urlencode()
    return {"table": found.table, "rows": _rows(found.table), "query": query}


def _answer(request: HttpRequest, project: Project, form: QuestionForm) -> Answer:
    asked = form.cleaned_data
    return answer(actor=request.actor, project=project, by=asked["by"], across=asked["across"])


def _rows(table: Table) -> list[dict[str, Any]]:
    """Rows with the heading of each cell, which stands beside it where the screen is narrow."""
    above = [one.label for one in table.columns]
    lines = [(line.heading.label, line.cells, line.people) for line in table.lines]
    lines.append(("All", table.foot, table.people))
    return [
        {
            "label": label,
            "cells": [*zip(above, cells, strict=True), (table.sum_label, people)],
            "is_sum": place == len(table.lines),
        }
        for place, (label, cells, people) in enumerate(lines)
    ]


@needs(*WORKERS)
@require_safe
@uses(Purpose.STATISTICS, Category.DEIDENTIFIED)
def counts_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The same answer as a file."""
    project = own_project_or_404(request, pk)
    snapshot = Snapshot.objects.filter(project=project).first()
    form = QuestionForm(request.GET, dimensions=snapshot.dimensions if snapshot else [])
    try:
        if not form.is_valid():
            raise ReleaseRefused("Choose what to count by.")
        found = _answer(request, project, form)
    except ReleaseRefused as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain; charset=utf-8")
    file = HttpResponse(content_type="text/csv; charset=utf-8")
    file["Content-Disposition"] = f'attachment; filename="counts-{project.number}.csv"'
    csv.writer(file).writerows(found.lines)
    return file


@needs(Capability.APPROVE_RELEASES)
@require_POST
@uses(Purpose.STATISTICS, Category.DEIDENTIFIED)
def count(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have the people of a released project counted, or those let in who have come since."""
    project = own_project_or_404(request, pk)
    before = Snapshot.objects.filter(project=project).first()
    form = CountForm(request.POST, possible=countable(project.options))
    chosen = form.cleaned_data["dimensions"] if form.is_valid() else []
    try:
        snapshot = count_people(actor=request.actor, project=project, dimensions=chosen)
    except ReleaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        same = before is not None and before.batch == snapshot.batch
        messages.success(request, NOBODY_NEW if same else "Counted.")
    return redirect("releases:counts", pk=pk)


# Never how many wait: that can be few.
NOBODY_NEW: Final = (
    "The numbers are as before: of those who have come since, not enough are alike yet."
)
