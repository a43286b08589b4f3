"""Run one job under a lease, step by step, so that any kill leaves nothing half done.

Each step is one transaction: the fencing token is checked, the effect is made, cursor
and progress are saved. A worker that lost its lease finds its token gone and commits nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from jobs.models import Job
from jobs.rules.kinds import JobKind, UnknownKind, kind_named
from jobs.rules.payload import as_plain, offending_keys
from jobs.rules.states import State, retry_delay, with_failure
from jobs.services.heartbeat import Heartbeat

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Raised in a step whose job was taken over, cancelled or paused; nothing was committed."""


class JobAborted(Exception):
    """Raise in a handler to give up at once; ``code`` says why, in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RunOutcome(StrEnum):
    """Say how a run ended: ``not_claimed`` is the answer to a needless ring."""

    NOT_CLAIMED = "not_claimed"
    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"
    LOST = "lost"


class Step:
    """Collect what a step learns while it works; written when the step commits."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def save(self, *, cursor: Mapping[str, Any] | None = None, advance: int = 0) -> None:
        """Set where the next step begins, and count what this one did."""
        if cursor is not None:
            self._job.cursor = _checked(cursor)
        self._job.done += advance

    def fail_item(self, *, what: object, why: str) -> None:
        """List one thing that could not be done: its id, and a code or sentence of ours."""
        self._job.failures = with_failure(self._job.failures, what=str(what), why=why)
        self._job.failure_count += 1


class Run:
    """Give a handler its job: payload, cursor, and the steps that save its work."""

    def __init__(self, job: Job, kind: JobKind) -> None:
        self._job = job
        self._token = job.fencing_token
        self._lease = kind.lease

    @property
    def job_id(self) -> UUID:
        return self._job.id

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self._job.payload
        return payload

    @property
    def cursor(self) -> dict[str, Any]:
        """Return what the last committed step saved; empty at the beginning."""
        cursor: dict[str, Any] = self._job.cursor
        return cursor

    @property
    def attempts(self) -> int:
        return self._job.attempts

    @contextmanager
    def step(
        self,
        *,
        cursor: Mapping[str, Any] | None = None,
        advance: int = 0,
        total: int | None = None,
        message: str | None = None,
        finish: bool = False,
    ) -> Iterator[Step]:
        """Make the effect of the body, the cursor and the progress one transaction.

        With ``finish`` the job is done by the same commit: an effect of one step needs no
        cursor. Raises LeaseLost, on entry and with nothing done, if the job is another's.
        """
        before = (self._job.cursor, self._job.done, self._job.failures, self._job.failure_count)
        try:
            with transaction.atomic(durable=True):
                self._hold()
                step = Step(self._job)
                step.save(cursor=cursor, advance=advance)
                yield step
                self._write(total=total, message=message, finish=finish)
        except BaseException:
            job = self._job
            job.cursor, job.done, job.failures, job.failure_count = before
            raise

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self._job.pk, fencing_token=self._token, state=State.RUNNING)

    def _hold(self) -> None:
        # An update, not a read: it holds the row, so nobody takes the job before the commit.
        if not self._mine().update(lease_until=timezone.now() + self._lease):
            raise LeaseLost

    def _write(self, *, total: int | None, message: str | None, finish: bool) -> None:
        job, now = self._job, timezone.now()
        changes: dict[str, Any] = {
            "cursor": job.cursor,
            "done": job.done,
            "failures": job.failures,
            "failure_count": job.failure_count,
            "lease_until": now + self._lease,
            # Progress was made: what is counted is attempts without any.
            "attempts": 1,
        }
        if total is not None:
            changes["total"] = total
        if message is not None:
            changes["message"] = message[:200]
        if finish:
            changes |= {"state": State.DONE, "finished_at": now, "lease_until": None}
        if not self._mine().update(**changes):
            raise LeaseLost
        if finish:
            job.state = State.DONE

    def finish(self) -> None:
        """Mark the job done, unless a step did or it is no longer ours."""
        if self._job.state == State.DONE:
            return
        now = timezone.now()
        if not self._mine().update(state=State.DONE, finished_at=now, lease_until=None):
            raise LeaseLost
        self._job.state = State.DONE

    def give_up(self, error: Exception) -> RunOutcome:
        """Wait for another attempt, or put the job into the dead letter box.

        Only the kind of error is kept: its words may name a person.
        """
        now = timezone.now()
        aborted = isinstance(error, JobAborted)
        why = error.code if isinstance(error, JobAborted) else type(error).__qualname__
        job = Job.objects.filter(pk=self._job.pk).values("attempts", "max_attempts").first()
        if job is None:
            return RunOutcome.LOST
        final = aborted or job["attempts"] >= job["max_attempts"]
        changes: dict[str, Any] = {"message": why[:200], "lease_until": None}
        if final:
            changes |= {"state": State.FAILED, "finished_at": now}
        else:
            delay = retry_delay(job["attempts"], random.random())  # noqa: S311 - spreads load
            changes |= {"state": State.WAITING, "not_before": now + delay, "rung_at": None}
        if not self._mine().update(**changes):
            return RunOutcome.LOST
        return RunOutcome.FAILED if final else RunOutcome.RETRY


def run_job(*, job_id: UUID) -> RunOutcome:
    """Claim a job and run it as far as it goes; safe to call any number of times at once."""
    claimed = claim_job(job_id=job_id)
    if claimed is None:
        return RunOutcome.NOT_CLAIMED
    try:
        kind = kind_named(claimed.kind)
    except UnknownKind as error:
        # A worker of an older release: leave the attempt to one that knows the kind.
        return Run(claimed, _STRANGER).give_up(error)
    run = Run(claimed, kind)
    with Heartbeat(claimed.id, claimed.fencing_token, kind.lease):
        try:
            kind.handler(run)
            run.finish()
        except LeaseLost:
            log.info("job.lease_lost", job=str(job_id), kind=claimed.kind)
            return RunOutcome.LOST
        except Exception as error:
            log.exception("job.attempt_failed", job=str(job_id), kind=claimed.kind)
            return run.give_up(error)
    return RunOutcome.DONE


@transaction.atomic
def claim_job(*, job_id: UUID) -> Job | None:
    """Take the lease of a job and return it, or None if it is not to be had."""
    now = timezone.now()
    candidates = Job.objects.claimable(now).filter(pk=job_id)
    if connection.features.has_select_for_update_skip_locked:
        # Its owner may be in the middle of a step: then it is alive, lease or no lease.
        candidates = candidates.select_for_update(skip_locked=True)
    job = candidates.first()
    if job is None:
        return None
    lease = _lease_of(job.kind)
    changes = {
        "state": State.RUNNING,
        "fencing_token": job.fencing_token + 1,
        "attempts": job.attempts + 1,
        "lease_until": now + lease,
        "started_at": job.started_at or now,
    }
    # Conditional as well, for an engine or isolation that let two readers in.
    if (
        not Job.objects.filter(pk=job_id, fencing_token=F("fencing_token"))
        .filter(fencing_token=job.fencing_token, state=job.state)
        .update(**changes)
    ):
        return None
    for field, value in changes.items():
        setattr(job, field, value)
    return job


def _lease_of(kind: str) -> timedelta:
    try:
        return kind_named(kind).lease
    except UnknownKind:
        return _STRANGER.lease


_STRANGER = JobKind("", lambda _run: None, "", 1, timedelta(seconds=60))


def _checked(cursor: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = as_plain(cursor)
    if offending := offending_keys(plain):
        raise ValueError(f"cursor: not an id, code or count: {', '.join(offending)}")
    return plain
