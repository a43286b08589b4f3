"""What a change of policy does to shares (policies.rules.impact)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from consent.models import DataSubject, Grant
from consent.selectors import in_force
from policies.rules.impact import Impact, Values


def impact_on_shares(organisation_id: UUID, before: Values, after: Values) -> list[Impact]:
    live = Grant.objects.filter(in_force(timezone.now()), organisation_id=organisation_id)
    gone = [
        code
        for code, record in before["purposes"].items()
        if record["share"] and not _may_share(after, code)
    ]
    longest = timezone.now() + timedelta(days=after["consent.share_days_at_most"])
    younger = sorted(_shareable(after) - set(before["purposes"]))
    found = [
        Impact(
            live.filter(purpose__in=gone).count(),
            "shares in force would release nothing any more: their purpose is not listed.",
        ),
        Impact(
            live.filter(expires_at__gt=longest).count(),
            "shares in force last longer than the new limit; they stay as they were agreed.",
        ),
    ]
    if younger:
        found.append(
            Impact(
                DataSubject.objects.filter(organisation_id=organisation_id).count(),
                "patients or owners would have to consent anew before their earlier images are "
                f"shared for: {', '.join(younger)}.",
            )
        )
    return found


def _may_share(values: Values, code: str) -> bool:
    record: dict[str, Any] | None = values["purposes"].get(code)
    return record is not None and bool(record["share"])


def _shareable(values: Values) -> set[str]:
    return {code for code, record in values["purposes"].items() if record["share"]}
