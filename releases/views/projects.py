from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Actor, Capability
from accounts.selectors import other_organisations
from jobs.models import Job
from jobs.selectors import job_visible_to
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from releases.forms import ProjectForm, in_order, words_of_option
from releases.models import Project, ProjectStudy
from releases.permissions import (
    can_approve,
    can_collect,
    can_look,
    can_look_up,
    can_prepare,
    can_read_counts,
)
from releases.rules.exclusions import EXCLUSION_WORDS, Exclusion
from releases.rules.states import STATE_LABELS, Act, State, can_be_done
from releases.rules.terms import needed_options, options_of, purposes_under
from releases.selectors import (
    IDS_PER_QUERY,
    batched,
    drafts_of,
    projects_of,
    projects_received_by,
    study_rows,
)
from releases.services.counting import may_tell_counts
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    begin_project,
    job_has_failed,
    remove_study,
)
from releases.services.releasing import readiness_of
from releases.views.scope import own_project_or_404, preparing
from studies.forms import WorklistForm
from studies.models import Study
from studies.rules.display import words_of_study
from studies.selectors import study_summaries
from studies.services.listing import worklist
from studies.views.study import study_or_404

WORKERS = (Capability.PREPARE_RELEASES, Capability.APPROVE_RELEASES)


@needs(*WORKERS)
@require_safe
@uses(Purpose.OPERATIONS, Category.MEDICAL)
def projects(request: HttpRequest) -> HttpResponse:
    """The organisation's projects, and what others have released to it."""
    pack = effective_pack(request.actor.organisation_id)
    context = {
        "own": [_listed(one) for one in projects_of(request.actor)[:200]],
        "received": [_listed(one) for one in projects_received_by(request.actor)[:200]],
        "possible": purposes_under(pack),
        "may_begin": request.actor.can(Capability.PREPARE_RELEASES),
    }
    return render(request, "releases/projects.html", context)


def _listed(project: Project) -> dict[str, Any]:
    return {"project": project, "state": STATE_LABELS[State(project.state)]}


@needs(Capability.PREPARE_RELEASES)
@require_http_methods(["GET", "POST"])
@uses(Purpose.OPERATIONS, Category.MEDICAL)
def new(request: HttpRequest) -> HttpResponse:
    """Begin a project."""
    pack = effective_pack(request.actor.organisation_id)
    needed = needed_options(pack)
    form = ProjectForm(
        request.POST or None,
        purposes=purposes_under(pack),
        recipients=_recipients(request.actor),
        needed=needed,
    )
    if request.method == "POST" and form.is_valid():
        try:
            project = begin_project(actor=request.actor, wanted=form.wanted)
        except ReleaseRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Begun. Now put studies into it.")
            return redirect("releases:project", pk=project.pk)
    context = {
        "form": form,
        "always": [words_of_option(one) for one in in_order(needed)],
        "purposes": purposes_under(pack),
    }
    return render(request, "releases/new.html", context, status=422 if form.is_bound else 200)


def _recipients(actor: Actor) -> list[tuple[str, str]]:
    own = [(str(actor.organisation_id), f"{actor.organisation_name} itself")]
    others: list[Organisation] = list(other_organisations(actor.organisation_id))
    return own + [(str(one.pk), one.name) for one in others]


@needs(*WORKERS)
@require_safe
@preparing
def project(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One project: how it stands, what comes next, what is in it."""
    row = own_project_or_404(request, pk)
    actor, rows = request.actor, study_rows(row)
    built = row.build > 0 and row.state in {State.REVIEW, State.RELEASED}
    context = {
        "project": row,
        "state": STATE_LABELS[State(row.state)],
        "options": [words_of_option(one) for one in in_order(options_of(row.options))],
        "ready": readiness_of(row) if built else None,
        "studies": _described(actor, row, rows),
        "left_out": sum(1 for one in rows if one.exclusion),
        "job": _job(request, row),
        "failed": row.state == State.BUILDING and job_has_failed(row),
        "acts": _acts(actor, row),
        "tells_counts": can_read_counts(actor, row) and may_tell_counts(row),
        "may_collect": can_collect(actor, row) and row.state == State.DRAFT,
        "may_look": can_look(actor, row),
        "may_look_up": can_look_up(actor, row) and row.state not in {State.ENDING, State.ENDED},
    }
    return render(request, "releases/project.html", context)


def _job(request: HttpRequest, row: Project) -> Job | None:
    if row.job_id is None or row.state not in {State.BUILDING, State.ENDING}:
        return None
    return job_visible_to(request.user, row.job_id)


def _acts(actor: Actor, row: Project) -> set[str]:
    """What this person can do with the project as it stands."""
    able = {
        Act.ASK: can_prepare(actor, row),
        Act.APPROVE: can_approve(actor, row),
        Act.REBUILD: can_approve(actor, row) or can_prepare(actor, row),
        Act.REOPEN: can_prepare(actor, row),
        Act.RELEASE: can_approve(actor, row),
        Act.END: can_approve(actor, row),
    }
    return {act.value for act, can in able.items() if can and can_be_done(act, State(row.state))}


def _described(actor: Actor, row: Project, rows: list[ProjectStudy]) -> list[dict[str, Any]]:
    """The studies of a project; whose they are only for those whose role includes that."""
    words = {}
    if actor.can(Capability.VIEW_IMAGES) or actor.can(Capability.SEE_SUBJECTS):
        here = [
            study
            for batch in batched([one.study_uid for one in rows], IDS_PER_QUERY)
            for study in Study.objects.filter(
                organisation_id=row.organisation_id,
                uid__in=batch,
                archived_at=None,
                rejected_at=None,
            )
        ]
        words = {
            study.uid: words_of_study(orjson.loads(summary))
            for study, summary in zip(here, study_summaries(here), strict=True)
        }
    return [
        {
            "row": one,
            "words": words.get(one.study_uid),
            "why": EXCLUSION_WORDS[Exclusion(one.exclusion)] if one.exclusion else "",
        }
        for one in rows
    ]


# Putting studies in ------------------------------------------------------------------------------
@needs(Capability.SHARE_STUDIES)
@require_http_methods(["GET", "POST"])
@preparing
def add(request: HttpRequest, uid: str) -> HttpResponse:
    """Put one study into one of the projects that are being put together."""
    study = study_or_404(request, uid)
    if study.organisation_id != request.actor.organisation_id:
        raise Http404
    drafts = drafts_of(request.actor)
    if request.method == "POST":
        row = get_object_or_404(drafts, pk=request.POST.get("project") or None)
        return _added(request, row, [study])
    words = words_of_study(orjson.loads(study_summaries([study])[0]))
    context = {"study": study, "words": words, "drafts": drafts}
    return render(request, "releases/add.html", context)


@needs(Capability.SHARE_STUDIES)
@require_http_methods(["GET", "POST"])
@preparing
def collect(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Find studies as in the worklist, and put the ticked ones in."""
    row = own_project_or_404(request, pk)
    if request.method == "POST":
        uids = request.POST.getlist("study")[:200]
        found = list(
            Study.objects.filter(
                organisation_id=row.organisation_id,
                uid__in=uids,
                archived_at=None,
                rejected_at=None,
            )
        )
        return _added(request, row, found)
    form = WorklistForm(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "project": row,
        "form": form,
        "found": worklist(actor=request.actor, wanted=wanted, page=request.GET.get("page")),
        "query": query.urlencode(),
        "inside": set(row.studies.values_list("study_uid", flat=True)),
    }
    return render(request, "releases/collect.html", context)


def _added(request: HttpRequest, row: Project, studies: list[Study]) -> HttpResponse:
    try:
        for study in studies:
            add_study(actor=request.actor, project=row, study=study)
    except ReleaseRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("releases:project", pk=row.pk)
    if studies:
        plural = "study is" if len(studies) == 1 else "studies are"
        messages.success(request, f"{len(studies)} {plural} in the project now.")
    else:
        messages.error(request, "Tick at least one study.")
        return redirect("releases:collect", pk=row.pk)
    return redirect("releases:project", pk=row.pk)


@needs(Capability.PREPARE_RELEASES)
@require_POST
@preparing
def remove(request: HttpRequest, pk: UUID, row: int) -> HttpResponse:
    found = own_project_or_404(request, pk)
    study = get_object_or_404(found.studies, pk=row)
    try:
        remove_study(actor=request.actor, project=found, row=study)
    except ReleaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Taken out.")
    return redirect("releases:project", pk=pk)
