"""Move data keys into the archive of their organisation: wrapped anew, under a key of its own."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from vault.models import DataKey
from vault.routers import KEYS
from vault.rules.archive import archive_of
from vault.rules.key_wrap import data_key_context, wrap_key
from vault.services.data_keys import OrganisationId, unwrap_row
from vault.services.organisation_keys import current_organisation_key, open_organisation_keys

_TOGETHER = 500


def move_into_archive(*, organisation_id: OrganisationId, ids: Collection[UUID]) -> int:
    """Wrap these keys under the archive's key, so that nothing ordinary opens them any more.

    What is there already, destroyed or another organisation's is left as it is. Returns how many
    were moved. Safe to repeat; identities stay what they were, so ledgers go on naming them.
    """
    wanted = sorted(set(ids))
    return sum(
        _move(str(organisation_id), wanted[at : at + _TOGETHER])
        for at in range(0, len(wanted), _TOGETHER)
    )


def _move(organisation_id: str, ids: Collection[UUID]) -> int:
    with transaction.atomic(using=KEYS):
        archive = current_organisation_key(organisation_id=archive_of(organisation_id))
        # Locked, so that a key destroyed meanwhile is not written back from this copy.
        rows = list(
            DataKey.objects.select_for_update()
            .filter(id__in=ids, organisation_id=organisation_id, destroyed_at__isnull=True)
            .order_by("id")
        )
        under = open_organisation_keys(epochs={(organisation_id, row.epoch) for row in rows})
        for row in rows:
            key = unwrap_row(row, under[organisation_id, row.epoch])
            row.organisation_id, row.epoch = archive.organisation_id, archive.epoch
            context = data_key_context(row.organisation_id, row.id, row.kind, row.epoch)
            row.wrapped = wrap_key(key, under=archive.key, context=context)
        DataKey.objects.bulk_update(rows, ["organisation_id", "epoch", "wrapped"], batch_size=100)
    return len(rows)
