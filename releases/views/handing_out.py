from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs, to_step_up
from accounts.rules import Capability
from audit.rules.notes import NoteRefused, open_note
from audit.services.keys import trusted_keys
from consent.rules.identity import Identity
from consent.selectors import identities
from releases.forms import LinkForm
from releases.models import Project
from releases.permissions import can_download
from releases.rules.report import COUNT_WORDS, note_text
from releases.rules.states import STATE_LABELS, State
from releases.services.exporting import open_archive
from releases.services.links import LinkReason, open_link
from releases.services.projects import ReleaseRefused
from releases.views.projects import WORKERS
from releases.views.scope import known_project_or_404, own_project_or_404, preparing, using_released


@needs(*WORKERS)
@require_safe
@using_released
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The signed report of what was released, to read and to check."""
    project = known_project_or_404(request, pk)
    if not project.report:
        raise Http404
    found = json.loads(project.report)
    done = found["totals"]["attributes"]
    context = {
        "project": project,
        "state": STATE_LABELS[State(project.state)],
        "report": found,
        "is_current": project.state == State.RELEASED,
        "done": [(words, done[code]) for code, words in COUNT_WORDS.items() if done.get(code)],
        "note": project.report_note,
        "holds": signature_holds(project),
        "may_download": can_download(request.actor, project) and project.state == State.RELEASED,
    }
    return render(request, "releases/report.html", context)


def signature_holds(project: Project) -> bool:
    """Was the note signed by a key that is trusted, over this very report?"""
    try:
        text = open_note(project.report_note, trusted_keys())
    except NoteRefused:
        return False
    _, designation, released_at, _ = text.splitlines()
    return text == note_text(project.report.encode(), project=designation, released_at=released_at)


@needs(*WORKERS)
@require_safe
@using_released
def report_file(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    """The report as JSON, or the note that signs it."""
    project = known_project_or_404(request, pk)
    if not project.report:
        raise Http404
    text, media = (
        (project.report, "application/json") if kind == "json" else
        (project.report_note, "text/plain; charset=utf-8")
    )  # fmt: skip
    response = HttpResponse(text, content_type=media)
    response["Content-Disposition"] = f'attachment; filename="REPORT.{kind}"'
    return response


@needs(Capability.PREPARE_RELEASES)
@require_safe
@using_released
def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Everything that was released as one ZIP archive, with its report and signature."""
    project = known_project_or_404(request, pk)
    if project.state in {State.ENDING, State.ENDED}:
        return render(request, "releases/gone.html", {"project": project}, status=410)
    try:
        archive = open_archive(actor=request.actor, project=project)
    except ReleaseRefused as refusal:
        context = {"project": project, "refusal": str(refusal)}
        return render(request, "releases/refused.html", context, status=403)
    response = StreamingHttpResponse(archive.pieces(), content_type="application/zip")
    response["Content-Length"] = str(archive.size)
    name = f"release-{project.organisation.slug}-{project.number}-{project.build}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@needs(Capability.LOOK_UP_LINKS)
@require_http_methods(["GET", "POST"])
@preparing
def links(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Look up whom one pseudonym stands for."""
    project = own_project_or_404(request, pk)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    form = LinkForm(request.POST or None)
    found: Identity | None = None
    if request.method == "POST" and form.is_valid():
        found = _looked_up(request, project, form.cleaned_data)
    context: dict[str, Any] = {"project": project, "form": form, "found": found}
    return render(request, "releases/links.html", context)


def _looked_up(request: HttpRequest, project: Project, values: dict[str, Any]) -> Identity | None:
    reason = LinkReason(values["reason"])
    try:
        subject = open_link(
            actor=request.actor, project=project, code=values["code"], reason=reason
        )
    except ReleaseRefused as refusal:
        messages.error(request, str(refusal))
        return None
    return identities([subject])[subject.pk]
