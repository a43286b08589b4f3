"""Keys that many small rows share, such as those of accounts, which belong to no organisation.

They hang under the platform's own key, which has epochs and is rotated as an organisation's is. A
process keeps what it has opened for as long as it keeps organisation keys: a page with hundreds of
names then costs no query, and these keys are destroyed with the platform only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

from vault.models import DataKey
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key, open_data_key, open_index_key
from vault.services.organisation_keys import KEPT_SECONDS

# Whose key it is where data belongs to no organisation.
PLATFORM = "platform"
Kept = TypeVar("Kept")

_kept: dict[tuple[str, str], tuple[float, object]] = {}
_lock = threading.Lock()


def shared_key_id(*, kind: str) -> UUID:
    """Name the key of a kind to seal with; it is made on first use.

    Two processes that make it at once make two, and both open what they sealed: each value names
    its key. From then on all take the older one.
    """
    return _keep(("id", kind), lambda: _oldest(kind) or _made(kind))


def sealer_of(key_id: UUID) -> FieldSealer:
    """Give the sealer of a shared key; raises as ``open_data_keys`` does."""
    return _keep(("sealer", str(key_id)), lambda: FieldSealer(open_data_key(id=key_id)))


def shared_index_key(*, field_name: str) -> bytes:
    """Give the platform's key of keyed hashes for one field."""
    return _keep(
        ("index", field_name),
        lambda: open_index_key(organisation_id=PLATFORM, field_name=field_name),
    )


def forget_shared_keys() -> None:
    """Drop every shared key that this process has kept open."""
    with _lock:
        _kept.clear()


def _oldest(kind: str) -> UUID | None:
    living = DataKey.objects.filter(
        organisation_id=PLATFORM, kind=kind, destroyed_at__isnull=True
    ).order_by("created_at", "id")
    return living.values_list("id", flat=True).first()


def _made(kind: str) -> UUID:
    return create_data_key(organisation_id=PLATFORM, kind=kind).id


def _keep(name: tuple[str, str], find: Callable[[], Kept]) -> Kept:
    with _lock:
        until, found = _kept.get(name, (0.0, None))
    if time.monotonic() < until:
        return cast("Kept", found)
    fresh = find()
    with _lock:
        _kept[name] = (time.monotonic() + KEPT_SECONDS, fresh)
    return fresh
