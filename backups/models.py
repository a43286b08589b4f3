"""The registers of backups, drills, and hardware that is taken out of service."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils import timezone

from accounts.models import Organisation, User
from backups.rules.hardware import KIND_LABELS as DEVICE_LABELS
from backups.rules.hardware import METHOD_LABELS, Method, certified_by, state_of
from backups.rules.hardware import STATE_LABELS as DEVICE_STATES
from backups.rules.hardware import Kind as DeviceKind
from backups.rules.hardware import State as DeviceState
from backups.rules.keeping import STATE_LABELS, State
from backups.rules.names import KIND_LABELS, Kind

BY = [("job", "the nightly job"), ("command", "a command on the server")]


class Generation(models.Model):
    """One backup. Its row is there before anything is read, so that what it may hold is known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=32, unique=True)
    state = models.CharField(
        max_length=8, choices=[(one.value, STATE_LABELS[one]) for one in State],
        default=State.MAKING.value,
    )  # fmt: skip
    begun_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    # Where it lies, as the operator named it.
    data_place = models.CharField(max_length=500)
    keys_place = models.CharField(max_length=500)
    engine = models.CharField(max_length=12)
    release = models.CharField(max_length=40, blank=True, default="")
    trail_size = models.BigIntegerField(default=0)
    files = models.PositiveIntegerField(default=0)
    files_new = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    failure = models.CharField(max_length=200, blank=True, default="")
    # The nightly job, or an operator's command: whoever runs that has no account here.
    made_by = models.CharField(max_length=8, choices=BY, default="command")

    class Meta:
        indexes = [models.Index(fields=["-begun_at"], name="generation_latest")]

    def __str__(self) -> str:
        return self.name


class Artefact(models.Model):
    """One of the three parts of a generation, and the evidence of its end."""

    id = models.BigAutoField(primary_key=True)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="artefacts")
    kind = models.CharField(max_length=6, choices=[(one.value, KIND_LABELS[one]) for one in Kind])
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    # First the key, which ends copies wherever they lie; then the bytes, read back.
    key_destroyed_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)
    destroyed_by = models.CharField(max_length=8, choices=BY, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["generation", "kind"], name="artefact_once"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], name="artefact_living",
                condition=models.Q(destroyed_at=None),
            ),
        ]  # fmt: skip


class Drill(models.Model):
    """A restore on trial: what was tried, how long it took, and whether it would have worked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation_name = models.CharField(max_length=32)
    began_at = models.DateTimeField(default=timezone.now)
    seconds = models.PositiveIntegerField(default=0)
    is_good = models.BooleanField()
    files = models.PositiveIntegerField(default=0)
    files_tried = models.PositiveIntegerField(default=0)
    events = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=200, blank=True, default="")
    # A signed note (C2SP) of all of this.
    note = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["-began_at"], name="drill_latest")]


class Device(models.Model):
    """A piece of hardware that held data, until a certificate says that it holds none."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="devices")
    number = models.PositiveIntegerField()
    kind = models.CharField(
        max_length=12, choices=[(one.value, DEVICE_LABELS[one]) for one in DeviceKind]
    )
    serial = models.CharField(max_length=80)
    entered_at = models.DateTimeField(default=timezone.now)
    retired_on = models.DateField(null=True)
    reminded_at = models.DateTimeField(null=True)
    method = models.CharField(
        max_length=8, blank=True, default="",
        choices=[(one.value, METHOD_LABELS[one]) for one in Method],
    )  # fmt: skip
    done_on = models.DateField(null=True)
    witness = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    certificate = models.CharField(max_length=80, blank=True, default="")
    certified_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    certified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="device_number_once"),
            models.UniqueConstraint(
                fields=["organisation", "kind", "serial"], name="device_serial_once"
            ),
            models.CheckConstraint(
                condition=models.Q(certified_at=None)
                | models.Q(
                    retired_on__isnull=False, done_on__isnull=False, witness__isnull=False,
                    certified_by__isnull=False,
                )
                & ~models.Q(method="")
                & ~models.Q(certificate="")
                & ~models.Q(witness=models.F("certified_by")),
                name="device_certified_wholly",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"device {self.number}"

    @property
    def state(self) -> DeviceState:
        return state_of(self.retired_on, self.certified_at is not None, timezone.now().date())

    @property
    def state_label(self) -> str:
        return DEVICE_STATES[self.state]

    @property
    def due_on(self) -> date | None:
        return certified_by(self.retired_on) if self.retired_on else None


class RecoveryPlan(models.Model):
    """What an organisation wrote down for the day when the portal is lost. Written anew, never
    changed: the latest counts, and the others show what was planned when."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    deputy = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # Recovery point and recovery time objective.
    point_hours = models.PositiveIntegerField()
    time_hours = models.PositiveIntegerField()
    drill_days = models.PositiveIntegerField()
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="plan_number_once"),
            models.CheckConstraint(
                condition=~models.Q(owner=models.F("deputy")), name="plan_led_by_two"
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.number}"
