"""A request in somebody's name: the officer's decision, and what the person says to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs, public
from accounts.rules import Capability
from dsar.forms import AuthorityForm
from dsar.forms.agents import labelled
from dsar.models import Authority, Case
from dsar.rules.agents import DECIDES_WORDS, RELATIONS, AuthorityState, Fault, Relation
from dsar.rules.states import UNANSWERED, Act, refusal_of
from dsar.sealing import OpenCase
from dsar.selectors import READ_LINK_LASTS, cases_of, standing_of, today_at
from dsar.selectors.agents import authority_of, authority_of_token, decides_about
from dsar.services.entries import CaseRefused
from dsar.services.handling import note_reading
from dsar.services.representing import Decision, decide_authority, hear_the_person
from dsar.views.case_pages import case_context
from dsar.views.held import by_code
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def authority(request: HttpRequest, number: str) -> HttpResponse:
    """Decide whether somebody may ask for the person."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    found = authority_of(case)
    refusal = refusal_of(Act.AUTHORITY, standing_of(case), today_at(case.organisation))
    if found is None or refusal:
        return _page(request, case, found, None, refusal)
    found.case = case
    form = labelled(found, AuthorityForm(request.POST or None, case=case))
    if request.method == "POST" and form.is_valid():
        try:
            decide_authority(actor=request.actor, case=case, decision=_decision(form))
        except CaseRefused as refused:
            form.add_error(None, str(refused))
            return _page(request, case, found, form, str(refused))
        messages.success(request, "Noted.")
        return redirect("dsar:case", number)
    return _page(request, case, found, form, "")


def _decision(form: AuthorityForm) -> Decision:
    given = form.cleaned_data
    document = given["document"]
    return Decision(
        fault=Fault(given["decision"]) if given["decision"] else None,
        document_id=document.pk if document else None,
        answer_to_agent=given["answer_to"] == "agent", valid_until=given["valid_until"],
    )  # fmt: skip


def _page(
    request: HttpRequest, case: Case, found: Authority | None, form: AuthorityForm | None,
    refusal: str,
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {
        "case": case,
        "authority": found,
        "form": form,
        "refusal": refusal,
    }
    if found is not None:
        person = OpenCase(case).person_of(found)
        context |= {
            "person": person,
            "paper": RELATIONS[Relation(found.relation)].paper,
            "decides": DECIDES_WORDS[decides_about(case, person.age)] if person.age is not None
            else "",
        }  # fmt: skip
    status = 409 if refusal else 422 if form is not None and form.is_bound else 200
    return render(request, "dsar/authority.html", context, status=status)


# The person --------------------------------------------------------------------------------------
def _by_link(token: str) -> Authority | None:
    return authority_of_token(token, READ_LINK_LASTS)


@public
@never_cache
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def person(request: HttpRequest, token: str) -> HttpResponse:
    """What was asked in somebody's name: they say whether it is so, and read their answer."""
    found = _by_link(token)
    if found is None:
        return render(request, "dsar/link_ended.html", status=410)
    if request.method == "POST":
        try:
            hear_the_person(authority=found, agrees=request.POST.get("agrees") == "yes")
        except CaseRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Thank you. The organisation sees what you said.")
        return redirect("dsar:person", token)
    opened = note_reading(case=found.case)
    context = {
        "token": token, "authority": found, "agent": opened.written.name,
        "can_say": found.case.state in UNANSWERED and not found.fault
        and found.confirmed_at is None, "case": found.case,
    }  # fmt: skip
    if _is_theirs(found):
        context |= case_context(opened, for_person=True) | {"answered": True}
    return render(request, "dsar/person.html", context)


def _is_theirs(found: Authority) -> bool:
    """Is there an answer that goes to the person alone?"""
    return (
        found.case.answered_at is not None
        and found.state == AuthorityState.ACCEPTED
        and not found.answer_to_agent
    )


@public
@never_cache
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def person_copy(request: HttpRequest, token: str) -> HttpResponseBase:
    """The copy, for the person in whose name it was asked, by the code told another way."""
    found = _by_link(token)
    if found is None or not _is_theirs(found):
        return render(request, "dsar/link_ended.html", status=410)
    return by_code(request, found.case, token, by_person=True)
