"""What a key of a pack is: its place, its kind of value, what it means and does, its floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policies.rules.kinds import Kind


@dataclass(frozen=True, slots=True)
class Floor:
    """The weakest value that the platform runs under, and why; `broken` says what is below it."""

    words: str
    reason: str
    broken: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Key:
    path: str
    kind: Kind
    label: str
    meaning: str
    effect: str
    clauses: tuple[str, ...]
    floor: Floor | None = None
    optional: bool = False
    # A change of it reaches people or their data, so it is announced (never a typing error's).
    material: bool = True

    @property
    def section(self) -> str:
        return self.path.partition(".")[0]


def at_least(kind: Kind, weakest: Any, reason: str) -> Floor:
    """Let nothing pass that is weaker than `weakest`, by the kind's own order."""
    limit = kind.check(weakest)
    return Floor(
        words=kind.words(limit),
        reason=reason,
        broken=lambda value: kind.join(value, limit) != value,
    )
