"""The copy that a person gets: for how long, and by which proof. Pure (C30)."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from dsar.rules.kinds import Kind

# Whom a copy is made for: who asks to know, to have or to take along what is held.
WITH_COPY: Final = frozenset({
    Kind.ACCESS, Kind.COPY, Kind.PORTABILITY, Kind.ACCOUNTING, Kind.AUDIT_LOG,
})  # fmt: skip
# How long it can be fetched after it was made; then it is deleted with its key.
LASTS: Final = timedelta(days=30)
TRIES: Final = 5
# No letter that is taken for another when it is read out on the telephone (Crockford's base 32).
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """A code of 60 bits, in three groups, as it is read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def digest_of_code(code: str) -> str:
    """The hash of a code, however it was typed."""
    plain = code.upper().translate(str.maketrans("OIL", "011"))
    return sha256("".join(one for one in plain if one in _LETTERS).encode()).hexdigest()


def is_code(code: str, digest: str) -> bool:
    return bool(digest) and hmac.compare_digest(digest_of_code(code), digest)
