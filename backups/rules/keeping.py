"""How long generations are kept, which may go, and which days can be promised. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from backups.rules.names import Kind

# The nightly job comes once a day, so something may outlast its end by that much.
ROTATED_WITHIN = timedelta(days=1)
DRILL_EVERY_DAYS = 90


class State(StrEnum):
    MAKING = "making"
    GOOD = "good"
    FAILED = "failed"
    GONE = "gone"


STATE_LABELS = {
    State.MAKING: "being made", State.GOOD: "whole", State.FAILED: "failed",
    State.GONE: "rotated out",
}  # fmt: skip


class Copy(Protocol):
    """An artefact, as far as keeping is concerned."""

    kind: str
    begun_at: datetime
    expires_at: datetime


def expiry(begun_at: datetime, kind: Kind, *, keep_data: int, keep_keys: int) -> datetime:
    """Return when an artefact has had its time; keys never outlive data (days)."""
    days = min(keep_keys, keep_data) if kind is Kind.KEYS else keep_data
    return begun_at + timedelta(days=days)


def gone_by(expires_at: datetime) -> date:
    """Return the last day on which an artefact may still be there."""
    return (expires_at + ROTATED_WITHIN).date()


@dataclass(frozen=True, slots=True)
class Ends:
    """Last days of copies made before something was destroyed; None: there are none."""

    keys_on: date | None
    data_on: date | None

    @property
    def last_on(self) -> date | None:
        return max((one for one in (self.keys_on, self.data_on) if one), default=None)


def ends_of(copies: Iterable[Copy], destroyed_at: datetime) -> Ends:
    """Say until when living copies hold what was destroyed at a moment.

    What was begun before counts, finished or not: it may have been read already.
    """
    days: dict[Kind, date] = {}
    for copy in copies:
        if copy.begun_at <= destroyed_at:
            kind = Kind.KEYS if copy.kind == Kind.KEYS else Kind.DATA
            day = gone_by(copy.expires_at)
            days[kind] = max(days.get(kind, day), day)
    return Ends(days.get(Kind.KEYS), days.get(Kind.DATA))


def words_of(ends: Ends) -> str:
    """What a certificate says of backups that the portal makes itself."""
    elsewhere = "Copies that the operator makes in other ways are not known here."
    if ends.last_on is None:
        return f"No backup of this portal that was there then holds a copy of it. {elsewhere}"
    keys = (
        f"Backups that this portal makes are expected to hold copies of these keys until"
        f" {ends.keys_on} at the latest, and nothing can be opened with them from then on."
        if ends.keys_on
        else "No backup of this portal holds a copy of these keys."
    )
    data = (
        f" Sealed copies of the files and entries are expected to last until {ends.data_on}."
        if ends.data_on
        else ""
    )
    return f"{keys}{data} An addendum says when the last has gone. {elsewhere}"


def is_drill_due(last_good_at: datetime | None, now: datetime, *, every_days: int) -> bool:
    return last_good_at is None or now - last_good_at > timedelta(days=every_days)
