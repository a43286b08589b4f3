"""Cancel, pause, resume and retry: acts of a person upon a job.

What runs is stopped by taking its lease away: the next step of the worker finds its
token gone and commits nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.models import Job
from jobs.rules.states import MAY_CANCEL, MAY_PAUSE, MAY_RESUME, MAY_RETRY, State
from jobs.services.create import ring_job


class JobStateRefused(ValueError):
    """Raised when a job is not in a state from which the act is possible."""


def cancel_job(*, job_id: UUID) -> None:
    """Stop a job for good; a step that is under way is either finished first or not at all."""
    _move(job_id, MAY_CANCEL, state=State.CANCELLED, finished_at=timezone.now())


def pause_job(*, job_id: UUID) -> None:
    """Stop a job after its present step, to be resumed from its cursor."""
    _move(job_id, MAY_PAUSE, state=State.PAUSED)


@transaction.atomic
def resume_job(*, job_id: UUID) -> None:
    """Let a paused job go on from its cursor."""
    _move(job_id, MAY_RESUME, **_afresh())
    ring_job(job_id=job_id)


@transaction.atomic
def retry_job(*, job_id: UUID) -> None:
    """Take a job out of the dead letter box and let it go on from its cursor."""
    _move(job_id, MAY_RETRY, **_afresh(), finished_at=None, message="")
    ring_job(job_id=job_id)


def _afresh() -> dict[str, Any]:
    now = timezone.now()
    return {"state": State.WAITING, "attempts": 0, "not_before": now, "rung_at": now}


def _move(job_id: UUID, sources: frozenset[State], **changes: Any) -> None:
    moved = Job.objects.filter(pk=job_id, state__in=list(sources)).update(
        fencing_token=F("fencing_token") + 1, lease_until=None, **changes
    )
    if not moved:
        raise JobStateRefused(f"job {job_id} is not {' or '.join(sorted(sources))}")
