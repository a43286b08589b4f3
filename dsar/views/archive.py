"""Release of archived records: whose, on which authority, approved by whom, and the package."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import needs, needs_step_up, to_step_up
from accounts.rules import Actor, Capability
from consent.models import DataSubject
from consent.selectors import identities
from dsar.forms.archive import AuthorizationForm, FindArchivedForm
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.releasing import STAGE_LABELS, Basis, Stage, refusal_to_check, seen_in
from dsar.selectors import cases_of
from dsar.selectors.repeats import quote_of
from dsar.services.collecting import link_subjects
from dsar.services.entries import CaseRefused
from dsar.services.packaging import is_to_be_had, package_of
from dsar.services.releasing_archive import (
    approve_release,
    archived_of,
    case_to_approve,
    check_authorization,
    look_in_archive,
    papers_of,
    prepare_release,
    readiness_of,
    release_of,
)
from jobs.selectors import job_visible_to
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from retention.models import ArchivedStudy
from retention.selectors.archive import dates_of_archived
from studies.rules.display import day_of

_DATA = (*CARE_DATA, Category.REQUESTS)


def _case(request: HttpRequest, number: str) -> Case:
    rows = cases_of(request.actor)
    return get_object_or_404(rows, number=number, kind=Kind.RECORDS_RELEASE)


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *_DATA)
def release(request: HttpRequest, number: str) -> HttpResponse:
    """How the release stands, what is missing, and finding whose records are meant."""
    case = _case(request, number)
    if request.method == "POST":
        return _link(request, case)
    form = FindArchivedForm(request.GET if "name" in request.GET else None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = look_in_archive(actor=request.actor, case=case, wanted=wanted) if wanted else []
    people = _people(case, [one.subject_id for one in found])
    package, ready, shown = package_of(case), readiness_of(case), release_of(case)
    stage = shown.stage if shown else Stage.ASKED
    context = {
        "case": case,
        "form": form,
        "looked": bool(wanted),
        "found": [(one, people[one.subject_id]) for one in found if one.subject_id in people],
        "linked": list(_people(case, case.subjects.values_list("subject_id", flat=True)).values()),
        "archived": [(row, words) for row, words in _described(archived_of(case))],
        "papers": papers_of(case),
        "shown": shown,
        "stage": stage,
        "stands": STAGE_LABELS[stage],
        "basis": Basis(shown.basis) if shown else "",
        "seen": seen_in(shown.checks) if shown else [],
        "refusal": refusal_to_check(ready) if stage is Stage.ASKED else "",
        "ready": ready,
        "quote": quote_of(case),
        "package": package,
        "to_be_had": is_to_be_had(case, package),
        "job": job_visible_to(request.user, package.job_id)
        if package and package.job_id and package.state == "making" else None,
        # Shown once, to whoever had the package made.
        "code": request.session.pop(f"copy-code-{case.pk}", ""),
    }  # fmt: skip
    return render(request, "dsar/release.html", context)


def _link(request: HttpRequest, case: Case) -> HttpResponse:
    try:
        ids = [UUID(one) for one in request.POST.getlist("subject")]
        linked = link_subjects(actor=request.actor, case=case, subject_ids=ids)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, "Choose somebody from the list.")
    else:
        told = "Noted whose records they are." if linked else "Tick whose records they are."
        messages.add_message(request, messages.SUCCESS if linked else messages.ERROR, told)
    return redirect("dsar:release", case.number)


def _people(case: Case, subject_ids: Any) -> dict[UUID, dict[str, Any]]:
    """Who they are: an officer has to tell two of one name apart, in a case and nowhere else."""
    subjects = DataSubject.objects.filter(
        pk__in=list(subject_ids), organisation_id=case.organisation_id
    )
    return {
        pk: {"pk": pk, "identity": one, "born": day_of(one.birth_date)}
        for pk, one in identities(subjects).items()
    }


def _described(rows: list[ArchivedStudy]) -> list[tuple[ArchivedStudy, str]]:
    """Each in words, without opening it."""
    dates = dates_of_archived([row.study_id for row in rows])
    found = []
    for row in rows:
        examined, _ = dates[row.study_id]
        kinds = ", ".join(filter(None, row.study.modalities.split("\\"))) or "Other"
        day = f" of {examined.day} {examined:%B %Y}" if examined else ""
        number = f"{row.objects_count} object{'' if row.objects_count == 1 else 's'}"
        found.append((row, f"{row.name}: {kinds}{day}, {number}"))
    return found


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *_DATA)
def release_check(request: HttpRequest, number: str) -> HttpResponse:
    """Say line by line what the paper shows; what is missing keeps the archive shut (409)."""
    case = _case(request, number)
    if detour := needs_step_up(request):
        return detour
    refusal = refusal_to_check(readiness_of(case))
    form = AuthorizationForm(
        request.POST or None,
        papers=[(str(one.pk), _paper_words(one)) for one in papers_of(case)],
        archived=[(row.study.uid, words) for row, words in _described(archived_of(case))],
    )
    if request.method == "POST" and not refusal and form.is_valid():
        try:
            check_authorization(
                actor=request.actor, case=case, given=form.given(),
                document_id=UUID(form.cleaned_data["document"]),
                covers=form.cleaned_data["studies"],
            )  # fmt: skip
        except CaseRefused as refused:
            form.add_error(None, str(refused))
            refusal = str(refused)
        else:
            messages.success(request, "Noted. A second person has to approve it.")
            return redirect("dsar:release", number)
    context = {"case": case, "form": form, "refusal": refusal}
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "dsar/release_check.html", context, status=status)


def _paper_words(paper: Any) -> str:
    added = paper.added_at
    return f"{paper.label}, taken in on {added.day} {added:%B %Y at %H:%M} UTC"


@needs(Capability.APPROVE_DISPOSAL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def release_approve(request: HttpRequest, number: str) -> HttpResponse:
    """The second person looks at what was seen and what would leave, and approves it or does not.

    Administrators come here too; of the request they see nothing else.
    """
    case, shown = _to_approve(request.actor, number)
    refusal = ""
    if request.method == "POST":
        if not request.actor.is_fresh(timezone.now()):
            return to_step_up(request)
        try:
            approve_release(actor=request.actor, case=case)
        except CaseRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, "Approved. An officer can have the package made now.")
            may_see = request.actor.can(Capability.ANSWER_REQUESTS)
            return redirect("dsar:release", number) if may_see else redirect("retention:archive")
    covered = [pair for pair in _described(archived_of(case)) if pair[0].study.uid in shown.covers]
    context = {
        "case": case, "shown": shown, "basis": Basis(shown.basis), "covered": covered,
        "seen": seen_in(shown.checks), "refusal": refusal,
        "is_own": shown.checked_by_id == request.actor.user_id,
        "is_waiting": shown.stage is Stage.CHECKED, "stands": STAGE_LABELS[shown.stage],
    }  # fmt: skip
    return render(request, "dsar/release_approve.html", context, status=409 if refusal else 200)


def _to_approve(actor: Actor, number: str) -> tuple[Case, Any]:
    case = case_to_approve(actor, number)
    shown = release_of(case) if case is not None else None
    if case is None or shown is None:
        raise Http404
    return case, shown


@needs(Capability.ANSWER_REQUESTS)
@require_POST
@uses(Purpose.RIGHTS, *_DATA)
def release_prepare(request: HttpRequest, number: str) -> HttpResponse:
    """Have the package made, once two people have said yes."""
    case = _case(request, number)
    if not request.actor.is_fresh(timezone.now()):
        # Back to the page after the proof; nothing was begun yet.
        page = quote(reverse("dsar:release", args=[number]))
        return redirect(f"{reverse('accounts:step_up')}?next={page}")
    try:
        _, code = prepare_release(actor=request.actor, case=case)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if code:
            request.session[f"copy-code-{case.pk}"] = code
        messages.success(request, "The package is being made.")
    return redirect("dsar:release", number)
