"""What a draft would change for what is there now. Each app says so of what it holds.

An impact is a sentence with a count, so that an administrator sees before posting what no list of
keys tells: how many shares end, whom sign-in asks for more, whose data is deleted earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Impact:
    """`count` things are touched; `sentence` says which and how, and goes on after the number."""

    count: int
    sentence: str


Look = Callable[[UUID, Values, Values], list[Impact]]
_looks: dict[str, Look] = {}


def register_impact(name: str, look: Look) -> None:
    """Register what an app tells of a change; called from its `AppConfig.ready`."""
    _looks[name] = look


def impacts_of(organisation_id: UUID, before: Values, after: Values) -> list[Impact]:
    """Ask every app; only what is touched is told."""
    found = [impact for look in _looks.values() for impact in look(organisation_id, before, after)]
    return [impact for impact in found if impact.count]
