"""How long one study is kept and why, the schedule of the organisation, and an overview."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Capability
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.rules.records import ENDING_LABELS, Ending, record_kinds
from policies.selectors import draft_of, effective_pack, upcoming_pack
from retention.forms import MilestoneForm
from retention.impact import findings_of_law
from retention.models import ClockMark, RecordPurge, StudyMilestone
from retention.permissions import can_note_milestones
from retention.rules.disposal import fault_of_clock
from retention.rules.duties import DUTIES
from retention.rules.facts import Milestone
from retention.selectors.forecast import bars_of, looked_at_of
from retention.selectors.holds import guard_of, holds_of, holds_on
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.selectors.pages import schedule_lines, term_words
from retention.selectors.records import record_lines
from retention.selectors.runs import certificates_of, runs_of
from retention.selectors.simulation import simulate
from retention.services.milestones import note_milestone
from retention.services.refusals import RetentionRefused
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.selectors import study_named

OF_A_STUDY = (Category.IDENTITY, Category.MEDICAL, Category.IMAGES)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def overview(request: HttpRequest) -> HttpResponse:
    """What is due, what is held, what is gone."""
    runs = runs_of(request.actor)
    latest = runs.first()
    now = timezone.now()
    mark = ClockMark.objects.first()
    context = {
        "latest": latest,
        "runs": runs[:20],
        "bars": bars_of(latest.forecast, now.year) if latest else [],
        "every": looked_at_of(latest.studies) if latest else 1,
        "holds": holds_of(request.actor).filter(lifted_at=None).count(),
        "may_see_holds": request.actor.can(Capability.APPROVE_DISPOSAL),
        "certificates": certificates_of(request.actor)[:20],
        "clock_fault": fault_of_clock(mark.seen_at if mark else None, now),
        "may_confirm": request.actor.can(Capability.APPROVE_DISPOSAL),
    }
    return render(request, "retention/overview.html", context)


@needs(Capability.APPROVE_DISPOSAL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def simulation(request: HttpRequest) -> HttpResponse:
    """What would fall due when under the draft of the policy, beside what does now."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    draft = draft_of(organisation.pk)
    context: dict[str, Any] = {"draft": draft}
    if draft is not None:
        pack = upcoming_pack(organisation.pk) or effective_pack(organisation.pk)
        found = simulate(organisation, pack.values, draft.values)
        year = timezone.now().year
        context |= {
            "found": found,
            "pictures": [
                ("now", "As it is", bars_of(found.before, year)),
                ("then", "Under the draft", bars_of(found.after, year)),
            ],
            "findings": findings_of_law(organisation.pk, pack.values, draft.values),
        }
    return render(request, "retention/simulation.html", context)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.ORGANISATION)
def schedule(request: HttpRequest) -> HttpResponse:
    """What the policy says of each kind of data, what laws ask at least, and the catalogue."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    lines = schedule_lines(organisation)
    binding = {duty.code for line in lines for duty in line.duties}
    context = {
        "organisation": organisation,
        "lines": [(line, [(duty, term_words(duty)) for duty in line.duties]) for line in lines],
        "catalogue": [(duty, term_words(duty), duty.code in binding) for duty in DUTIES.values()],
    }
    return render(request, "retention/schedule.html", context)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def records(request: HttpRequest) -> HttpResponse:
    """What is no study: how each kind ends, how much there is, and what the last nights ended."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    today = day_everywhere(timezone.now())
    labels = {kind.code: kind.label for kind in record_kinds()}
    lines = record_lines(organisation, today)
    context = {
        "organisation": organisation,
        "groups": [
            (label, found)
            for ending, label in ENDING_LABELS.items()
            if (found := [line for line in lines if line.kind.ending is ending])
        ],
        "by_term": ENDING_LABELS[Ending.TERM],
        "reports": [
            (report, [(labels.get(code, code), line) for code, line in report.lines.items()])
            for report in RecordPurge.objects.filter(organisation=organisation).order_by(
                "-purged_on"
            )[:14]
        ],
    }
    return render(request, "retention/records.html", context)


def own_study_or_404(request: HttpRequest, uid: str) -> Study:
    """A study of the organisation that somebody works for; a shared one is its holder's to keep."""
    found = study_named(request.actor, uid)
    if found is None or found.organisation_id != request.actor.organisation_id:
        raise Http404
    return found


@needs(Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *OF_A_STUDY)
def study(request: HttpRequest, uid: str) -> HttpResponse:
    row = own_study_or_404(request, uid)
    return _study_page(request, row, MilestoneForm())


@needs(Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, *OF_A_STUDY)
def study_milestone(request: HttpRequest, uid: str) -> HttpResponse:
    """Note that what the study was made for has come to an end."""
    row = own_study_or_404(request, uid)
    form = MilestoneForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            note_milestone(
                actor=request.actor, study=row, milestone=Milestone(given["milestone"]),
                happened_on=given["happened_on"],
            )  # fmt: skip
        except RetentionRefused as refusal:
            form.add_error("happened_on", str(refusal))
        else:
            messages.success(request, "Noted. How long the study is kept was reckoned anew.")
            return redirect("retention:study", uid)
    return _study_page(request, row, form, status=422)


def _study_page(
    request: HttpRequest, row: Study, form: MilestoneForm, status: int = 200
) -> HttpResponse:
    keeping = keeping_of_studies([row], terms_of(row.organisation)).get(row.pk)
    bar = guard_of(row.organisation_id, [row]).bar_for(row)
    holds = holds_of(request.actor).filter(lifted_at=None)
    context = {
        "study": row,
        "keeping": keeping,
        "is_held": bar is not None,
        "holds": holds_on(row, list(holds)),
        "milestones": StudyMilestone.objects.filter(
            organisation_id=row.organisation_id, study_uid=row.uid
        ).select_related("noted_by"),
        "form": form if can_note_milestones(request.actor, row.organisation_id) else None,
        "may_hold": request.actor.can(Capability.PLACE_HOLDS),
    }
    return render(request, "retention/study.html", context, status=status)
