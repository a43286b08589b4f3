"""Which agreements an organisation has, and whether its service agreement still holds."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import Agreement, AgreementNotice
from accounts.rules.agreements import AgreementKind, has_lapsed
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys

# As long as a policy is remembered: many requests, one question.
_KEPT_SECONDS = 30.0
_lapsed: dict[UUID, tuple[float, bool]] = {}


def agreement_context(agreement_id: UUID) -> bytes:
    return bind("collimate/agreement-contact", agreement_id)


def agreements_of(organisation_id: UUID) -> QuerySet[Agreement]:
    """All agreements, with what their parties were told, the latest first."""
    told = AgreementNotice.objects.order_by("-created_at")
    return (
        Agreement.objects.filter(organisation_id=organisation_id)
        .select_related("partner")
        .prefetch_related(Prefetch("notices", queryset=told))
        .order_by("-starts_on", "party")
    )


def agreements_in_force(organisation_id: UUID) -> list[Agreement]:
    today = timezone.localdate()
    rows = Agreement.objects.filter(organisation_id=organisation_id).order_by("pk")
    return [row for row in rows if row.term.holds(today)]


def buyers() -> QuerySet[Agreement]:
    """Agreements in force by which what goes to the partner counts as sale or sharing."""
    today = timezone.localdate()
    return Agreement.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=today), Q(ended_on=None) | Q(ended_on__gt=today),
        sale_or_share=True, partner__isnull=False, starts_on__lte=today,
    )  # fmt: skip


def contacts_of(agreements: Iterable[Agreement]) -> dict[UUID, str]:
    """Open the addresses of many agreements: one query for all their keys."""
    require_purpose(Category.PROFESSIONAL)
    rows = list(agreements)
    keys = open_data_keys(ids=[row.key_id for row in rows])
    return {
        row.pk: FieldSealer(keys[row.key_id])
        .open(row.sealed_contact, agreement_context(row.pk))
        .decode()
        for row in rows
    }


def service_agreement_lapsed(organisation_id: UUID) -> bool:
    """Has the organisation's service agreement ended, with none in its place? (AVMI-4.2)"""
    kept = _lapsed.get(organisation_id)
    if kept is not None and 0 <= time.monotonic() - kept[0] < _KEPT_SECONDS:
        return kept[1]
    rows = Agreement.objects.filter(
        organisation_id=organisation_id, kind=AgreementKind.SERVICE
    ).only("starts_on", "ends_on", "ended_on")
    lapsed = has_lapsed((row.term for row in rows), timezone.localdate())
    _lapsed[organisation_id] = (time.monotonic(), lapsed)
    return lapsed


def forget_agreements() -> None:
    """Read anew: after an agreement was recorded or ended in this process."""
    _lapsed.clear()
