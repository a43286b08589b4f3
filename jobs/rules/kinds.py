"""What kinds of job there are, and when schedules are due. Each app registers its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Handler = Callable[[Any], None]


class UnknownKind(LookupError):
    """Raised for a kind that no app registered."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """Say how a kind of job is run.

    ``lease`` is how long a silent worker keeps a job; ``max_attempts`` counts attempts
    since the last saved step, so that long work is not condemned for being interrupted often.
    """

    name: str
    handler: Handler
    label: str
    max_attempts: int
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """Say that a kind of job is due every so often, counted from midnight UTC plus ``offset``.

    ``wanted`` may say that there is nothing to do; then no job is made.
    """

    name: str
    kind: str
    every: timedelta
    offset: timedelta
    wanted: Callable[[], bool] | None

    def last_due(self, now: datetime) -> datetime:
        """Return the latest moment, not after ``now``, at which it was due."""
        start = datetime(2000, 1, 1, tzinfo=UTC) + self.offset
        return start + (now - start) // self.every * self.every


_kinds: dict[str, JobKind] = {}
_schedules: dict[str, Schedule] = {}


def job_kind(
    name: str,
    *,
    label: str = "",
    max_attempts: int = 5,
    lease: timedelta = timedelta(seconds=60),
) -> Callable[[Handler], Handler]:
    """Register the decorated function as what runs jobs of this kind.

    It is called with a ``jobs.services.Run`` and must take up from ``run.cursor``.
    Raises ValueError if another function has the name.
    """

    def register(handler: Handler) -> Handler:
        known = _kinds.get(name)
        if known and known.handler.__qualname__ != handler.__qualname__:
            raise ValueError(f"two functions want to run {name}")
        _kinds[name] = JobKind(name, handler, label or name, max_attempts, lease)
        return handler

    return register


def schedule_job(
    name: str,
    *,
    kind: str,
    every: timedelta,
    offset: timedelta = timedelta(0),
    wanted: Callable[[], bool] | None = None,
) -> None:
    """Register a schedule; the last registration of a name counts."""
    if every <= timedelta(0):
        raise ValueError("a schedule has a period")
    _schedules[name] = Schedule(name, kind, every, offset, wanted)


def kind_named(name: str) -> JobKind:
    """Return a kind; raises UnknownKind."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(name) from None


def schedules() -> list[Schedule]:
    return list(_schedules.values())
