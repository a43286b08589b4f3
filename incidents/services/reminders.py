"""Before somebody is told too late those who work on it are reminded; once it is late, all."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.selectors import those_who_answer
from accounts.services.notifications import notify
from accounts.services.trail import system_ref
from incidents.models import DutyMark, Incident
from incidents.rules.letters import LATE, SOON
from incidents.rules.states import REMIND_BEFORE, State
from incidents.selectors import Owed, people_working_on, pictures_of, today_at
from incidents.services.entries import note

REMIND_DAYS = timedelta(days=7)


def remind_of_incidents() -> dict[str, int]:
    """Remind of each duty once before it is late, and tell once that it is. Safe to repeat."""
    told: Counter[str] = Counter()
    rows = list(Incident.objects.exclude(state=State.CLOSED.value).select_related("organisation"))
    pictures = pictures_of(rows)
    for row in rows:
        for owed in pictures[row.pk].open:
            told[_tell(row, owed)] += 1
    return {"due": told["due"], "late": told["late"]}


def _is_soon(row: Incident, owed: Owed) -> bool:
    if owed.duty.moment is not None:
        return timezone.now() >= owed.duty.moment - REMIND_BEFORE
    return (
        owed.duty.due_on is not None
        and today_at(row.organisation) >= owed.duty.due_on - REMIND_DAYS
    )


@transaction.atomic
def _tell(row: Incident, owed: Owed) -> str:
    if not owed.is_late and not _is_soon(row, owed):
        return ""
    mark, _ = DutyMark.objects.select_for_update().get_or_create(incident=row, code=owed.duty.code)
    if mark.done_on is not None:
        return ""
    if owed.is_late:
        if mark.escalated_at is not None:
            return ""
        mark.escalated_at = timezone.now()
        mark.save(update_fields=["escalated_at"])
        note(row, "incident.escalated", by=system_ref(), code=owed.duty.code)
        notify(users=those_who_answer([row.organisation_id]), template=LATE, target_id=row.pk)
        return "late"
    if mark.reminded_at is not None:
        return ""
    mark.reminded_at = timezone.now()
    mark.save(update_fields=["reminded_at"])
    notify(users=people_working_on(row), template=SOON, target_id=row.pk)
    return "due"
