"""Open organisation keys; they are few, so a process keeps the ones it has opened for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from vault.gateways.master_key import current_master_key, master_key_named
from vault.models import OrganisationKey
from vault.routers import KEYS
from vault.rules.errors import KeyDestroyed, KeyUnknown
from vault.rules.key_wrap import new_key, organisation_key_context

# How long a destroyed organisation key may still be known to a process that had opened it.
KEPT_SECONDS = 300.0

_opened: dict[tuple[str, int], tuple[float, bytes]] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class OpenedOrganisationKey:
    """One epoch of an organisation's key, open."""

    organisation_id: str
    epoch: int
    key: bytes = field(repr=False)


def open_organisation_key(*, organisation_id: str, epoch: int) -> bytes:
    """Give the key of one epoch; raise ``KeyUnknown`` or ``KeyDestroyed``."""
    return open_organisation_keys(epochs={(organisation_id, epoch)})[organisation_id, epoch]


def open_organisation_keys(*, epochs: set[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
    """Give the keys of several epochs, with one query for those not opened lately."""
    known = {name: key for name in epochs if (key := _kept(name)) is not None}
    missing = epochs - known.keys()
    if missing:
        rows = OrganisationKey.objects.filter(
            organisation_id__in={organisation for organisation, _ in missing}
        )
        by_name = {(row.organisation_id, row.epoch): row for row in rows}
        for name in missing:
            if name not in by_name:
                raise KeyUnknown(f"organisation {name[0]} has no key of epoch {name[1]}")
            known[name] = unwrap_organisation_key(by_name[name])
    return known


def unwrap_organisation_key(row: OrganisationKey) -> bytes:
    """Unwrap a row and keep what it holds; raise ``KeyDestroyed`` if it is empty."""
    if row.wrapped is None:
        raise KeyDestroyed(f"the key of {row} was destroyed")
    kept = _kept((row.organisation_id, row.epoch))
    if kept is not None:
        return kept
    context = organisation_key_context(row.organisation_id, row.epoch)
    key = master_key_named(row.master_key_id).unwrap(bytes(row.wrapped), context=context)
    with _lock:
        _opened[row.organisation_id, row.epoch] = (time.monotonic() + KEPT_SECONDS, key)
    return key


def current_organisation_key(*, organisation_id: str) -> OpenedOrganisationKey:
    """Give the newest epoch, made if there is none; hold it until the transaction ends.

    Call it inside a transaction on the key database: the rows stay locked, so that the epoch
    cannot be destroyed between this answer and the wrap that is made with it.
    """
    for _ in range(3):
        rows = list(
            OrganisationKey.objects.select_for_update()
            .filter(organisation_id=organisation_id)
            .order_by("epoch")
        )
        if rows and rows[-1].destroyed_at is None:
            key = unwrap_organisation_key(rows[-1])
            return OpenedOrganisationKey(organisation_id, rows[-1].epoch, key)
        # The number after the last one *seen*: if another made it meanwhile, look again.
        create_epoch(organisation_id=organisation_id, epoch=rows[-1].epoch + 1 if rows else 1)
    raise KeyUnknown(f"organisation {organisation_id} has no key")


def create_epoch(*, organisation_id: str, epoch: int) -> bool:
    """Store a fresh organisation key as this epoch; tell whether no other was quicker."""
    master = current_master_key()
    context = organisation_key_context(organisation_id, epoch)
    row = OrganisationKey(
        organisation_id=organisation_id,
        epoch=epoch,
        wrapped=master.wrap(new_key(), context=context),
        master_key_id=master.id,
        created_at=timezone.now(),
    )
    try:
        with transaction.atomic(using=KEYS):
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def forget_organisation_keys() -> None:
    """Drop every organisation key that this process has kept open."""
    with _lock:
        _opened.clear()


def _kept(name: tuple[str, int]) -> bytes | None:
    with _lock:
        until, key = _opened.get(name, (0.0, None))
    return key if time.monotonic() < until else None
