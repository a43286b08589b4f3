"""Who may look at a job: whoever started it, and whoever an app above says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.models import Job

CanSeeJob = Callable[[Any, Job], bool]
_also: dict[str, CanSeeJob] = {}


def allow_seeing_jobs(name: str, rule: CanSeeJob) -> None:
    """Let ``rule(user, job)`` open jobs to more people; called from ``AppConfig.ready``."""
    _also[name] = rule


def can_see_job(user: Any, job: Job) -> bool:
    """Deny by default; permit the creator and whom a registered rule permits."""
    if not getattr(user, "is_authenticated", False):
        return False
    if job.created_by_id and job.created_by_id == str(user.pk):
        return True
    return any(rule(user, job) for rule in _also.values())
