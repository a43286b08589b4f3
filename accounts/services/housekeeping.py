"""Delete technical records that have had their time, as the register of them says (C37)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import EmailChange, Organisation, SignIn
from accounts.services.trail import record, system_ref
from accounts.services.usage import forget_old_use
from policies.rules.logs import FAILED_TRIES_KEPT, SIGN_INS_KEPT
from policies.selectors import packs_held


def _terms_of_organisations() -> list[tuple[UUID, int]]:
    """How many days each organisation's policy lets technical records last."""
    ids = Organisation.objects.values_list("pk", flat=True)
    return [(one, held[-1]["logs.keep_days"]) for one in ids if (held := packs_held(one))]


@transaction.atomic
def forget_technical_records() -> dict[str, int]:
    """Delete what is too old; returns and writes down how many of each. Safe to repeat."""
    now = timezone.now()
    # A browser that was closed without signing out has no end; its last sign of life counts.
    ended = SignIn.objects.annotate(last=Coalesce("ended_at", "seen_at"))
    gone = {
        "sign_ins": ended.filter(last__lt=now - SIGN_INS_KEPT).delete()[0]
        + sum(
            ended.filter(
                user__memberships__organisation_id=one, last__lt=now - timedelta(days=days)
            ).delete()[0]
            for one, days in _terms_of_organisations()
        ),
        "failed_tries": AccessAttempt.objects.filter(
            attempt_time__lt=now - FAILED_TRIES_KEPT
        ).delete()[0],
        "records_of_use": forget_old_use(now.date()),
        "changes_of_address": EmailChange.objects.filter(expires_at__lt=now).delete()[0],
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
    }
    if any(gone.values()):
        record(action="records.forgotten", actor=system_ref(), details=gone)
    return gone
