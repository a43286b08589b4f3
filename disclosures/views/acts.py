"""A case is opened, its document taken in, signed, narrowed, and closed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import hidden_unless, needs_step_up, to_step_up
from accounts.rules import Capability
from disclosures.forms import DemandForm, NarrowForm, PaperForm, SignForm, WordsForm
from disclosures.rules.standing import SAID_LABELS, Said
from disclosures.selectors import grounds_of, opened, statements_of
from disclosures.services.entries import DisclosureRefused
from disclosures.services.opening import (
    close_case,
    narrow_case,
    open_case,
    sign_case,
    withhold_document,
)
from disclosures.services.papers import add_paper, open_paper, paper_name
from disclosures.views.pages import Sheet, case_of, done_at, shown_or_done, status_of
from dsar.views.held import strangers_file
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

officers = hidden_unless(Capability.DISCLOSE_UNDER_LAW)


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def new(request: HttpRequest) -> HttpResponse:
    grounds = grounds_of(request.actor.organisation_id)
    form = DemandForm(request.POST or None, grounds=grounds)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            row = open_case(actor=request.actor, demand=form.demand())
        except DisclosureRefused as refused:
            refusal = refused
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The case is open. Nothing is given out by it.")
            return done_at(row)
    status = status_of(refusal, form)
    return render(request, "disclosures/new.html", {"form": form}, status=status)


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def papers(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    form = PaperForm(request.POST or None, request.FILES or None)
    what = row.facts.document or "A document that belongs to it"
    sheet = Sheet(
        "Attach the document",
        f"{what}. It is looked into, sealed, and opened by officers alone.",
        "Attach it", has_file=True,
    )  # fmt: skip
    return shown_or_done(
        request, row, form, sheet,
        lambda: add_paper(
            actor=request.actor, disclosure=row, content=form.cleaned_data["file"].read()
        ),
        "The document is kept. Its validity has to be checked now.",
    )  # fmt: skip


@officers
@never_cache
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def paper(request: HttpRequest, number: int, pk: UUID) -> HttpResponse:
    row = case_of(request, number)
    found = get_object_or_404(row.papers.select_related("disclosure"), pk=pk)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    content = open_paper(actor=request.actor, paper=found)
    return strangers_file(content, found.file_type, paper_name(found))


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def sign(request: HttpRequest, number: int) -> HttpResponse:
    """Validity line by line, and the need in good faith; what is not so is refused (409)."""
    row = case_of(request, number)
    if detour := needs_step_up(request):
        return detour
    form = SignForm(request.POST or None, is_compelled=row.facts.is_compelled)
    sheet = Sheet(
        "Check and sign",
        "Your word stands in the case. Another person approves it before anything goes out.",
        "Sign",
    )
    return shown_or_done(
        request, row, form, sheet,
        lambda: sign_case(actor=request.actor, disclosure=row, **form.given()),
        "Signed, with your name and the time.",
    )  # fmt: skip


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def narrow(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    said, case = statements_of(row), opened([row])[row.pk]
    initial = {kind.value: case.statement(one) for kind, one in said.items()}
    form = NarrowForm(request.POST or None, initial=initial)
    sheet = Sheet(
        "Keep it narrow",
        "What was asked, and what was done to give out less. Nothing is released before.",
        "Write it down",
    )
    return shown_or_done(
        request, row, form, sheet,
        lambda: narrow_case(actor=request.actor, disclosure=row, **form.cleaned_data),
        "Written down.",
    )  # fmt: skip


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def withhold(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    there = statements_of(row).get(Said.WITHHELD)
    initial = {"text": opened([row])[row.pk].statement(there)} if there else {}
    form = WordsForm(
        request.POST or None, initial=initial, label=SAID_LABELS[Said.WITHHELD], required=False,
        help_text="The person reads it. Empty: they can save the document.",
    )  # fmt: skip
    sheet = Sheet(
        "The document, and the person",
        "Whoever is told of the demand can save the document, unless there is a reason that speaks"
        " against it.",
        "Note it", back="disclosures:notices",
    )  # fmt: skip
    return shown_or_done(
        request, row, form, sheet,
        lambda: withhold_document(
            actor=request.actor, disclosure=row, reason=form.cleaned_data["text"]
        ),
    )  # fmt: skip


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def close(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    form = WordsForm(
        request.POST or None, label=SAID_LABELS[Said.CLOSED],
        help_text="Given out as demanded, withdrawn, or objected to with success.",
    )  # fmt: skip
    sheet = Sheet("Close the case", "Nothing is given out of a closed case.", "Close it")
    return shown_or_done(
        request, row, form, sheet,
        lambda: close_case(actor=request.actor, disclosure=row, text=form.cleaned_data["text"]),
        "The case is closed.",
    )  # fmt: skip
