"""The copy that a person gets: for how long, and by which proof. Pure (C30)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from dsar.rules.identity import Level
from dsar.rules.kinds import Kind


class What(StrEnum):
    """What a copy holds."""

    EVERYTHING = "everything"
    CHOSEN = "chosen"
    CATEGORIES = "categories"


WHAT_LABELS: Final = {
    What.EVERYTHING: "Everything that is held",
    What.CHOSEN: "Only what was chosen",
    What.CATEGORIES: "Which kinds of data there are, without the data",
}
# How sure it must be who asks: more for the data themselves than for their kinds (11 CCR 7060
# to 7062).
ENOUGH_FOR: Final = {
    What.EVERYTHING: Level.HIGH,
    What.CHOSEN: Level.HIGH,
    What.CATEGORIES: Level.STANDARD,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be copied; `chosen`: paths of files, and of folders, which end in a slash."""

    what: What = What.EVERYTHING
    chosen: frozenset[str] = frozenset()


EVERYTHING: Final = Wanted()


def is_chosen(path: str, chosen: Collection[str]) -> bool:
    """Is a file among what was chosen, by itself or with its folder?"""
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in chosen)


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
