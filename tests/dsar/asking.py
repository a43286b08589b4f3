"""Makes requests by the services that the pages call."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django.core import mail
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor
from dsar.models import Case, RequestDraft
from dsar.rules.kinds import Kind
from dsar.rules.states import Door
from dsar.selectors import today_at
from dsar.services.entries import LETTER
from dsar.services.intake import (
    Asking,
    begin_request,
    confirm_request,
    record_request,
    submit_request,
)
from dsar.services.letters import CONFIRMING
from jobs.models import Job
from jobs.rules.states import State as JobState
from jobs.services import run_job
from tests.factories import Cast

NAME, EMAIL = "Greta Marker", "greta.marker@post.example"
FORM = "/requests/new/hospital/"
# What somebody fills into it.
WRITTEN = {
    "kind": "copy", "name": "Greta Marker", "email": "greta@post.example", "country": "",
    "state": "", "text": "The examination of my knee in spring.",
}  # fmt: skip
TEXT = "The examination of my knee in spring, please.\nMARKER-TEXT"


def asking(organisation: str = "hospital", **more: Any) -> Asking:
    facts: dict[str, Any] = {
        "organisation": Organisation.objects.get(slug=organisation),
        "kind": Kind.COPY,
        "residence": "",
        "name": NAME,
        "email": EMAIL,
        "text": TEXT,
    }
    return Asking(**(facts | more))


def here(cast: Cast) -> date:
    """Today at the hospital: for some hours of each day it is still yesterday there."""
    return today_at(cast.officer.memberships.get().organisation)


def by_form(organisation: str = "hospital", **more: Any) -> Case:
    """Somebody without an account wrote, and confirmed their address."""
    draft = begin_request(asking=asking(organisation, **more))
    return confirm_request(draft=RequestDraft.objects.get(pk=draft.pk))


def signed_in(actor: Actor, organisation: str = "hospital", **more: Any) -> Case:
    return submit_request(actor=actor, asking=asking(organisation, **more))


def written_down(
    actor: Actor,
    organisation: str = "hospital",
    *,
    door: Door = Door.POST,
    received_on: date | None = None,
    **more: Any,
) -> Case:
    return record_request(
        actor=actor,
        asking=asking(organisation, **more),
        door=door,
        received_on=received_on or timezone.now().date() - timedelta(days=1),
    )


def post() -> list[str]:
    """Send the letters that wait; give what they say."""
    before = len(mail.outbox)
    for job in Job.objects.filter(kind__in=[LETTER, CONFIRMING], state=JobState.WAITING):
        run_job(job_id=job.pk)
    return [str(letter.body) for letter in mail.outbox[before:]]


def path_in(letter: str) -> str:
    """The address within the portal that a letter leads to."""
    found = re.search(r"https?://[^/\s]+(/requests/\S+)", letter)
    assert found is not None, letter
    return found[1]
