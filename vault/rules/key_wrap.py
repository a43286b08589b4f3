"""Wrap one key under another: AES-256-GCM whose associated data says which key this is.

Layout: ``version 1 | nonce 12 | wrapped key 32 | tag 16`` (61 bytes). A wrap that is copied to
another row, organisation, kind or epoch does not open there.
"""

from __future__ import annotations

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.rules.contexts import bind
from vault.rules.errors import Tampered, UnknownVersion

KEY_BYTES = 32
WRAPPED_BYTES = 61
_VERSION = b"\x01"


def new_key() -> bytes:
    """Make 32 random bytes."""
    return os.urandom(KEY_BYTES)


def wrap_key(key: bytes, *, under: bytes, context: bytes) -> bytes:
    """Wrap a key of 32 bytes; 61 bytes come out."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes")
    nonce = os.urandom(12)
    return _VERSION + nonce + AESGCM(under).encrypt(nonce, key, _VERSION + context)


def unwrap_key(wrapped: bytes | memoryview, *, under: bytes, context: bytes) -> bytes:
    """Return the key; raise ``Tampered`` if the wrap was altered, moved, or is of another key."""
    view = memoryview(wrapped)
    if view[:1] != _VERSION or len(view) != WRAPPED_BYTES:
        raise UnknownVersion("not a wrapped key of a version known here")
    try:
        return AESGCM(under).decrypt(view[1:13], view[13:], _VERSION + context)
    except InvalidTag:
        raise Tampered("the wrapped key failed authentication") from None


def organisation_key_context(organisation_id: str, epoch: int) -> bytes:
    """Say which organisation key a wrap under the master key holds."""
    return bind("collimate/organisation-key@v1", organisation_id, epoch)


def data_key_context(organisation_id: str, key_id: UUID, kind: str, epoch: int) -> bytes:
    """Say which data key a wrap under an organisation key holds."""
    return bind("collimate/data-key@v1", organisation_id, key_id, kind, epoch)


def master_key_id(key: bytes) -> str:
    """Name a master key without revealing it: 16 hexadecimal digits of a domain-separated hash."""
    return hashlib.sha256(b"collimate/master-key-id@v1\x00" + key).hexdigest()[:16]
