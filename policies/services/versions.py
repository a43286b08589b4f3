"""Keep drafts, post and withdraw versions. Who may, and the events, are the callers' (accounts)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from policies.models import PolicyVersion
from policies.rules.comparison import is_material
from policies.rules.document import digest_of
from policies.rules.lint import require_publishable
from policies.rules.versions import Dates, NotAllowed, can_withdraw, check_effect, earliest_effect
from policies.selectors import draft_of, forget_policies, packs_held


@transaction.atomic
def store_draft(
    *,
    organisation_id: UUID,
    pack_code: str,
    values: Mapping[str, Any],
    drafted_by: int | None,
    reason: str = "",
) -> PolicyVersion:
    """Make or replace the organisation's one draft, from checked values."""
    draft = draft_of(organisation_id) or PolicyVersion(organisation_id=organisation_id)
    draft.pack_code, draft.values, draft.digest = pack_code, dict(values), digest_of(values)
    draft.drafted_by, draft.saved_at, draft.reason = drafted_by, timezone.now(), reason
    draft.save()
    return draft


@transaction.atomic
def post(*, draft: PolicyVersion, effective_at: datetime | None, posted_by: int | None) -> None:
    """Make a draft public and fix the moment it takes effect; None means: as soon as it may.

    Raises `PackInvalid` for what cannot be published and `NotAllowed` for the date. The notice
    period is the longer one of the policy in force and the draft.
    """
    row = PolicyVersion.objects.select_for_update().get(pk=draft.pk)
    if row.posted_at is not None:
        raise NotAllowed("This version was posted already. Make a new draft to change anything.")
    require_publishable(row.values)
    now = timezone.now()
    others = PolicyVersion.objects.filter(
        organisation_id=row.organisation_id, posted_at__isnull=False
    )
    held = packs_held(row.organisation_id, now)
    min_days = max(
        [row.values["notice.min_days"], *([held[-1]["notice.min_days"]] if held else [])]
    )
    row.posted_at, row.posted_by = now, posted_by
    row.effective_at = effective_at or earliest_effect(
        posted_at=now, min_days=min_days, is_first=not held
    )
    check_effect(posted_at=now, effective_at=row.effective_at, min_days=min_days, is_first=not held)
    _refuse_crossing(row, others)
    row.revision = (others.aggregate(last=Max("revision"))["last"] or 0) + 1
    row.is_material = not held or is_material(held[-1].values, row.values)
    row.digest = digest_of(row.values)
    row.save()
    draft.refresh_from_db()
    forget_policies()
    transaction.on_commit(forget_policies)


def _refuse_crossing(row: PolicyVersion, others: Any) -> None:
    """A version posted later must not take effect before one that was announced earlier."""
    waiting = (
        others.filter(withdrawn_at=None, effective_at__gt=row.posted_at)
        .order_by("-effective_at")
        .first()
    )
    if waiting and row.effective_at <= waiting.effective_at:
        raise NotAllowed(
            f"Revision {waiting.revision} is announced for {waiting.effective_at:%Y-%m-%d %H:%M} "
            "UTC. Withdraw it first, or choose a later date."
        )


@transaction.atomic
def withdraw(*, version: PolicyVersion, withdrawn_by: int | None) -> None:
    """Take back a posted version that has not held yet. Raises `NotAllowed`."""
    row = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    now = timezone.now()
    dates = Dates(row.revision or 0, row.posted_at, row.effective_at, row.withdrawn_at)
    if not can_withdraw(dates, now):
        raise NotAllowed("Only a posted version that is not about to hold can be withdrawn.")
    row.withdrawn_at, row.withdrawn_by = now, withdrawn_by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    version.refresh_from_db()
    forget_policies()
    transaction.on_commit(forget_policies)


@transaction.atomic
def discard_draft(*, organisation_id: UUID) -> None:
    PolicyVersion.objects.filter(organisation_id=organisation_id, posted_at=None).delete()
