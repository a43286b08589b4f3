"""Papers of a request: an officer's list of them, the file itself, and what a person sends."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs, public, signed_in, to_step_up
from accounts.rules import Actor, Capability
from dsar.forms import DocumentForm
from dsar.models import Case, CaseDocument
from dsar.rules.clocks import local_day
from dsar.rules.documents import DocumentKind, term_of
from dsar.rules.laws import known_laws
from dsar.rules.states import UNANSWERED
from dsar.selectors import case_of_token, cases_of, own_cases
from dsar.selectors.papers import asked_documents, documents_of, policy_term
from dsar.services.documents import add_document, file_name, open_document, send_document
from dsar.services.entries import CaseRefused
from dsar.views.held import strangers_file
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Line:
    """A paper in the list, with how long it is kept."""

    document: CaseDocument
    kept: str


def _lines(case: Case) -> list[Line]:
    today = local_day(timezone.now(), case.organisation.country, case.organisation.state)
    laws, of_policy = known_laws(case.laws), policy_term(case.organisation_id)
    return [
        Line(one, term_of(DocumentKind(one.kind), today, laws, of_policy).why)
        for one in documents_of(case)
    ]


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def documents(request: HttpRequest, number: str) -> HttpResponse:
    """The papers of a request, and taking in one that came by post or by mail."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    form = DocumentForm(request.POST or None, request.FILES or None, kinds=DocumentKind)
    if request.method == "POST" and form.is_valid():
        try:
            add_document(actor=request.actor, case=case, **_given(form))
        except CaseRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(request, "The paper is kept.")
            return redirect("dsar:documents", number)
    context = {
        "case": case, "form": form, "lines": _lines(case),
        "asked": sorted(asked_documents(case)), "is_open": case.state in UNANSWERED,
    }  # fmt: skip
    return render(request, "dsar/documents.html", context, status=422 if form.is_bound else 200)


def _given(form: DocumentForm) -> dict[str, object]:
    given = form.cleaned_data
    return {"kind": DocumentKind(given["kind"]), "content": given["file"].read()}


@needs(Capability.ANSWER_REQUESTS)
@never_cache
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def document(request: HttpRequest, number: str, pk: UUID) -> HttpResponse:
    """The file itself, to be saved."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    found = get_object_or_404(documents_of(case), pk=pk)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    try:
        content = open_document(actor=request.actor, document=found)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("dsar:documents", number)
    return strangers_file(content, found.file_type, file_name(found))


# Sent by the person ------------------------------------------------------------------------------
@signed_in
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def own_document(request: HttpRequest, number: str) -> HttpResponse:
    case = get_object_or_404(own_cases(request.actor), number=number)
    _send(request, case, request.actor)
    return redirect("dsar:own_case", number)


@public
@never_cache
@require_POST
@uses(Purpose.RIGHTS, Category.REQUESTS)
def read_document(request: HttpRequest, token: str) -> HttpResponse:
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    _send(request, case, None)
    return redirect("dsar:read", token)


def _send(request: HttpRequest, case: Case, actor: Actor | None) -> None:
    form = DocumentForm(request.POST, request.FILES, kinds=asked_documents(case))
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, errors[0])
        return
    try:
        send_document(case=case, actor=actor, **_given(form))
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Your paper was received. Officers of the organisation see it.")
