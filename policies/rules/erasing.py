"""What an erasure does in each room: each says what goes, stays or changes, and then does it.

A room registers an `Eraser` from its `AppConfig.ready` (GDPR Art. 17, C32). What a room holds and
names in no eraser stays, and has to be named as staying: a plan that leaves something out is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from policies.rules.holdings import Whose


class Fate(StrEnum):
    GOES = "goes"
    CHANGES = "changes"
    STAYS = "stays"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def done_label(self) -> str:
        return {"goes": "Gone", "changes": "Changed", "stays": "Stays"}[self.value]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of thing and what becomes of it, in our words: no name is in it."""

    fate: Fate
    what: str
    number: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone already when the rooms take their turn: the studies of these subjects."""

    whose: Whose
    request_id: UUID
    study_uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Eraser:
    """A room's part. `carry_out` is safe to repeat."""

    code: str
    plan: Callable[[Whose], Iterable[Line]]
    carry_out: Callable[[Erased], None]


_erasers: dict[str, Eraser] = {}


# Says which erasures were carried out, so that a restore does not undo them.
Past = Callable[[], Iterable[Erased]]
_past: dict[str, Past] = {}


def register_past_erasures(room: str, past: Past) -> None:
    """Have this asked for what was erased; called from `AppConfig.ready`."""
    _past[room] = past


def past_erasures() -> Iterator[Erased]:
    return (one for past in _past.values() for one in past())


def register_eraser(eraser: Eraser) -> None:
    """Raises ValueError if another room has the code."""
    if _erasers.setdefault(eraser.code, eraser) != eraser:
        raise ValueError(f"two rooms erase under {eraser.code}")


def erasers() -> list[Eraser]:
    """Every registered eraser, by code."""
    return sorted(_erasers.values(), key=lambda one: one.code)
