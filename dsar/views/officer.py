"""The officers' queue, one case, and what is done with it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Capability
from dsar import forms as dsar_forms
from dsar.rules.kinds import Kind
from dsar.rules.numbers import as_typed
from dsar.rules.states import Act, Door
from dsar.selectors import (
    cases_of,
    counts_of,
    queue_of,
    today_at,
)
from dsar.services import handling
from dsar.services.correcting import CORRECTED
from dsar.services.directing import DIRECTED
from dsar.services.entries import CaseRefused
from dsar.services.intake import Asking, record_request
from dsar.views.case_pages import case_context, officer_context, row_of
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

PER_PAGE = 50
SHOWN = [("open", "Open"), ("late", "Late"), ("mine", "Mine"), ("done", "Answered and closed")]


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def queue(request: HttpRequest) -> HttpResponse:
    """What is open, by the day on which it is due."""
    wanted = request.GET.get("number", "").strip()
    if wanted and cases_of(request.actor).filter(number=as_typed(wanted)).exists():
        return redirect("dsar:case", as_typed(wanted))
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    today = today_at(organisation)
    shown = request.GET.get("shown", "open")
    shown = shown if shown in dict(SHOWN) else "open"
    page = Paginator(queue_of(request.actor, shown, today), PER_PAGE).get_page(
        request.GET.get("page")
    )
    counts = counts_of(request.actor, today)
    context = {
        "page": page,
        "rows": [row_of(case) for case in page],
        "shown": shown,
        "tabs": [(code, label, counts[code]) for code, label in SHOWN],
        "organisation": organisation,
        "not_found": wanted,
    }
    return render(request, "dsar/queue.html", context)


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def record(request: HttpRequest) -> HttpResponse:
    """Write down what came by post, telephone or e-mail."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    # A page that leads here says what for.
    form = dsar_forms.RecordForm(
        request.POST or None, initial={"kind": request.GET.get("kind", "")}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        asking = Asking(
            organisation=organisation,
            kind=Kind(given["kind"]),
            residence=form.residence,
            name=given["name"],
            email=given["email"],
            text=given["text"],
            acting=form.acting(),
        )
        try:
            case = record_request(
                actor=request.actor,
                asking=asking,
                door=Door(given["door"]),
                received_on=given["received_on"],
            )
        except CaseRefused as refusal:
            form.add_error("received_on", str(refusal))
        else:
            messages.success(request, f"Written down as {case.number}.")
            return redirect("dsar:case", case.number)
    return render(request, "dsar/record.html", {"form": form}, status=422 if form.is_bound else 200)


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def case(request: HttpRequest, number: str) -> HttpResponse:
    found = get_object_or_404(cases_of(request.actor), number=number)
    return render(
        request,
        "dsar/case.html",
        officer_context(handling.note_looking(actor=request.actor, case=found))
        # Shown once, to whoever made it.
        | {"code": request.session.pop(f"identity-code-{found.pk}", "")},
    )


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def letter(request: HttpRequest, number: str) -> HttpResponse:
    """The acknowledgement, or the answer, as a letter to print."""
    found = get_object_or_404(cases_of(request.actor), number=number)
    opened = handling.note_looking(actor=request.actor, case=found)
    context = case_context(opened, for_person=True)
    done = {DIRECTED, CORRECTED}
    answers = [step for step in context["steps"] if step.line.entry.act == Act.ANSWER]
    context |= {"answer": answers[-1] if answers else None, "written_at": timezone.now()}
    context["directed"] = [step for step in context["steps"] if step.line.entry.act in done]
    return render(request, "dsar/letter.html", context)
