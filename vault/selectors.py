"""Reads about keys: how many, how old, which were destroyed when. Never a key itself.

No person is asked for here: the caller's own selector has decided who may see what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min

from vault.models import DataKey, OrganisationKey


@dataclass(frozen=True, slots=True)
class KeyTombstone:
    """A destroyed key, as a certificate of destruction names it."""

    id: UUID
    kind: str
    created_at: datetime
    destroyed_at: datetime


@dataclass(frozen=True, slots=True)
class EpochUse:
    """How many data keys an epoch of an organisation's key wraps, and how old it is."""

    organisation_id: str
    epoch: int
    created_at: datetime
    destroyed_at: datetime | None
    keys: int
    oldest_key_at: datetime | None


def tombstones_of(ids: Iterable[UUID]) -> dict[UUID, KeyTombstone]:
    """Give the tombstones among these keys; a key that lives or never was is left out."""
    rows = DataKey.objects.filter(id__in=set(ids), destroyed_at__isnull=False)
    return {
        row.id: KeyTombstone(row.id, row.kind, row.created_at, row.destroyed_at)
        for row in rows
        if row.destroyed_at is not None
    }


def destroyed_keys() -> Iterator[UUID]:
    """Give every destroyed key, the first destroyed first: what a restore must not bring back."""
    rows = DataKey.objects.filter(destroyed_at__isnull=False).order_by("destroyed_at", "id")
    return rows.values_list("id", flat=True).iterator(chunk_size=2000)


def keys_outside_archive(organisation_id: UUID | int | str, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these living keys are wrapped under the ordinary key of their organisation."""
    rows = DataKey.objects.filter(
        id__in=set(ids), organisation_id=str(organisation_id), destroyed_at__isnull=True
    )
    return set(rows.values_list("id", flat=True))


def data_keys_made_before(moment: datetime, *, kind: str) -> Iterator[UUID]:
    """Give the living keys of a kind made before a moment, for a sweep of those nobody names."""
    rows = DataKey.objects.filter(kind=kind, created_at__lt=moment, destroyed_at__isnull=True)
    return rows.values_list("id", flat=True).iterator(chunk_size=2000)


def organisations_with_keys() -> list[str]:
    """Give the organisations that have a living key, in order."""
    rows = OrganisationKey.objects.filter(destroyed_at__isnull=True).order_by("organisation_id")
    return list(rows.values_list("organisation_id", flat=True).distinct())


def use_of_epochs(organisation_id: UUID | int | str) -> list[EpochUse]:
    """Give every epoch of an organisation with the living data keys under it."""
    counted = (
        DataKey.objects.filter(organisation_id=str(organisation_id), destroyed_at__isnull=True)
        .order_by()
        .values("epoch")
        .annotate(keys=Count("id"), oldest=Min("created_at"))
    )
    use = {row["epoch"]: (row["keys"], row["oldest"]) for row in counted}
    return [
        EpochUse(
            row.organisation_id,
            row.epoch,
            row.created_at,
            row.destroyed_at,
            *use.get(row.epoch, (0, None)),
        )
        for row in OrganisationKey.objects.filter(organisation_id=str(organisation_id))
    ]
