"""A plan for disasters: what it promises, and in what it is not kept now. Pure.

The recovery point is how much of the latest work may be lost at most, the recovery time how long
the portal may be away (ISO 22301; 45 CFR 164.308(a)(7)). A drill measures the one, and the age of
the last whole backup the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_HOURS = 24 * 14
MOST_DRILL_DAYS = 365
# Plans age: people leave, machines move.
WRITTEN_ANEW_WITHIN = timedelta(days=365)
REMINDED_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was written down; the interval of drills is the shorter of it and the portal's."""

    point: timedelta
    time: timedelta
    drill_every: timedelta
    written_at: datetime
    # Of those who lead: how many are still here.
    leading: int = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What the portal knows of its backups and drills."""

    backup_at: datetime | None
    drill_at: datetime | None
    drill_took: timedelta | None


def shortfalls(plan: Plan | None, seen: Seen, now: datetime) -> Iterator[str]:
    """Say in what the plan is not kept, a sentence each that says what to do; none: it is."""
    if plan is None:
        yield "There is no plan for disasters. An administrator writes one below."
        return
    if plan.leading < 2:
        yield "Not both of those who lead are here any more. Name others."
    if now - plan.written_at > WRITTEN_ANEW_WITHIN:
        yield "The plan is more than a year old. Read it again, and write it anew."
    if seen.backup_at is None:
        yield "There is no whole backup: all would be lost. Whoever operates the portal makes one."
    elif now - seen.backup_at > plan.point:
        yield (
            f"The last whole backup is of {seen.backup_at:%-d %B %Y, %H:%M} UTC, and the plan would"
            f" lose {hours_of(plan.point)} at most. Whoever operates the portal makes one."
        )
    if seen.drill_at is None:
        yield "No restore has been practised, so nobody knows whether the portal would come back."
    elif now - seen.drill_at > plan.drill_every:
        yield (
            f"The last drill that worked was on {seen.drill_at:%-d %B %Y}, more than"
            f" {plan.drill_every.days} days ago. Whoever operates the portal holds one."
        )
    if seen.drill_took is not None and seen.drill_took > plan.time:
        yield (
            f"The last drill took {hours_of(seen.drill_took)}, longer than the portal may be away"
            f" ({hours_of(plan.time)})."
        )


def hours_of(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 1:
        minutes = max(1, round(span.total_seconds() / 60))
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"


def refusal_to_write(*, owner: int, deputy: int) -> str:
    """Two people lead, or one who is ill takes the plan along."""
    return "Name somebody else as deputy: one of two is always there." if owner == deputy else ""
