"""Before a request is late its officers are reminded; once it is, those above them are told."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from dsar.models import Case, RequestDraft
from dsar.rules.states import DUE_WITHIN, UNANSWERED
from dsar.selectors import people_accountable, people_working_on, today_at
from dsar.services.children import tell_of_late_children
from dsar.services.entries import write_event
from vault.services.data_keys import destroy_data_keys


def remind_of_cases() -> dict[str, int]:
    """Remind of what is due within a week, and tell of what is late; each once. Safe to repeat."""
    told: Counter[str] = Counter(late=tell_of_late_children())
    soon = timezone.now().date() + DUE_WITHIN + timedelta(days=1)
    for case in Case.objects.filter(
        state__in=UNANSWERED, escalated_at=None, answer_on__lte=soon
    ).select_related("organisation"):
        told[_tell(case, today_at(case.organisation))] += 1
    return {"due": told["due"], "late": told["late"]}


@transaction.atomic
def _tell(case: Case, today: date) -> str:
    row = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if row.state not in UNANSWERED:
        return ""
    now = timezone.now()
    if today > row.answer_on and row.escalated_at is None:
        row.escalated_at = now
        row.save(update_fields=["escalated_at"])
        write_event("request.escalated", row, actor=system_ref())
        people = people_accountable(row.organisation_id)
        notify(users=people, template="request-late", target_id=row.number)
        return "late"
    if row.reminded_at is None and row.answer_on - today <= DUE_WITHIN:
        row.reminded_at = now
        row.save(update_fields=["reminded_at"])
        notify(users=people_working_on(row), template="request-due", target_id=row.number)
        return "due"
    return ""


def end_drafts() -> int:
    """Let no link that was mailed before confirm a request any more: after a restore it could
    have been used already."""
    return RequestDraft.objects.filter(confirmed_at=None).update(expires_at=timezone.now())


@transaction.atomic
def forget_drafts() -> int:
    """Delete requests that nobody confirmed, and the emptied rows; their keys are destroyed."""
    old = RequestDraft.objects.filter(expires_at__lte=timezone.now())
    keys = list(old.values_list("key_id", flat=True))
    if not keys:
        return 0
    number = old.filter(key_id__in=keys).delete()[0]
    transaction.on_commit(lambda: destroy_data_keys(ids=keys))
    record(action="request.lapsed", actor=system_ref(), details={"drafts": number})
    return number
