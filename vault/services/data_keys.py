"""Make, open and destroy data keys: one per study, subject, upload, grant or set of metadata.

Data keys are never kept beyond a call, so that a key destroyed by one process is gone for all.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from vault.models import DataKey
from vault.routers import KEYS
from vault.rules.archive import may_be_opened
from vault.rules.blind_index import index_key
from vault.rules.errors import KeyArchived, KeyDestroyed, KeyUnknown
from vault.rules.key_wrap import data_key_context, new_key, unwrap_key, wrap_key
from vault.services.organisation_keys import (
    OpenedOrganisationKey,
    current_organisation_key,
    open_organisation_keys,
)

INDEX = "index"
OrganisationId = uuid.UUID | int | str
# SQLite takes at most 32,766 values in one statement.
_IDS_PER_QUERY = 10_000


@dataclass(frozen=True, slots=True)
class OpenedDataKey:
    """A data key in the clear: seal with ``key`` (32 bytes), keep only ``id``."""

    id: uuid.UUID
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Destruction:
    """What became of the keys that were to be destroyed."""

    destroyed: frozenset[uuid.UUID]
    already: frozenset[uuid.UUID]
    unknown: frozenset[uuid.UUID]


def create_data_key(*, organisation_id: OrganisationId, kind: str) -> OpenedDataKey:
    """Make one data key and store it wrapped."""
    return create_data_keys(organisation_id=organisation_id, kind=kind, count=1)[0]


def create_data_keys(
    *, organisation_id: OrganisationId, kind: str, count: int
) -> list[OpenedDataKey]:
    """Make several data keys and store them wrapped, in one transaction.

    The key database has its own transaction: if the caller's is rolled back, the keys stay and
    open nothing (``selectors.data_keys_made_before`` finds them for a sweep).
    """
    opened = [OpenedDataKey(uuid.uuid4(), new_key()) for _ in range(count)]
    with transaction.atomic(using=KEYS):
        organisation = current_organisation_key(organisation_id=str(organisation_id))
        rows = [_wrapped_row(item, kind, organisation) for item in opened]
        DataKey.objects.bulk_create(rows, batch_size=1000)
    return opened


def open_data_keys(*, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """Give the keys (32 bytes each) of many identities, with one query for 10,000 of them.

    Raises ``KeyDestroyed`` if any was destroyed, ``KeyUnknown`` if any was never stored, and
    ``KeyArchived`` for one of the legal archive that was not asked for: all are opened or none is.
    """
    wanted = set(ids)
    rows = [row for batch in _batches(wanted) for row in _rows_of(batch)]
    if len(rows) < len(wanted):
        missing = min(wanted - {row.id for row in rows})
        raise KeyUnknown(f"no data key {missing} is stored")
    for row in rows:
        if row.wrapped is None:
            raise KeyDestroyed(f"data key {row.id} was destroyed at {row.destroyed_at}")
        if not may_be_opened(row.organisation_id, row.id):
            raise KeyArchived(f"data key {row.id} lies in the legal archive")
    epochs = {(row.organisation_id, row.epoch) for row in rows}
    under = open_organisation_keys(epochs=epochs)
    return {row.id: unwrap_row(row, under[row.organisation_id, row.epoch]) for row in rows}


def open_data_key(*, id: uuid.UUID) -> bytes:  # noqa: A002 - the word of the model
    """Give one key (32 bytes); raises as ``open_data_keys`` does."""
    return open_data_keys(ids=[id])[id]


def destroy_data_keys(*, ids: Iterable[uuid.UUID]) -> Destruction:
    """Empty the wraps of these keys for good, leaving tombstones; safe to repeat.

    Unknown identities are reported, not refused: a ledger replayed after a restore may name keys
    that the restored database never held.
    """
    wanted = frozenset(ids)
    destroyed: set[uuid.UUID] = set()
    already: set[uuid.UUID] = set()
    with transaction.atomic(using=KEYS):
        for batch in _batches(wanted):
            rows = DataKey.objects.select_for_update().filter(id__in=batch).order_by("id")
            found = dict(rows.values_list("id", "destroyed_at"))
            living = [key for key, destroyed_at in found.items() if destroyed_at is None]
            DataKey.objects.filter(id__in=living).update(wrapped=None, destroyed_at=timezone.now())
            destroyed.update(living)
            already.update(found.keys() - set(living))
    return Destruction(
        frozenset(destroyed), frozenset(already), wanted - frozenset(destroyed) - already
    )


def open_index_key(*, organisation_id: OrganisationId, field_name: str) -> bytes:
    """Give the blind index key of one field of one organisation, made on first use.

    It derives from an index root that rotation re-wraps but never changes, so that stored tokens
    stay valid.
    """
    organisation = str(organisation_id)
    root = _index_root(organisation)
    if root is None:
        try:
            with transaction.atomic(using=KEYS):
                root = create_data_key(organisation_id=organisation, kind=INDEX).key
        except IntegrityError:
            # Another process made it in between; the constraint allows only one.
            root = _index_root(organisation)
    if root is None:
        raise KeyUnknown(f"organisation {organisation} has no index root")
    return index_key(root, organisation, field_name)


def unwrap_row(row: DataKey, under: bytes) -> bytes:
    """Unwrap one row that was not destroyed."""
    if row.wrapped is None:
        raise KeyDestroyed(f"data key {row.id} was destroyed at {row.destroyed_at}")
    context = data_key_context(row.organisation_id, row.id, row.kind, row.epoch)
    return unwrap_key(bytes(row.wrapped), under=under, context=context)


def _wrapped_row(item: OpenedDataKey, kind: str, organisation: OpenedOrganisationKey) -> DataKey:
    context = data_key_context(organisation.organisation_id, item.id, kind, organisation.epoch)
    return DataKey(
        id=item.id,
        kind=kind,
        organisation_id=organisation.organisation_id,
        epoch=organisation.epoch,
        wrapped=wrap_key(item.key, under=organisation.key, context=context),
    )


def _index_root(organisation_id: str) -> bytes | None:
    row = DataKey.objects.filter(
        organisation_id=organisation_id, kind=INDEX, destroyed_at__isnull=True
    ).first()
    if row is None:
        return None
    epoch = (row.organisation_id, row.epoch)
    return unwrap_row(row, open_organisation_keys(epochs={epoch})[epoch])


_COLUMNS = ("id", "kind", "organisation_id", "epoch", "wrapped", "destroyed_at")
_ROWS_SQL = f"SELECT {', '.join(_COLUMNS)} FROM vault_datakey WHERE id IN (%s)"  # noqa: S608


def _rows_of(ids: Sequence[uuid.UUID]) -> Iterator[DataKey]:
    """Fetch rows by a statement that is not put together anew: every read of a study asks it."""
    connection = connections[KEYS]
    native = connection.features.has_native_uuid_field
    with connection.cursor() as cursor:
        cursor.execute(
            _ROWS_SQL.replace("%s", ", ".join(["%s"] * len(ids))),
            list(ids) if native else [one.hex for one in ids],
        )
        for identity, *values in cursor.fetchall():
            known = identity if native else uuid.UUID(identity)
            yield DataKey.from_db(KEYS, _COLUMNS, [known, *values])


def _batches(ids: Collection[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    rest = iter(ids)
    while batch := list(islice(rest, _IDS_PER_QUERY)):
        yield batch
