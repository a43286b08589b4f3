"""Wrapped keys. All of them live in the key database (``vault.routers``)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class OrganisationKey(models.Model):
    """One epoch of an organisation's key, wrapped by a master key.

    The organisation is a value, not a foreign key: the vault knows no other app. An epoch is
    destroyed once no data key is wrapped under it any more.
    """

    id = models.BigAutoField(primary_key=True)
    organisation_id = models.CharField(max_length=64)
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    master_key_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("organisation_id", "epoch")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation_id", "epoch"), name="organisation_key_epoch_once"
            ),
            models.CheckConstraint(
                condition=Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | Q(wrapped__isnull=False, destroyed_at__isnull=True),
                name="organisation_key_destroyed_is_empty",
            ),
        )

    def __str__(self) -> str:
        return f"organisation {self.organisation_id}, epoch {self.epoch}"


class DataKey(models.Model):
    """The key of one study, subject, upload ..., wrapped under an organisation key's epoch.

    Destroying it empties the wrap and leaves the row, as the proof that it once existed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32)
    organisation_id = models.CharField(max_length=64)
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | Q(wrapped__isnull=False, destroyed_at__isnull=True),
                name="data_key_destroyed_is_empty",
            ),
            models.UniqueConstraint(
                fields=("organisation_id",),
                condition=Q(kind="index", destroyed_at__isnull=True),
                name="data_key_one_index_root",
            ),
        )
        indexes = (
            models.Index(
                fields=("organisation_id", "epoch", "id"),
                condition=Q(destroyed_at__isnull=True),
                name="data_key_to_rewrap",
            ),
            models.Index(fields=("kind", "created_at"), name="data_key_by_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} key {self.id}"
