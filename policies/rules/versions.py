"""The life of a version: draft, posted, effective, superseded; or withdrawn before it held.

Posting is the moment people can first read it, and never changes afterwards. What is effective
follows from the dates alone, so nothing has to run at midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A version can be withdrawn until this long before it takes effect: processes that read the
# timeline a moment ago then still agree on what holds.
SETTLES = timedelta(minutes=1)


class State(StrEnum):
    DRAFT = "draft"
    POSTED = "posted"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    State.DRAFT: "draft",
    State.POSTED: "posted, not in force yet",
    State.EFFECTIVE: "in force",
    State.SUPERSEDED: "superseded",
    State.WITHDRAWN: "withdrawn",
}


class NotAllowed(ValueError):
    """One sentence that says why a version cannot take this step, and what to do."""


@dataclass(frozen=True, slots=True)
class Dates:
    """When a version was posted and takes effect; None while it is a draft."""

    revision: int
    posted_at: datetime | None
    effective_at: datetime | None
    withdrawn_at: datetime | None


def earliest_effect(*, posted_at: datetime, min_days: int, is_first: bool) -> datetime:
    """The first moment a version may hold (LIFEIMAGE-14.4: counted from first posting).

    A first version replaces nothing that people relied on, so it may hold at once.
    """
    return posted_at if is_first else posted_at + timedelta(days=min_days)


def check_effect(
    *, posted_at: datetime, effective_at: datetime, min_days: int, is_first: bool
) -> None:
    """Raise `NotAllowed` for a date in the past or within the notice period."""
    if effective_at < posted_at:
        raise NotAllowed("The effective date lies in the past. Choose one that is still to come.")
    earliest = earliest_effect(posted_at=posted_at, min_days=min_days, is_first=is_first)
    if effective_at < earliest:
        raise NotAllowed(
            f"The effective date lies within the notice period of {min_days} days, which begins "
            f"with posting. The earliest is {earliest:%Y-%m-%d %H:%M} UTC."
        )


def effective_among(versions: Sequence[Dates], at: datetime) -> Dates | None:
    """Return what is in force at a moment: of those that have taken effect, the latest."""
    held = [
        one
        for one in versions
        if one.effective_at is not None and one.withdrawn_at is None and one.effective_at <= at
    ]
    return max(held, key=lambda one: (one.effective_at, one.revision), default=None)


def state_of(version: Dates, versions: Sequence[Dates], at: datetime) -> State:
    if version.withdrawn_at is not None:
        return State.WITHDRAWN
    if version.posted_at is None or version.effective_at is None:
        return State.DRAFT
    if version.effective_at > at:
        return State.POSTED
    return State.EFFECTIVE if effective_among(versions, at) == version else State.SUPERSEDED


def can_withdraw(version: Dates, at: datetime) -> bool:
    """A posted version can be taken back as long as it has not held for anybody."""
    return (
        version.posted_at is not None
        and version.withdrawn_at is None
        and version.effective_at is not None
        and version.effective_at > at + SETTLES
    )
