"""Holds: the list, one of them, placing one, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs, needs_step_up
from accounts.rules import Actor, Capability, Role
from accounts.selectors import people_with
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from retention import forms as retention_forms
from retention.models import Hold
from retention.permissions import can_agree_to_lift, can_place_holds
from retention.rules.holds import Scope
from retention.selectors.holds import MOST_LISTED, facts_of_hold, holds_of, studies_covered
from retention.services import holds as services
from retention.services.refusals import RetentionRefused
from studies.models import Study

USUAL_REVIEW = timedelta(days=182)


@needs(Capability.PLACE_HOLDS, Capability.APPROVE_DISPOSAL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def holds(request: HttpRequest) -> HttpResponse:
    rows = holds_of(request.actor)
    context = {
        "in_force": rows.filter(lifted_at=None),
        "lifted": rows.exclude(lifted_at=None)[:MOST_LISTED],
        "may_place": request.actor.can(Capability.PLACE_HOLDS),
        "today": timezone.now().date(),
    }
    return render(request, "retention/holds.html", context)


@needs(Capability.PLACE_HOLDS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def hold_place(request: HttpRequest) -> HttpResponse:
    form = _place_form(request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            hold = services.place_hold(
                actor=request.actor, facts=form.facts_for(_subject_of(request, given["study"])),
                matter=given["matter"], reason=given["reason"], custodian=given["custodian"],
                review_on=given["review_on"],
            )  # fmt: skip
        except RetentionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{hold.name} holds from now on.")
            return redirect("retention:hold", hold.number)
    status = 422 if form.is_bound else 200
    return render(request, "retention/hold_place.html", {"form": form}, status=status)


def _place_form(request: HttpRequest) -> retention_forms.HoldForm:
    organisation_id = request.actor.organisation_id
    people = list(people_with([organisation_id], Role.OFFICER, Role.ADMINISTRATOR))
    initial = {
        "study": request.GET.get("study", ""),
        "scope": Scope.STUDY.value if "study" in request.GET else None,
        "custodian": request.actor.user_id,
        "review_on": timezone.now().date() + USUAL_REVIEW,
    }
    return retention_forms.HoldForm(request.POST or None, people=people, initial=initial)


def _subject_of(request: HttpRequest, uid: str) -> Any:
    named = Study.objects.filter(organisation_id=request.actor.organisation_id, uid=uid.strip())
    return named.values_list("subject_id", flat=True).first()


@needs(Capability.PLACE_HOLDS, Capability.APPROVE_DISPOSAL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def hold(request: HttpRequest, number: int) -> HttpResponse:
    """One hold, what it covers at this moment, and what can be done with it."""
    found = get_object_or_404(holds_of(request.actor), number=number)
    opened = services.note_looking_at_hold(actor=request.actor, hold=found)
    facts = facts_of_hold(found)
    covered = studies_covered(found.organisation_id, facts)
    context = {
        "hold": found,
        "opened": opened,
        "search": facts.search.words,
        "covered": covered[:MOST_LISTED],
        "count": covered.count(),
        "may_see_studies": request.actor.can(Capability.SEE_SUBJECTS),
        "acts": [
            (name, page) for name, page in PAGES.items() if page.offered(request.actor, found)
        ],
        "today": timezone.now().date(),
    }
    return render(request, "retention/hold.html", context)


# Acts --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Page:
    """The page of an act: its words, its form, and the service that it calls."""

    title: str
    sentence: str
    button: str
    form: type[forms.Form]
    run: Callable[[Actor, Hold, dict[str, Any]], object]
    done: str
    offered: Callable[[Actor, Hold], bool]
    proves: bool = False
    is_grave: bool = False


def _for_officer(actor: Actor, hold: Hold) -> bool:
    return hold.lifted_at is None and can_place_holds(actor, hold.organisation_id)


def _for_asker(actor: Actor, hold: Hold) -> bool:
    return _for_officer(actor, hold) and hold.lift_asked_by_id is None


def _for_second(actor: Actor, hold: Hold) -> bool:
    asked = hold.lifted_at is None and hold.lift_asked_by_id is not None
    return asked and can_agree_to_lift(actor, hold.organisation_id)


def _for_other(actor: Actor, hold: Hold) -> bool:
    return _for_second(actor, hold) and hold.lift_asked_by_id != actor.user_id


PAGES: dict[str, Page] = {
    "renew": Page(
        "Still needed", "Say on which day somebody looks again.", "It is still needed",
        retention_forms.ReviewForm,
        lambda actor, hold, given: services.renew_hold(actor=actor, hold=hold, **given),
        "Noted. It holds on.", _for_asker,
    ),
    "ask": Page(
        "Ask to lift it",
        "It holds until somebody else, an officer or an administrator, has agreed.",
        "Ask to lift it", retention_forms.LiftForm,
        lambda actor, hold, given: services.ask_to_lift(actor=actor, hold=hold, **given),
        "Asked. Somebody else has to agree.", _for_asker,
    ),
    "lift": Page(
        "Agree to lift it",
        "From then on it keeps nothing any more: what is due goes with the next disposal that two"
        " people approve. The hold itself stays on record.",
        "Lift the hold", retention_forms.NoForm,
        lambda actor, hold, _: services.lift_hold(actor=actor, hold=hold),
        "Lifted.", _for_other, proves=True, is_grave=True,
    ),
    "keep": Page(
        "Keep it", "The hold goes on as before; nobody asks for it to be lifted any more.",
        "Keep the hold", retention_forms.NoForm,
        lambda actor, hold, _: services.keep_hold(actor=actor, hold=hold),
        "It holds on.", _for_second,
    ),
}  # fmt: skip


@needs(Capability.PLACE_HOLDS, Capability.APPROVE_DISPOSAL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def hold_act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """One act on one hold; what cannot be done now is refused with the reason (409)."""
    found = get_object_or_404(holds_of(request.actor), number=number)
    page = PAGES.get(name)
    if page is None:
        raise Http404
    if page.proves and (detour := needs_step_up(request)):
        return detour
    form = page.form(request.POST if request.method == "POST" else None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            page.run(request.actor, found, form.cleaned_data)
        except RetentionRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, page.done)
            return redirect("retention:hold", number)
    context = {"hold": found, "page": page, "form": form, "refusal": refusal}
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "retention/hold_act.html", context, status=status)
