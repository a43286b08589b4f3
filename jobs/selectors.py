"""Reads of jobs; who asks is an argument."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.models import Job
from jobs.permissions import can_see_job
from jobs.rules.states import State


def job_visible_to(user: Any, job_id: UUID) -> Job | None:
    """Return a job, or None if there is none or the person may not see it."""
    job = Job.objects.filter(pk=job_id).first()
    return job if job and can_see_job(user, job) else None


def jobs_started_by(user: Any, *, limit: int = 50) -> list[Job]:
    """Return a person's own jobs, the latest first."""
    jobs = Job.objects.filter(created_by_id=str(user.pk)).order_by("-created_at")
    return list(jobs[:limit])


def dead_letters(*, organisation_id: str | None = None, limit: int = 100) -> list[Job]:
    """Return what failed for good, the latest first; of one organisation, or of all."""
    jobs = Job.objects.filter(state=State.FAILED).order_by("-finished_at")
    if organisation_id is not None:
        jobs = jobs.filter(organisation_id=organisation_id)
    return list(jobs[:limit])
