"""The officers' queue, one case, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Actor, Capability
from dsar import forms as dsar_forms
from dsar.models import Case
from dsar.rules.directing import DIRECTIVES_OF, corrects, sets_directive
from dsar.rules.documents import DocumentKind
from dsar.rules.erasure import letter_text
from dsar.rules.kinds import Kind
from dsar.rules.numbers import as_typed
from dsar.rules.safeguards import safeguards_text
from dsar.rules.states import Act, Door, Outcome, refusal_of
from dsar.sealing import OpenCase
from dsar.selectors import (
    cases_of,
    colleagues_of,
    counts_of,
    policy_or_none,
    providers_for,
    queue_of,
    standing_of,
    today_at,
)
from dsar.services import handling
from dsar.services.correcting import CORRECTED, grant_correction, rebut
from dsar.services.directing import DIRECTED, grant_directive
from dsar.services.documents import ask_for_document
from dsar.services.entries import CaseRefused
from dsar.services.intake import Asking, record_request
from dsar.services.representing import tell_the_person
from dsar.services.routing import hand_over_case
from dsar.views.case_pages import case_context, erased_of, officer_context, row_of
from dsar.views.scopes import correctable, scope_of_case
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
    form = dsar_forms.RecordForm(request.POST or None)
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


def _answer(actor: Actor, case: Case, given: dict[str, Any]) -> Case:
    outcome = Outcome(given["outcome"])
    facts = {"actor": actor, "case": case, "text": given["text"], "outcome": outcome}
    if sets_directive(Kind(case.kind), outcome):
        return grant_directive(**facts, wanted=given["wanted"])
    if corrects(Kind(case.kind), outcome):
        return grant_correction(
            **facts, values=given["values"], studies=given.get("studies", ()),
            elsewhere=given["elsewhere"],
        )  # fmt: skip
    return handling.answer_case(**facts, denial=given.get("denial", ""))


# Acts ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Page:
    """The page of an act: its words, its form, and the service that it calls."""

    title: str
    sentence: str
    button: str
    form: type[forms.Form]
    run: Callable[[Actor, Case, dict[str, Any]], object]
    done: str


PAGES: dict[str, Page] = {
    Act.ACKNOWLEDGE: Page(
        "Acknowledge by letter",
        "Print the acknowledgement and send it; then note here that it went out.",
        "It went out", dsar_forms.NoForm,
        lambda actor, case, _: handling.acknowledge_case(actor=actor, case=case), "Acknowledged.",
    ),
    Act.ASSIGN: Page(
        "Assign", "The officer is told, and finds the request under “Mine”.",
        "Assign", dsar_forms.AssignForm,
        lambda actor, case, given: handling.assign_case(actor=actor, case=case, **given),
        "Assigned.",
    ),
    Act.NOTE: Page(
        "Write a note", "For officers; the person does not see it on their page.",
        "Keep the note", dsar_forms.TextForm,
        lambda actor, case, given: handling.note_on_case(actor=actor, case=case, **given),
        "Noted.",
    ),
    Act.READDRESS: Page(
        "Change the address",
        "Links in letters that went to the old address end at once. Make sure that it is theirs.",
        "Change it", dsar_forms.ReaddressForm,
        lambda actor, case, given: handling.readdress_case(actor=actor, case=case, **given),
        "Changed. Letters go there from now on.",
    ),
    Act.ASK_DETAIL: Page(
        "Ask for more detail",
        "The person is told, and replies on their page. Only a clock that the law lets wait stands"
        " still meanwhile.",
        "Ask", dsar_forms.TextForm,
        lambda actor, case, given: handling.ask_for_detail(actor=actor, case=case, **given),
        "Asked.",
    ),
    Act.ASK_DOCUMENT: Page(
        "Ask for a paper",
        "The person is told, and sends it on their page. Only a clock that the law lets wait stands"
        " still meanwhile.",
        "Ask", dsar_forms.AskDocumentForm,
        lambda actor, case, given: ask_for_document(
            actor=actor, case=case, kind=DocumentKind(given["kind"]), text=given["text"]
        ),
        "Asked.",
    ),
    Act.TELL_PERSON: Page(
        "Tell the person",
        "Somebody asks in their name. Tell them directly, at an address that the record has: they"
        " see who asks and what, and say whether it is so. Nothing is handed out before.",
        "Tell them", dsar_forms.TellPersonForm,
        lambda actor, case, given: tell_the_person(actor=actor, case=case, **given),
        "Noted that the person was told.",
    ),
    Act.EXTEND: Page(
        "Extend the time", "Once, with the reasons, which the person reads.",
        "Extend", dsar_forms.TextForm,
        lambda actor, case, given: handling.extend_case(actor=actor, case=case, **given),
        "Extended, and the person is told.",
    ),
    Act.ANSWER: Page(
        "Answer", "The answer cannot be changed afterwards. The person is told that it is there.",
        "Give this answer", dsar_forms.AnswerForm,
        _answer,
        "Answered.",
    ),
    Act.HAND_OVER: Page(
        "Hand on to the provider",
        "The request moves to the other organisation's queue, with everything in it; you no longer"
        " see it. Its time runs on. The person is told where it is.",
        "Hand it on", dsar_forms.HandOverForm,
        lambda actor, case, given: hand_over_case(
            actor=actor, case=case, to=given["organisation"], text=given["text"]
        ),
        "Handed on.",
    ),
    Act.REBUT: Page(
        "Reply to the statement",
        "Once, and the person gets a copy. The statement and your reply go wherever the studies go"
        " (45 CFR 164.526(d)(3), (5)).",
        "Give this reply", dsar_forms.TextForm,
        lambda actor, case, given: rebut(actor=actor, case=case, **given), "Replied.",
    ),
    Act.CLOSE: Page(
        "Close", "The request is answered, and nothing is left to do.",
        "Close it", dsar_forms.NoForm,
        lambda actor, case, _: handling.close_case(actor=actor, case=case), "Closed.",
    ),
}  # fmt: skip


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def act(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """One act on one case; what cannot be done now is refused with the reason (409)."""
    found = get_object_or_404(cases_of(request.actor), number=number)
    page = PAGES.get(name)
    if page is None:
        raise Http404
    refusal = refusal_of(Act(name), standing_of(found), today_at(found.organisation))
    form = _form(request, found, page, name)
    if request.method == "POST" and not refusal and form.is_valid():
        try:
            given = form.cleaned_data
            if isinstance(form, dsar_forms.ScopeForm):
                given = {**given, "wanted": form.wanted()}
            if isinstance(form, dsar_forms.CorrectionAnswerForm):
                given = {**given, "values": form.values()}
            page.run(request.actor, found, given)
        except CaseRefused as refused:
            refusal = str(refused)
            form.add_error(None, refusal)
        else:
            messages.success(request, page.done)
            moved = name == Act.HAND_OVER
            return redirect("dsar:queue") if moved else redirect("dsar:case", number)
    context = {"case": found, "page": page, "form": form, "refusal": refusal}
    if name in {Act.ANSWER, Act.ASK_DETAIL} and not refusal:
        context["asked"] = OpenCase(found).written.text
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "dsar/act.html", context, status=status)


def _form(request: HttpRequest, case: Case, page: Page, name: str) -> forms.Form:
    initial: dict[str, Any] = {}
    if name == Act.ANSWER and case.kind == Kind.TRANSFER_SAFEGUARDS:
        pack = policy_or_none(case.organisation)
        initial["text"] = safeguards_text(pack.values) if pack else ""
    if name == Act.ANSWER and (erased := erased_of(case)) is not None:
        initial["text"] = letter_text(erased.lines, erased.certificate_number)
    more: dict[str, Any] = {"case": case, "initial": initial}
    kind = page.form
    if name == Act.ANSWER and Kind(case.kind) in DIRECTIVES_OF:
        kind = dsar_forms.DirectiveAnswerForm
        more["scope"] = scope_of_case(case)
    if name == Act.ANSWER and case.kind == Kind.CORRECTION:
        kind = dsar_forms.CorrectionAnswerForm
        more["before"], more["study_choices"] = correctable(case)
    form = kind(request.POST if request.method == "POST" else None, **more)
    if isinstance(form, dsar_forms.AssignForm):
        colleagues = colleagues_of(request.actor)
        form.fields["officer"].queryset = colleagues
        # Sorted here: the database cannot read the names.
        names = sorted(((one.pk, one.name) for one in colleagues), key=lambda one: one[1])
        form.fields["officer"].choices = names
        form.fields["officer"].initial = request.actor.user_id
    if isinstance(form, dsar_forms.HandOverForm):
        form.fields["organisation"].queryset = providers_for(case)
    return form
