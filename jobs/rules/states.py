"""States of a job, who may move where, and how long to wait before trying again."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

MAX_FAILURES_LISTED = 100
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=10)


class State(StrEnum):
    """Name where a job stands; ``failed`` is the dead letter box."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LABELS = {
    State.WAITING: "Waiting",
    State.RUNNING: "Running",
    State.PAUSED: "Paused",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
}
FINISHED = frozenset({State.DONE, State.FAILED, State.CANCELLED})

# Each act, and the states it may start from.
MAY_CANCEL = frozenset({State.WAITING, State.RUNNING, State.PAUSED})
MAY_PAUSE = frozenset({State.WAITING, State.RUNNING})
MAY_RESUME = frozenset({State.PAUSED})
MAY_RETRY = frozenset({State.FAILED, State.CANCELLED})


def retry_delay(attempts: int, fraction: float) -> timedelta:
    """Return how long to wait after the given number of attempts.

    Doubles from two seconds to ten minutes; ``fraction``, from 0 to 1 and drawn at
    random, spreads the upper half, so that what failed together does not return together.
    """
    doublings = min(max(attempts, 1) - 1, 16)
    whole: timedelta = min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)
    return whole / 2 + whole / 2 * fraction


def with_failure(failures: list[dict[str, str]], *, what: str, why: str) -> list[dict[str, str]]:
    """Return the list with one more failure, as long as there is room to list it."""
    if len(failures) >= MAX_FAILURES_LISTED:
        return failures
    return [*failures, {"what": what, "why": why}]


def per_cent(done: int, total: int) -> int:
    """Return progress as a whole number from 0 to 100; 0 while the total is unknown."""
    return min(100, 100 * done // total) if total > 0 else 0
