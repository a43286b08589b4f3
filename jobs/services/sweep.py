"""Find what no worker is looking after and ring for it; make what schedules are due.

Any number of sweepers may run at once: each ring and each due time is one conditional write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from jobs.models import DueJob, Job
from jobs.rules.kinds import Schedule, schedules
from jobs.rules.states import State
from jobs.services.create import create_job, ring_job

BATCH = 500
# What a schedule made is of no interest when it went well; keep it a day.
KEEP_SCHEDULED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """Count what a sweep did."""

    rung: int
    buried: int
    scheduled: int


def sweep_jobs() -> Swept:
    """Bury what is exhausted, create what is due, ring for what is left alone."""
    now = timezone.now()
    buried = _bury(now)
    scheduled = sum(_create_due(schedule, now) for schedule in schedules())
    rung = _ring_neglected(now)
    if scheduled:
        _forget_old(now)
    return Swept(rung=rung, buried=buried, scheduled=scheduled)


def _bury(now: datetime) -> int:
    return Job.objects.exhausted(now).update(
        state=State.FAILED, finished_at=now, lease_until=None, message="worker_died"
    )


def _rering_after() -> timedelta:
    """Return how long a ring may go unanswered; a long queue must not be rung for each sweep."""
    return timedelta(seconds=getattr(settings, "JOBS_RERING_SECONDS", 20))


@transaction.atomic
def _ring_neglected(now: datetime) -> int:
    for job_id in (neglected := _neglected(now)):
        ring_job(job_id=job_id)
    Job.objects.filter(pk__in=neglected).update(rung_at=now)
    return len(neglected)


def _neglected(now: datetime) -> list[UUID]:
    unheard = Q(rung_at__isnull=True) | Q(rung_at__lt=now - _rering_after())
    jobs = Job.objects.claimable(now).filter(unheard).order_by("not_before")
    if connection.features.has_select_for_update_skip_locked:
        jobs = jobs.select_for_update(skip_locked=True)
    return list(jobs.values_list("pk", flat=True)[:BATCH])


def _create_due(schedule: Schedule, now: datetime) -> bool:
    """Create the job of the latest due time, unless it was made, or is not wanted, or one waits.

    A due time that nobody was there to see is not made up for: only the latest counts.
    """
    due_at = schedule.last_due(now)
    if DueJob.objects.filter(schedule=schedule.name, due_at=due_at).exists():
        return False
    if schedule.wanted is not None and not schedule.wanted():
        return False
    with transaction.atomic():
        due, created = DueJob.objects.get_or_create(schedule=schedule.name, due_at=due_at)
        if not created or _still_open(schedule):
            return False
        job = create_job(
            kind=schedule.kind, natural_key=f"{schedule.name}@{due_at:%Y-%m-%dT%H:%M:%SZ}"
        )
        DueJob.objects.filter(pk=due.pk).update(job_id=job.id)
    return True


def _still_open(schedule: Schedule) -> bool:
    return Job.objects.filter(
        kind=schedule.kind,
        natural_key__startswith=f"{schedule.name}@",
        state__in=[State.WAITING, State.RUNNING, State.PAUSED],
    ).exists()


@transaction.atomic
def _forget_old(now: datetime) -> None:
    """Delete due times, and their jobs that went well, of more than a day ago, a few at a time."""
    due = DueJob.objects.filter(due_at__lt=now - KEEP_SCHEDULED).order_by("due_at")
    old = list(due.values_list("pk", "job_id")[:BATCH])
    # A schedule of long periods needs its latest due time, or it would be made twice.
    latest = {
        pk
        for schedule in schedules()
        if (
            pk := DueJob.objects.filter(schedule=schedule.name)
            .order_by("-due_at")
            .values_list("pk", flat=True)
            .first()
        )
    }
    gone = [(pk, job_id) for pk, job_id in old if pk not in latest]
    DueJob.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    Job.objects.filter(pk__in=[job for _, job in gone], state=State.DONE).delete()
