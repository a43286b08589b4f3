"""What else happens when an account is closed: each room above says it, and does its part. Pure.

`consent` closes accounts and knows no studies; whoever keeps some registers here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.rules import Actor


@dataclass(frozen=True, slots=True)
class Leaving:
    """Whose account is closed, by whom, when; at one organisation or (None) wherever it is."""

    user_id: int
    actor: Actor
    at: datetime
    organisation_id: UUID | None = None
    case_number: str = ""


# What will happen, in sentences for the page; and doing it, in the transaction that closes.
Tell = Callable[[int, UUID | None], list[str]]
Follow = Callable[[Leaving], int]
_followers: dict[str, tuple[Tell, Follow]] = {}


def follow_closing(room: str, tell: Tell, follow: Follow) -> None:
    """Have a room take part; called from `AppConfig.ready`."""
    _followers[room] = (tell, follow)


def follows_closing(room: str) -> bool:
    return room in _followers


def told_of_closing(user_id: int, organisation_id: UUID | None = None) -> tuple[str, ...]:
    return tuple(line for tell, _ in _followers.values() for line in tell(user_id, organisation_id))


def carry_out_closing(leaving: Leaving) -> int:
    """Let every room do its part; returns how many studies went out of sight."""
    return sum(follow(leaving) for _, follow in _followers.values())
