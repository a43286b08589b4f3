"""The job list: the truth about work that outlives a request."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from jobs.rules.kinds import UnknownKind, kind_named
from jobs.rules.states import FINISHED, LABELS, State, per_cent


class JobQuerySet(models.QuerySet["Job"]):
    def claimable(self, now: datetime) -> JobQuerySet:
        """Keep what a worker may take: waiting and due, or running on a lease that ran out."""
        return self.filter(self.due(now), attempts__lt=models.F("max_attempts"))

    def exhausted(self, now: datetime) -> JobQuerySet:
        """Keep what died with its worker as often as it may."""
        return self.filter(
            state=State.RUNNING, lease_until__lt=now, attempts__gte=models.F("max_attempts")
        )

    @staticmethod
    def due(now: datetime) -> Q:
        return Q(state=State.WAITING, not_before__lte=now) | Q(
            state=State.RUNNING, lease_until__lt=now
        )


class Job(models.Model):
    """One piece of work. Who and where are plain values, so that a job outlives both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=100)
    natural_key = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=[(one.value, LABELS[one]) for one in State], default=State.WAITING
    )
    payload = models.JSONField(default=dict)
    organisation_id = models.CharField(max_length=64, blank=True, default="")
    created_by_id = models.CharField(max_length=64, blank=True, default="")

    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list)
    failure_count = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True, default="")
    cursor = models.JSONField(default=dict)

    lease_until = models.DateTimeField(null=True, blank=True)
    # Grows with every owner; an owner whose number is no longer here has lost the job.
    fencing_token = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    not_before = models.DateTimeField()
    rung_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "natural_key"], name="job_natural_key"),
            models.CheckConstraint(
                condition=Q(state__in=[one.value for one in State]), name="job_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=State.RUNNING, lease_until__isnull=False)
                | ~Q(state=State.RUNNING),
                name="job_running_has_lease",
            ),
        ]
        indexes = [
            # Small whatever the history: only what may still need a worker.
            models.Index(
                fields=["not_before"],
                name="job_open",
                condition=Q(state__in=[State.WAITING, State.RUNNING]),
            ),
            models.Index(fields=["finished_at"], name="job_finished"),
            models.Index(fields=["created_by_id", "created_at"], name="job_by_creator"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def label(self) -> str:
        """Name the work in words; a kind that is no longer registered keeps its code."""
        try:
            return kind_named(self.kind).label
        except UnknownKind:
            return self.kind

    @property
    def state_label(self) -> str:
        return LABELS[State(self.state)]

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def per_cent(self) -> int:
        return 100 if self.state == State.DONE else per_cent(self.done, self.total)

    @property
    def unlisted_failures(self) -> int:
        """Count the failures that the bounded list had no room for."""
        return max(0, self.failure_count - len(self.failures))


class DueJob(models.Model):
    """One due time of one schedule: the row that makes a second beat harmless."""

    schedule = models.CharField(max_length=100)
    due_at = models.DateTimeField()
    job_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="due_job_once")]

    def __str__(self) -> str:
        return f"{self.schedule} at {self.due_at:%Y-%m-%d %H:%M:%S}"
