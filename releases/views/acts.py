"""What is done with a project: a page that says what will happen, then the act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs, to_step_up
from policies.rules.schema import KEY
from policies.selectors import effective_pack
from releases.forms import in_order, words_of_option
from releases.models import Project
from releases.rules.states import Act, State, refusal_of_act
from releases.rules.terms import options_of
from releases.services.ending import end_project
from releases.services.projects import (
    ReleaseRefused,
    approve_project,
    rebuild_project,
    reopen_project,
)
from releases.services.releasing import readiness_of, release_project
from releases.services.telling import ask_for_approval
from releases.views.projects import WORKERS
from releases.views.scope import own_project_or_404, preparing

PROJECT_END = "deid.project_end"


@dataclass(frozen=True, slots=True)
class ActPage:
    """How an act presents itself; `needs_proof`: prove again who one is before it is shown."""

    title: str
    sentence: str
    button: str
    done: str
    do: Callable[..., Any]
    needs_proof: bool = False
    is_grave: bool = False


PAGES: dict[str, ActPage] = {
    Act.ASK: ActPage(
        "Ask for its approval?",
        "The privacy officers are told that the project is put together. One who did not begin it "
        "reads what is to go out, and approves it or not.",
        "Ask the privacy officers", "Asked. The privacy officers are told.", ask_for_approval,
    ),
    Act.APPROVE: ActPage(
        "Approve this project?",
        "Its images are de-identified then, by the rules below. Nothing goes out yet: what was "
        "blacked is looked at first, and you release it in a second step.",
        "Approve and de-identify", "Approved. Its images are being de-identified.",
        approve_project,
    ),
    Act.REBUILD: ActPage(
        "Make it anew?",
        "Consent is asked again: studies that may not be used any more are left out, and what was "
        "made of them is deleted. What else is there stays. Until it is released again, nobody can "
        "download it.",
        "Make it anew", "It is being made anew.", rebuild_project,
    ),
    Act.REOPEN: ActPage(
        "Open it again?",
        "Studies can be put in and taken out then. It needs a new approval and a new release; "
        "until then nobody can download it. Pseudonyms stay the same.",
        "Open it again", "Open again. Put studies in, or take some out.", reopen_project,
    ),
    Act.RELEASE: ActPage(
        "Release it?",
        "The recipient can download it from then on. What was downloaded cannot be called back. "
        "The report is signed with the portal's key.",
        "Release", "Released, with a signed report.", release_project, needs_proof=True,
    ),
    Act.END: ActPage(
        "End this project?",
        "The linking table and the key of the pseudonyms are destroyed: nobody can find out any "
        "more whose images these were. That cannot be undone.",
        "End the project", "Ended. The way back is being destroyed.", end_project,
        needs_proof=True, is_grave=True,
    ),
}  # fmt: skip


@needs(*WORKERS)
@require_http_methods(["GET", "POST"])
@preparing
def act(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """Say what an act does, and do it once that was read."""
    page, project = PAGES.get(name), own_project_or_404(request, pk)
    if page is None:
        raise Http404
    if page.needs_proof and not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    refusal = refusal_of_act(Act(name), State(project.state))
    if request.method == "POST" and not refusal:
        try:
            page.do(actor=request.actor, project=project)
        except ReleaseRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, page.done)
            return redirect("releases:project", pk=pk)
    context = {
        "project": project,
        "page": page,
        "refusal": refusal,
        "ready": readiness_of(project) if name == Act.RELEASE and not refusal else None,
        "end": _end_words(project) if name == Act.END else "",
        # Whoever approves reads here what they approve.
        "approves": name in {Act.APPROVE, Act.ASK} and not refusal,
        "options": [words_of_option(one) for one in in_order(options_of(project.options))],
        "study_count": project.studies.count(),
    }
    return render(request, "releases/act.html", context, status=422 if refusal else 200)


def _end_words(project: Project) -> str:
    """What the policy does with the data at the end, in its own words."""
    pack = effective_pack(project.organisation_id)
    return str(KEY[PROJECT_END].kind.words(pack[PROJECT_END]))
