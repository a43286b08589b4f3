"""A portable copy that goes straight to another provider, by its person's word."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Organisation, User
from dsar.models.outcomes import Package


class Transfer(models.Model):
    """Who may fetch a copy beside its person: one organisation, until the copy is gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="transfers")
    to = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    named_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    fetched_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["package", "to"], condition=models.Q(withdrawn_at=None),
                name="transfer_named_once",
            )
        ]  # fmt: skip
