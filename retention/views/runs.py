"""Disposal: what a run would destroy, what two people decide, how far it is, and the proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs, needs_step_up
from accounts.rules import Actor, Capability
from jobs.models import Job
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from retention.models import CertificateAddendum, DisposalRun
from retention.rules.disposal import Act, RunState, refusal_of, refusal_to_approve
from retention.selectors.forecast import bars_of, looked_at_of
from retention.selectors.runs import (
    certificates_of,
    counts_of_run,
    items_of,
    reasons_to_keep,
    runs_of,
    words_of_items,
)
from retention.services import approving
from retention.services.certificates import check_addendum, note_looking_at_certificate
from retention.services.clock import confirm_clock
from retention.services.refusals import RetentionRefused

PER_PAGE = 50


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def run(request: HttpRequest, number: int) -> HttpResponse:
    """One run: what goes and why, what stays although it is due, who decides, how far it is."""
    found = get_object_or_404(runs_of(request.actor), number=number)
    kept = request.GET.get("shown") == "kept"
    page = Paginator(items_of(found, kept=kept), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "run": found,
        "page": page,
        "kept": kept,
        "items": words_of_items(list(page)),
        "counts": counts_of_run(found),
        "reasons": reasons_to_keep(found),
        "bars": bars_of(found.forecast, found.planned_at.year),
        "every": looked_at_of(found.studies),
        "job": Job.objects.filter(pk=found.job_id).first() if found.job_id else None,
        "certificate": certificates_of(request.actor).filter(run=found).first(),
        "acts": _offered(request.actor, found),
        "waits_for": _waits_for(request.actor, found),
        "may_see_studies": request.actor.can(Capability.SEE_SUBJECTS),
    }
    return render(request, "retention/run.html", context)


def _offered(actor: Actor, run: DisposalRun) -> list[tuple[str, Page]]:
    if not actor.can(Capability.APPROVE_DISPOSAL):
        return []
    state = RunState(run.state)
    found = [(act, PAGES[act]) for act in Act if not refusal_of(act, state)]
    if refusal_to_approve(first_id=run.first_by_id, approver_id=actor.user_id):
        found = [(act, page) for act, page in found if act is not Act.APPROVE]
    return [(act.value, page) for act, page in found]


def _waits_for(actor: Actor, run: DisposalRun) -> str:
    """What it needs, in words, for whoever cannot approve it (again)."""
    if run.state == RunState.APPROVED_ONCE and run.first_by_id == actor.user_id:
        return "You have approved it. Somebody else has to as well."
    return ""


# Acts --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Page:
    """The page on which an act is confirmed."""

    title: str
    happens: tuple[str, ...]
    button: str
    run: Callable[[Actor, DisposalRun], object]
    done: str
    proves: bool = False
    is_grave: bool = False


PAGES: dict[Act, Page] = {
    Act.APPROVE: Page(
        "Approve this disposal",
        (
            ("Once two people have approved it, the key of each study is destroyed. From then on"
            " nobody can open it again, whoever asks for it."),
            ("Its files, entries and search hashes are deleted after that, and it is read back"
            " that nothing is left."),
            ("Before each key is destroyed, holds and open requests are asked for once more. What"
            " is held by then stays."),
            "Records of shares and the trail stay: they show what was agreed to and done.",
        ),
        "Approve", lambda actor, run: approving.approve_run(actor=actor, run=run), "Approved.",
        proves=True, is_grave=True,
    ),
    Act.REJECT: Page(
        "Reject this disposal",
        ("Nothing of it is destroyed.", "The next night looks anew at what is due."),
        "Reject", lambda actor, run: approving.reject_run(actor=actor, run=run), "Rejected.",
    ),
    Act.PAUSE: Page(
        "Pause", ("The study under way ends its step; then nothing happens until you resume.",),
        "Pause", lambda actor, run: approving.pause_run(actor=actor, run=run), "Paused.",
    ),
    Act.RESUME: Page(
        "Go on", ("It goes on from where it stopped. What failed is tried again.",),
        "Go on", lambda actor, run: approving.resume_run(actor=actor, run=run), "It goes on.",
        proves=True,
    ),
    Act.CANCEL: Page(
        "Cancel",
        (
            "Studies whose key is still there stay, and are back in the lists.",
            ("A study whose key is destroyed already cannot be brought back; what is left of it is"
            " deleted."),
        ),
        "Cancel the rest", lambda actor, run: approving.cancel_run(actor=actor, run=run),
        "Cancelled. What had no key any more is still being finished.",
    ),
}  # fmt: skip


@needs(Capability.APPROVE_DISPOSAL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def run_act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Confirm one act on a run; what cannot be done now is refused with the reason (409)."""
    found = get_object_or_404(runs_of(request.actor), number=number)
    if name not in set(Act):
        raise Http404
    page = PAGES[Act(name)]
    if page.proves and (detour := needs_step_up(request)):
        return detour
    refusal = refusal_of(Act(name), RunState(found.state))
    if request.method == "POST" and not refusal:
        try:
            _carry_out(request, page, Act(name), found)
        except RetentionRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, page.done)
            return redirect("retention:run", number)
    asks = Act(name) is Act.APPROVE and found.anonymised > 0
    context = {"run": found, "page": page, "refusal": refusal, "asks_of_doubtful": asks}
    return render(request, "retention/run_act.html", context, status=409 if refusal else 200)


def _carry_out(request: HttpRequest, page: Page, act: Act, run: DisposalRun) -> None:
    if act is not Act.APPROVE or not run.anonymised:
        page.run(request.actor, run)
        return
    said = request.POST.get("doubtful")
    if said not in {"stay", "go"}:
        raise RetentionRefused("Say what becomes of studies that cannot be made anonymous.")
    approving.approve_run(actor=request.actor, run=run, destroys_doubtful=said == "go")


@needs(Capability.APPROVE_DISPOSAL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def clock(request: HttpRequest) -> HttpResponse:
    """Say that the clock is right after a jump, so that disposal can go on."""
    if detour := needs_step_up(request):
        return detour
    if request.method == "POST":
        confirm_clock(actor=request.actor)
        messages.success(request, "Noted. Disposal can go on.")
        return redirect("retention:overview")
    return render(request, "retention/clock.html", {"now": timezone.now()})


# Certificates ------------------------------------------------------------------------------------
@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def certificate(request: HttpRequest, number: int) -> HttpResponse:
    """A certificate to print, checked again at this moment."""
    found = get_object_or_404(certificates_of(request.actor), number=number)
    checked = note_looking_at_certificate(actor=request.actor, certificate=found)
    context = {
        "certificate": found,
        "checked": checked,
        "addendum": check_addendum(found),
        "now": timezone.now(),
    }
    return render(request, "retention/certificate.html", context)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def certificate_note(request: HttpRequest, number: int) -> HttpResponse:
    """The signed note itself, for whoever checks it without this portal."""
    found = get_object_or_404(certificates_of(request.actor), number=number)
    note_looking_at_certificate(actor=request.actor, certificate=found)
    return _as_file(found.note, f"certificate-{number}.txt")


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def certificate_addendum(request: HttpRequest, number: int) -> HttpResponse:
    """The signed note that the last backup has ended, once it is issued."""
    found = get_object_or_404(certificates_of(request.actor), number=number)
    addendum = get_object_or_404(CertificateAddendum, certificate=found)
    note_looking_at_certificate(actor=request.actor, certificate=found)
    return _as_file(addendum.note, f"certificate-{number}-addendum.txt")


def _as_file(text: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
