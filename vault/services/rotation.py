"""Rotate keys: a new epoch or master key wraps anew what the old one wrapped; data stays put.

Every step is a short transaction, so a rotation may be killed at any point and run again: what
is left to do is what still names the old epoch or the old master key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from vault.gateways.master_key import current_master_key
from vault.models import DataKey, OrganisationKey
from vault.routers import KEYS
from vault.rules.errors import KeyUnknown
from vault.rules.key_wrap import data_key_context, organisation_key_context, wrap_key
from vault.services.data_keys import OrganisationId, unwrap_row
from vault.services.organisation_keys import (
    create_epoch,
    current_organisation_key,
    open_organisation_keys,
    unwrap_organisation_key,
)

BATCH = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rotation has come."""

    done: int
    total: int


def rotate_organisation_key(*, organisation_id: OrganisationId) -> int:
    """Start a new epoch and return it; data keys made from now on are wrapped under it.

    If an earlier rotation is unfinished, its epoch is returned and no other is started: run
    ``rewrap_data_keys`` to finish it. Raises ``KeyUnknown`` for an organisation without keys.
    """
    organisation = str(organisation_id)
    with transaction.atomic(using=KEYS):
        epochs = list(
            OrganisationKey.objects.select_for_update()
            .filter(organisation_id=organisation, destroyed_at__isnull=True)
            .order_by("epoch")
            .values_list("epoch", flat=True)
        )
        if not epochs:
            raise KeyUnknown(f"organisation {organisation} has no key to rotate")
        if len(epochs) > 1:
            return max(epochs)
        create_epoch(organisation_id=organisation, epoch=max(epochs) + 1)
        return max(epochs) + 1


def rewrap_data_keys(
    *, organisation_id: OrganisationId, batch: int = BATCH, budget: int | None = None
) -> Iterator[Progress]:
    """Re-wrap data keys under the newest epoch, a batch per transaction, reporting each.

    Old epochs are destroyed once nothing is wrapped under them. ``budget`` ends the run after so
    many batches; the next run goes on from there.
    """
    if batch < 1:
        raise ValueError("a batch holds at least one key")
    organisation = str(organisation_id)
    done, total, batches = 0, _behind(organisation).count(), 0
    yield Progress(done, total)
    while budget is None or batches < budget:
        moved = _rewrap_batch(organisation, batch)
        if moved == 0 and not _behind(organisation).exists():
            break
        batches += 1
        done += moved
        yield Progress(done, max(total, done))
    _destroy_empty_epochs(organisation)


def rotate_master_key(*, batch: int = BATCH) -> Iterator[Progress]:
    """Re-wrap organisation keys under the current master key, reporting each batch.

    The replaced master key must still be configured (``MASTER_KEY_PREVIOUS``) until this has
    ended; ``MasterKeyUnknown`` is raised otherwise, and nothing is lost.
    """
    if batch < 1:
        raise ValueError("a batch holds at least one key")
    done, total = 0, _under_older_master().count()
    yield Progress(done, total)
    while moved := _rewrap_organisation_keys(batch):
        done += moved
        yield Progress(done, max(total, done))


def _behind(organisation_id: str) -> QuerySet[DataKey]:
    newest = (
        OrganisationKey.objects.filter(organisation_id=organisation_id, destroyed_at__isnull=True)
        .order_by("-epoch")
        .values("epoch")[:1]
    )
    return DataKey.objects.filter(
        organisation_id=organisation_id, destroyed_at__isnull=True, epoch__lt=newest
    )


def _rewrap_batch(organisation_id: str, batch: int) -> int:
    with transaction.atomic(using=KEYS):
        newest = current_organisation_key(organisation_id=organisation_id)
        # Locked, so that a key destroyed meanwhile is not written back from this copy.
        rows = list(
            DataKey.objects.select_for_update()
            .filter(
                organisation_id=organisation_id,
                destroyed_at__isnull=True,
                epoch__lt=newest.epoch,
            )
            .order_by("epoch", "id")[:batch]
        )
        under = open_organisation_keys(epochs={(organisation_id, row.epoch) for row in rows})
        for row in rows:
            key = unwrap_row(row, under[organisation_id, row.epoch])
            row.epoch = newest.epoch
            context = data_key_context(organisation_id, row.id, row.kind, row.epoch)
            row.wrapped = wrap_key(key, under=newest.key, context=context)
        DataKey.objects.bulk_update(rows, ["epoch", "wrapped"], batch_size=100)
    return len(rows)


def _destroy_empty_epochs(organisation_id: str) -> None:
    """Destroy old epochs that wrap nothing any more (tombstones do not count)."""
    with transaction.atomic(using=KEYS):
        epochs = list(
            OrganisationKey.objects.select_for_update()
            .filter(organisation_id=organisation_id, destroyed_at__isnull=True)
            .order_by("epoch")
        )
        for row in epochs[:-1]:
            # Whoever wraps holds the lock on its epoch's row, so this count cannot go stale.
            in_use = DataKey.objects.filter(
                organisation_id=organisation_id, epoch=row.epoch, destroyed_at__isnull=True
            )
            if not in_use.exists():
                row.wrapped, row.destroyed_at = None, timezone.now()
                row.save(update_fields=["wrapped", "destroyed_at"])


def _under_older_master() -> QuerySet[OrganisationKey]:
    return OrganisationKey.objects.filter(destroyed_at__isnull=True).exclude(
        master_key_id=current_master_key().id
    )


def _rewrap_organisation_keys(batch: int) -> int:
    master = current_master_key()
    with transaction.atomic(using=KEYS):
        rows = list(_under_older_master().select_for_update().order_by("id")[:batch])
        for row in rows:
            context = organisation_key_context(row.organisation_id, row.epoch)
            row.wrapped = master.wrap(unwrap_organisation_key(row), context=context)
            row.master_key_id = master.id
        OrganisationKey.objects.bulk_update(rows, ["wrapped", "master_key_id"], batch_size=100)
    return len(rows)
