"""What somebody said against a use of their data: seen, set and lifted by them, or for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Organisation
from accounts.permissions import needs, needs_step_up, signed_in
from accounts.rules import Actor, Capability
from consent.models import DataSubject, Directive
from consent.rules.directives import SOURCE_LABELS, DirectiveKind, Source, scope_words, unpacked
from consent.selectors import identities, subjects_directed_by, subjects_of_account
from consent.selectors.directives import directives_of, reason_of
from consent.services.directives import (
    DirectiveRefused,
    announce_lifting,
    lift_directive,
    set_directive,
)
from dsar.forms import LiftForm, OwnDirectiveForm
from dsar.rules.directing import SET_BY_PERSON
from dsar.selectors import cases_of
from dsar.views.scopes import scope_for
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Line:
    """A directive in words."""

    row: Directive
    scope: str
    how: str
    reason: str


def _lines(subject: DataSubject) -> list[Line]:
    rows = list(directives_of(subject.pk))
    wanted = {one for row in rows for one in unpacked(row.recipients)}
    names = {
        str(pk): name
        for pk, name in Organisation.objects.filter(pk__in=wanted).values_list("pk", "name")
    }
    return [
        Line(
            row,
            scope_words(
                DirectiveKind(row.kind), unpacked(row.purposes), unpacked(row.studies),
                [names.get(one, "an organisation") for one in unpacked(row.recipients)],
            ),
            SOURCE_LABELS[Source(row.source)],
            reason_of(row),
        )
        for row in rows
    ]  # fmt: skip


def _is_own(actor: Actor, subject: DataSubject) -> bool:
    return subjects_of_account(actor.user_id).filter(pk=subject.pk).exists()


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.CONSENT)
def directives(request: HttpRequest, pk: str) -> HttpResponse:
    """All of one person: what holds and what held; whoever it is about says more here."""
    subject = get_object_or_404(subjects_directed_by(request.actor), pk=pk)
    own = _is_own(request.actor, subject)
    form = _form(request, subject) if own else None
    if form is not None and form.is_bound and form.is_valid():
        try:
            set_directive(actor=request.actor, subject=subject, wanted=form.wanted())
        except DirectiveRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "It holds from this moment on.")
            return redirect("dsar:directives", subject.pk)
    lines = _lines(subject)
    context: dict[str, Any] = {
        "subject": subject,
        "identity": identities([subject])[subject.pk],
        "own": own,
        "in_force": [one for one in lines if one.row.lifted_at is None],
        "ended": [one for one in lines if one.row.lifted_at is not None],
        "form": form,
    }
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "dsar/directives.html", context, status=status)


def _form(request: HttpRequest, subject: DataSubject) -> OwnDirectiveForm:
    scope = scope_for(subject.organisation, [subject.pk], SET_BY_PERSON, treatment=False)
    return OwnDirectiveForm(request.POST if request.method == "POST" else None, scope=scope)


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, *CARE_DATA, Category.CONSENT)
def directive_lift(request: HttpRequest, pk: str) -> HttpResponse:
    """Lift one: what happens then stands on the page, and it takes a fresh proof."""
    row, subject = _found(request.actor, pk)
    if detour := needs_step_up(request):
        return detour
    own = _is_own(request.actor, subject)
    form = LiftForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        number = "" if own else form.cleaned_data["case_number"]
        if number and not cases_of(request.actor).filter(number=number).exists():
            form.add_error("case_number", "There is no such request to your organisation.")
        else:
            try:
                lift_directive(actor=request.actor, directive=row, case_number=number)
            except DirectiveRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Lifted.")
                return redirect("dsar:directives", subject.pk)
    context = {"row": row, "subject": subject, "own": own, "form": form, "now": timezone.now()}
    status = 422 if form.errors else 200
    return render(request, "dsar/directive_lift.html", context, status=status)


@needs(Capability.ANSWER_REQUESTS)
@require_POST
@uses(Purpose.RIGHTS, Category.CONSENT)
def directive_announce(request: HttpRequest, pk: str) -> HttpResponse:
    """Tell the person that a restriction will be lifted (GDPR Art. 18(3))."""
    row, _ = _found(request.actor, pk)
    try:
        announce_lifting(actor=request.actor, directive=row)
    except DirectiveRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "Told in the portal. Whoever has no account there needs a letter from you."
        )
    return redirect(reverse("dsar:directive_lift", args=[row.pk]))


def _found(actor: Actor, pk: str) -> tuple[Directive, DataSubject]:
    """A directive of somebody whose directives the actor may see; else it is not there."""
    row = get_object_or_404(Directive, pk=pk, subject_id__isnull=False)
    return row, get_object_or_404(subjects_directed_by(actor), pk=row.subject_id)
