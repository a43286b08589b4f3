"""Seal small values (a name, an identifier, a date) so that each can be stored in a column.

Layout: ``version 1 | nonce 12 | ciphertext | tag 16``: 29 bytes more than the value.
AES-256-GCM under a key that HKDF-Expand (SHA-512) derives from the data key, so that a data key
may seal streams and fields alike. The nonce is random: at most 2**32 values under one data key
(NIST SP 800-38D section 8.3). There is no key commitment here: a field is opened under the one
key that its row names, never by trying keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vault.rules.errors import Tampered, Truncated, UnknownVersion

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
OVERHEAD = len(VERSION) + NONCE_BYTES + 16
_INFO = b"collimate/sealed-field@v1"


class FieldSealer:
    """Seal and open the fields of one data key (32 bytes); make it once for many fields."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key is {KEY_BYTES} bytes")
        self._cipher = AESGCM(HKDFExpand(SHA512(), KEY_BYTES, _INFO).derive(key))

    def seal(self, value: bytes, context: bytes) -> bytes:
        """Seal a value for one place; ``context`` says which (table, row, column)."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, value, VERSION + context)

    def open(self, sealed: bytes | memoryview, context: bytes) -> bytes:
        """Return the value; raise ``Tampered`` if altered, moved, or of another key."""
        # PostgreSQL's driver gives views of characters, which equal no bytes.
        view = memoryview(sealed).cast("B")
        if view[:1] != VERSION:
            raise UnknownVersion("not a sealed field of a version known here")
        if len(view) < OVERHEAD:
            raise Truncated("too short for a sealed field")
        try:
            return self._cipher.decrypt(
                view[1 : 1 + NONCE_BYTES], view[1 + NONCE_BYTES :], VERSION + context
            )
        except InvalidTag:
            raise Tampered("the field failed authentication") from None

    def open_all(self, fields: Iterable[tuple[bytes | memoryview, bytes]]) -> list[bytes]:
        """Open many ``(sealed, context)`` pairs, in their order."""
        return [self.open(sealed, context) for sealed, context in fields]
