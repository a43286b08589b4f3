"""The personal values that events only commit to: sealed, each event's under a key of its own.

Salt and value are sealed together. A copy of the database that outlives an erasure, a backup say,
then holds neither the value nor the salt against which one could guess it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from audit.models import Event, EventCommitment
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key, open_data_key
from vault.services.shared_keys import PLATFORM

KIND = "commitment"
SALT_BYTES = 32


def commitment(salt: bytes, value: bytes) -> str:
    """Return what an event keeps of a personal value: SHA-256(salt || value), hexadecimal."""
    return sha256(salt + value).hexdigest()


def sealed_values(
    event: Event, private: Mapping[str, str]
) -> tuple[list[EventCommitment], dict[str, str]]:
    """Seal the personal values of an event; return the rows to store and the commitments."""
    key = create_data_key(organisation_id=event.organisation_id or PLATFORM, kind=KIND)
    sealer = FieldSealer(key.key)
    rows, commitments = [], {}
    for name, text in private.items():
        salt, value = secrets.token_bytes(SALT_BYTES), text.encode()
        commitments[name] = commitment(salt, value)
        sealed = sealer.seal(salt + value, _context(event.id, name))
        rows.append(EventCommitment(event_id=event.id, name=name, key_id=key.id, sealed=sealed))
    return rows, commitments


def opened_value(row: EventCommitment) -> tuple[bytes, bytes]:
    """Open salt and value.

    Raises `vault.rules.errors.KeyDestroyed` where it was erased, `SealError` where it was altered.
    """
    sealer = FieldSealer(open_data_key(id=row.key_id))
    opened = sealer.open(row.sealed, _context(row.event_id, row.name))
    return opened[:SALT_BYTES], opened[SALT_BYTES:]


def _context(event_id: UUID, name: str) -> bytes:
    return bind("collimate/commitment", event_id, name)
