"""What is demanded, point by point; what is mapped to each point; and what is ticked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.permissions import hidden_unless
from accounts.rules import Capability
from disclosures.forms import AccountItemForm, FindForm, StudyItemForm, WordsForm
from disclosures.models import Disclosure
from disclosures.rules.parts import Part
from disclosures.rules.standing import refusal_to_change
from disclosures.sealing import OpenDisclosure
from disclosures.selectors import items_of, opened, standing_of, studies_to_disclose
from disclosures.services.entries import DisclosureRefused
from disclosures.services.scoping import (
    Named,
    add_clause,
    choose_items,
    described,
    explain_item,
    find_studies,
    map_item,
)
from disclosures.views.pages import Sheet, case_of, done_at, shown_or_done
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.models import Series

officers = hidden_unless(Capability.DISCLOSE_UNDER_LAW)
_DATA = (*CARE_DATA, Category.REQUESTS, Category.ACCOUNT)
_SCOPE = "disclosures:scope"


def clauses_shown(row: Disclosure, case: OpenDisclosure) -> list[dict[str, Any]]:
    """Each clause with the items that are mapped to it, in words."""
    items: dict[int, list[dict[str, Any]]] = {}
    for one in items_of(row):
        items.setdefault(one.clause_id, []).append(
            {"item": one, "label": case.label(one), "reason": case.reason(one)}
        )
    return [
        {"clause": one, "text": case.clause(one), "items": items.get(one.pk, [])}
        for one in row.clauses.order_by("number")
    ]


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def scope(request: HttpRequest, number: int) -> HttpResponse:
    """Everything about the scope; a POST ticks exactly the items that it names."""
    row = case_of(request, number)
    if request.method == "POST":
        return _choose(request, row)
    form = FindForm(request.GET if "name" in request.GET else None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = find_studies(actor=request.actor, disclosure=row, **wanted) if wanted else []
    case = opened([row])[row.pk]
    context = {
        "disclosure": row, "clauses": clauses_shown(row, case), "form": form, "found": found,
        "looked": bool(wanted), "refusal": refusal_to_change(standing_of(row)),
        "clause_form": _clause_form(None),
    }  # fmt: skip
    return render(request, "disclosures/scope.html", context)


def _choose(request: HttpRequest, row: Disclosure) -> HttpResponse:
    try:
        numbers = [int(one) for one in request.POST.getlist("item")]
        chosen = choose_items(actor=request.actor, disclosure=row, numbers=numbers)
    except DisclosureRefused as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, "Tick items of the list.")
    else:
        messages.success(request, f"{chosen} item{'' if chosen == 1 else 's'} ticked.")
    return done_at(row, _SCOPE)


def _clause_form(data: Any) -> WordsForm:
    return WordsForm(
        data, label="One clause of the demand", help_text="In its own words, one at a time.",
        auto_id="clause_%s",
    )  # fmt: skip


@officers
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def clause(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    form = _clause_form(request.POST)
    try:
        text = form.cleaned_data["text"] if form.is_valid() else ""
        add_clause(actor=request.actor, disclosure=row, text=text)
    except DisclosureRefused as refusal:
        messages.error(request, str(refusal))
    return done_at(row, _SCOPE)


def _choices(row: Disclosure) -> list[tuple[str, str]]:
    case = opened([row])[row.pk]
    return [(str(one.number), f"{one.number}. {case.clause(one)}")
            for one in row.clauses.order_by("number")]  # fmt: skip


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def study_item(request: HttpRequest, number: int, uid: str) -> HttpResponse:
    row = case_of(request, number)
    study = studies_to_disclose(row.organisation_id).filter(uid=uid).first()
    if study is None:
        raise Http404
    series = [(one.uid, _words_of(one)) for one in study.series.order_by("number", "pk")]
    form = StudyItemForm(request.POST or None, clauses=_choices(row), series=series)

    def put() -> None:
        data = form.cleaned_data
        _map(request, row, form, Named(
            study_uid=uid, series_uid="" if data["series"] == "whole" else data["series"],
            without_person=data["without_person"],
        ))  # fmt: skip

    ((_, title, _),) = described([study])
    sheet = Sheet(
        "Map it to a clause",
        f"{title}. Nothing is given out by this: it is ticked on the list.",
        "Put it on the list", back=_SCOPE,
    )  # fmt: skip
    return shown_or_done(request, row, form, sheet, put)


def _words_of(series: Series) -> str:
    number = "" if series.number is None else f" {series.number}"
    objects = f"{series.instance_count} object{'' if series.instance_count == 1 else 's'}"
    return f"Series{number} alone: {series.modality}, {objects}"


def _map(request: HttpRequest, row: Disclosure, form: Any, named: Named) -> None:
    map_item(
        actor=request.actor, disclosure=row, clause_number=form.clause_number, named=named,
        reason=form.cleaned_data["reason"],
    )  # fmt: skip


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def account_item(request: HttpRequest, number: int) -> HttpResponse:
    row = case_of(request, number)
    form = AccountItemForm(request.POST or None, clauses=_choices(row))

    def put() -> None:
        user = _account(row, form.cleaned_data["email"])
        if user is None:
            raise DisclosureRefused("The organisation has no account with this address.")
        _map(request, row, form, Named(account=user, part=Part(form.cleaned_data["part"])))

    sheet = Sheet(
        "Data of an account", "Of somebody who works here, or whose record is here.",
        "Put it on the list", back=_SCOPE,
    )  # fmt: skip
    return shown_or_done(request, row, form, sheet, put)


def _account(row: Disclosure, email: str) -> User | None:
    """An account that the organisation has to do with: of its own, or of a patient or owner."""
    user = User.objects.with_email(email).first()
    if user is None:
        return None
    here = row.organisation_id
    is_ours = user.memberships.filter(organisation_id=here).exists()
    is_known = user.subjects.filter(subject__organisation_id=here).exists()
    return user if is_ours or is_known else None


@officers
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, *_DATA)
def explain(request: HttpRequest, number: int, item: int) -> HttpResponse:
    row = case_of(request, number)
    found = row.items.filter(number=item).first()
    if found is None:
        raise Http404
    case = opened([row])[row.pk]
    form = WordsForm(
        request.POST or None, initial={"text": case.reason(found)},
        label="Why it is needed for what the clause demands",
    )  # fmt: skip
    sheet = Sheet(f"Item {item}", case.label(found), "Write it down", back=_SCOPE)
    return shown_or_done(
        request, row, form, sheet,
        lambda: explain_item(
            actor=request.actor, disclosure=row, number=item, reason=form.cleaned_data["text"]
        ),
    )  # fmt: skip
