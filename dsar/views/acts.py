"""What is done with one case: a page for each act, and the service that it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs
from accounts.rules import Actor, Capability
from dsar import forms as dsar_forms
from dsar.models import Case
from dsar.rules.directing import DIRECTIVES_OF, corrects, sets_directive
from dsar.rules.documents import DocumentKind
from dsar.rules.erasure import letter_text
from dsar.rules.kinds import Kind
from dsar.rules.safeguards import safeguards_text
from dsar.rules.states import Act, Outcome, refusal_of
from dsar.sealing import OpenCase
from dsar.selectors import (
    cases_of,
    colleagues_of,
    policy_or_none,
    providers_for,
    standing_of,
    today_at,
)
from dsar.services import handling
from dsar.services.charging import quote_fee
from dsar.services.correcting import grant_correction, rebut
from dsar.services.directing import grant_directive
from dsar.services.documents import ask_for_document
from dsar.services.entries import CaseRefused
from dsar.services.repeating import join_case
from dsar.services.representing import tell_the_person
from dsar.services.routing import hand_over_case
from dsar.views.case_pages import erased_of
from dsar.views.scopes import correctable, scope_of_case
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


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
    Act.JOIN: Page(
        "Join to the earlier request",
        "Both are answered as the earlier one, whose time runs on. What was written now goes along;"
        " how it was shown who asks is not carried over.",
        "Join them", dsar_forms.JoinForm,
        lambda actor, case, given: join_case(actor=actor, case=case, to=given["to"]), "Joined.",
    ),
    Act.QUOTE: Page(
        "Quote a fee",
        "What it costs and no more. Nothing is made before the person accepts; who does not can ask"
        " for less. Where a law makes it free, it stays free.",
        "Quote it", dsar_forms.QuoteForm,
        lambda actor, case, given: quote_fee(
            actor=actor, case=case, items=given["items"], currency=given["currency"],
            text=given["text"], excessive=given["excessive"],
        ),
        "Quoted, and the person is told.",
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
            if isinstance(form, dsar_forms.QuoteForm):
                given = {**given, "items": form.items()}
            if isinstance(form, dsar_forms.JoinForm):
                given = {**given, "to": form.found[given["earlier"]]}
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
