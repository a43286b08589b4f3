"""The register of incidents: what happened, whom it touched, who was told and when."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils import timezone

from accounts.models import Organisation, User
from dsar.rules.clocks.days import local_day
from incidents.rules.states import (
    ACT_LABELS,
    PLAN,
    RISK_LABELS,
    SOURCE_LABELS,
    STATE_LABELS,
    Act,
    Risk,
    Source,
    State,
)


class Incident(models.Model):
    """Something that went wrong. What people write of it is sealed under its own key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="incidents"
    )
    number = models.PositiveIntegerField()
    source = models.CharField(
        max_length=8, choices=[(one.value, SOURCE_LABELS[one]) for one in Source]
    )
    state = models.CharField(
        max_length=8, choices=[(one.value, STATE_LABELS[one]) for one in State],
        default=State.OPEN.value,
    )  # fmt: skip
    key_id = models.UUIDField()
    sealed_title = models.BinaryField()
    sealed_factors = models.BinaryField(null=True)
    sealed_letter = models.BinaryField(null=True)
    discovered_at = models.DateTimeField()
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    lead = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # By which account, and between which moments; by these the trail is asked.
    account = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    kinds = models.JSONField(default=list)
    is_breach = models.BooleanField(default=True)
    is_unreadable = models.BooleanField(default=False)
    low_probability = models.BooleanField(default=False)
    licensed_clinic = models.BooleanField(default=False)
    # Until somebody has assessed it, a high risk is presumed.
    risk = models.CharField(
        max_length=8, choices=[(one.value, RISK_LABELS[one]) for one in Risk],
        default=Risk.HIGH.value,
    )  # fmt: skip
    delay_since = models.DateField(null=True)
    delay_until = models.DateField(null=True)
    delay_in_writing = models.BooleanField(default=False)
    counted_at = models.DateTimeField(null=True)
    others = models.PositiveIntegerField(default=0)
    assessed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="incident_number_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(assessed_at__isnull=False),
                name="incident_closed_after_assessment",
            ),
            models.CheckConstraint(
                condition=models.Q(low_probability=False) | models.Q(sealed_factors__isnull=False),
                name="incident_low_with_reasons",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-opened_at"], name="incident_latest")]

    def __str__(self) -> str:
        return f"incident {self.number}"

    @property
    def discovered_on(self) -> date:
        return local_day(self.discovered_at, self.organisation.country, self.organisation.state)


class IncidentEntry(models.Model):
    """One line of the log. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    act = models.CharField(max_length=10, choices=[(one.value, ACT_LABELS[one]) for one in Act])
    code = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    sealed_text = models.BinaryField(null=True)

    class Meta:
        indexes = [models.Index(fields=["incident", "at"], name="incident_entry")]


class PlanStep(models.Model):
    """A step of the plan, by when it is done, and by whom."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="steps")
    step = models.CharField(max_length=10, choices=[(code, PLAN[code].label) for code in PLAN])
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "step"], name="incident_step_once")
        ]


class Affected(models.Model):
    """A patient, or an animal's owner, whom it touches; and where they live, as far as known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="affected")
    subject_id = models.UUIDField()
    study_uids = models.JSONField(default=list)
    # ISO 3166: `DE`, `US-NY`; empty if nobody knows.
    residence = models.CharField(max_length=6, blank=True, default="")
    # How they were told: portal, or posted; empty if they were not.
    told = models.CharField(
        max_length=8, blank=True, default="",
        choices=[("portal", "in the portal"), ("posted", "by post")],
    )  # fmt: skip
    told_at = models.DateTimeField(null=True)
    told_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "subject_id"], name="affected_once")
        ]
        indexes = [models.Index(fields=["subject_id"], name="affected_subject")]


class DutyMark(models.Model):
    """What became of a duty: reminded, told to be late, done. Duties themselves are reckoned."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="marks")
    code = models.CharField(max_length=30)
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    done_on = models.DateField(null=True)
    done_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "code"], name="duty_mark_once")]
