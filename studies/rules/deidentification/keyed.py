"""Replacements that are the same for one person in one project, and tell nothing without its key.

HMAC-SHA-256 under the project's key (RFC 2104): equal inputs give equal outputs across files and
runs; outputs of two projects cannot be matched, nor led back, without both keys. Each replacement
carries a check under the same key, by which the project knows its own again: cleaning what is
clean already changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32decode, b32encode
from typing import Final

KEY_BYTES: Final = 32
_CODE: Final = re.compile(r"[A-Z2-7]{24}")
_OWN_UID: Final = re.compile(r"2\.25\.(\d{1,39})")
_CHECK_BITS: Final = 50
# Dates go back by 1 to 10 years, whole weeks, so that a weekday stays one.
_WEEKS: Final = range(52, 521)


class Keyed:
    """The replacements of one project. `key` has 32 bytes, from a secure source, and is secret."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a project's key has {KEY_BYTES} bytes")
        self._key = key

    def _digest(self, kind: str, value: bytes) -> bytes:
        return hmac.digest(self._key, kind.encode() + b"\0" + value, hashlib.sha256)

    def code(self, kind: str, value: str) -> str:
        """A pseudonym of 24 letters and figures: 80 bits, and 40 by which it is known again."""
        first = self._digest(kind, value.encode())[:10]
        return b32encode(first + self._digest("check", first)[:5]).decode()

    def is_own_code(self, value: str) -> bool:
        if not _CODE.fullmatch(value):
            return False
        both = b32decode(value)
        return hmac.compare_digest(both[10:], self._digest("check", both[:10])[:5])

    def uid(self, value: str) -> str:
        """A UID under 2.25 (PS3.5 B.2) as of a UUID of version 8: 72 bits, and 50 to know it by."""
        first = self._digest("uid", value.encode())[:9]
        free = int.from_bytes(first, "big") << _CHECK_BITS | self._check_of(first)
        high, middle, low = free >> 74, free >> 62 & 0xFFF, free & (1 << 62) - 1
        return f"2.25.{high << 80 | 8 << 76 | middle << 64 | 2 << 62 | low}"

    def is_own_uid(self, value: str) -> bool:
        found = _OWN_UID.fullmatch(value)
        if found is None:
            return False
        number = int(found[1])
        if number >> 76 & 0xF != 8 or number >> 62 & 3 != 2 or number >> 128:
            return False
        free = (number >> 80) << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1
        first = (free >> _CHECK_BITS).to_bytes(9, "big")
        return free & (1 << _CHECK_BITS) - 1 == self._check_of(first)

    def _check_of(self, first: bytes) -> int:
        return int.from_bytes(self._digest("check", first)[:7], "big") & (1 << _CHECK_BITS) - 1

    def days(self, person: str) -> int:
        """By how many days the dates of a person are moved: always the same, and negative."""
        pick = int.from_bytes(self._digest("days", person.encode())[:8], "big")
        return -7 * _WEEKS[pick % len(_WEEKS)]
