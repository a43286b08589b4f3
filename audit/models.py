"""The trail: events, the sealed tree over them, and the few personal values beside them.

Every reference is a plain value. No later change or deletion of a person, a study or an
organisation can alter a row, and none is needed to read it.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from audit.rules.canonical import canonical_time
from audit.rules.identifiers import time_ordered_uuid
from audit.rules.vocabulary import ActorKind, Outcome


class Event(models.Model):
    """One thing that someone did, or was refused. Written once; triggers refuse the rest."""

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)
    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=12, choices=[(one.value, one.label) for one in Outcome])

    actor_kind = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in ActorKind]
    )
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_role = models.CharField(max_length=40, blank=True, default="")
    organisation_id = models.CharField(max_length=64, blank=True, default="")
    subject_id = models.CharField(max_length=64, blank=True, default="")

    target_kind = models.CharField(max_length=40, blank=True, default="")
    target_id = models.CharField(max_length=64, blank=True, default="")
    target_uid = models.CharField(max_length=64, blank=True, default="")

    purpose = models.CharField(max_length=40, blank=True, default="")
    reason = models.CharField(max_length=64, blank=True, default="")
    session = models.CharField(max_length=32, blank=True, default="")
    network = models.CharField(max_length=49, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    details = models.JSONField(default=dict)
    # name: SHA-256(salt || value), in hexadecimal; salt and value are sealed in EventCommitment.
    commitments = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["organisation_id", "occurred_at", "id"], name="event_by_org"),
            models.Index(
                fields=["target_kind", "target_id", "occurred_at"], name="event_by_target"
            ),
            models.Index(fields=["target_uid", "occurred_at"], name="event_by_uid"),
            models.Index(fields=["subject_id", "occurred_at"], name="event_by_subject"),
            models.Index(fields=["actor_id", "occurred_at"], name="event_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.outcome} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"

    def entry(self) -> dict[str, Any]:
        """Return what is hashed into the tree: every column, as JSON values."""
        return entry_of({name: getattr(self, name) for name in EVENT_COLUMNS})


EVENT_COLUMNS = tuple(field.attname for field in Event._meta.concrete_fields)


def entry_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of an event from its columns."""
    return {**row, "id": str(row["id"]), "occurred_at": canonical_time(row["occurred_at"])}


class PendingEvent(models.Model):
    """An event that waits to be sealed; queued by a trigger, removed by the sealer.

    It has no foreign key, and events are never sealed by the order of a sequence: what
    commits late is simply still here.
    """

    event_id = models.UUIDField(primary_key=True)
    occurred_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.event_id)


class Leaf(models.Model):
    """One sealed event: its place in the tree, from 0 and without gaps, and its hash."""

    number = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    leaf_hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"leaf {self.number}"


class Checkpoint(models.Model):
    """What was signed about the tree at one size (c2sp.org/tlog-checkpoint).

    ``frontier`` is the compact range at that size, in hexadecimal, so that the next seal
    starts from here and not from the first leaf.
    """

    id = models.BigAutoField(primary_key=True)
    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    frontier = models.JSONField()
    note = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"checkpoint of {self.size}"


class EventCommitment(models.Model):
    """A personal value that an event only commits to.

    Erasing destroys the key and the row and leaves the event as it was, and the digest in it
    says nothing any more: nobody can guess a value against 32 unknown bytes of salt.
    """

    event_id = models.UUIDField()
    name = models.CharField(max_length=40)
    key_id = models.UUIDField()
    # Salt (32 bytes) and value, sealed together (audit.services.commitments).
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "name"], name="commitment_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.event_id}"
