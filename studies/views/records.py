"""The trail for officers and auditors, and for those whom the images are about."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import needs, signed_in
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from audit.rules.vocabulary import known_actions
from audit.selectors import (
    PositionRefused,
    events_for_subject,
    events_of_organisation,
    latest_checkpoint,
)
from consent.models import DataSubject
from consent.rules.identity import Identity
from consent.selectors import grants_of_subjects, identities, subjects_of_account
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from studies.selectors import sources_of, stored_files_of
from studies.timeline import Shown, lines_of

PER_PAGE = 100
MOST_OF_ONE = 200


@needs(Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.SECURITY, Category.TRAIL)
def trail(request: HttpRequest) -> HttpResponse:
    """Everything that was done in the organisation, the latest first."""
    action = request.GET.get("action", "")
    try:
        page = events_of_organisation(
            organisation_id=request.actor.organisation_id,
            action=action,
            after=request.GET.get("after", ""),
            limit=PER_PAGE,
        )
    except PositionRefused:
        raise BadRequest("This is not a page of the trail.") from None
    record(action="trail.read", actor=request.actor, details={"results": len(page.events)})
    return render(
        request,
        "studies/trail.html",
        {
            "lines": lines_of(page.events),
            "next": page.next,
            "action": action,
            "actions": known_actions(),
            "checkpoint": latest_checkpoint(),
        },
    )


@needs(Capability.SEE_TRAIL, Capability.MANAGE_CONFIGURATION)
@require_safe
@uses(Purpose.SECURITY, Category.IMAGES)
def integrity(request: HttpRequest) -> HttpResponse:
    """Which stored files are damaged, and when all of them were last read."""
    found = stored_files_of(request.actor.organisation_id)
    return render(request, "studies/integrity.html", {"found": found})


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.TRAIL, *CARE_DATA)
def my_record(request: HttpRequest) -> HttpResponse:
    """What a patient, or an animal's owner, sees: whom it was shown to, and what was done."""
    subjects = list(subjects_of_account(request.actor.user_id))
    names = identities(subjects)
    people = [_record_of(subject, names[subject.pk], request.actor) for subject in subjects]
    for subject in subjects:
        record(
            action="trail.read",
            actor=request.actor,
            organisation_id=subject.organisation_id,
            subject_id=subject.pk,
        )
    return render(request, "studies/my_record.html", {"people": people, "now": timezone.now()})


def _record_of(subject: DataSubject, identity: Identity, reader: Actor) -> dict[str, Any]:
    """One person's record for the page, with as much of others as the holder's policy tells."""
    shown = Shown(effective_pack(subject.organisation_id)["record.readers_shown"])
    events = events_for_subject(subject_id=subject.pk, limit=MOST_OF_ONE).events
    return {
        "subject": subject,
        "identity": identity,
        "studies": subject.studies.filter(instance_count__gt=0).count(),
        "lines": lines_of(events, shown=shown, reader_id=reader.user_id),
        "grants": grants_of_subjects([subject.pk]),
        "sources": sources_of(subject.studies.values_list("pk", flat=True)),
        "shown": shown.value,
    }
