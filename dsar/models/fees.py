"""What a copy costs: quoted first, and begun when the person accepts it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from dsar.models.cases import Case


class FeeQuote(models.Model):
    """A quote: what each line is for is sealed under the case's key. The latest counts."""

    class State(models.TextChoices):
        QUOTED = "quoted", "Waiting for the person"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Not accepted"
        REPLACED = "replaced", "Replaced by another"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="fee_quotes")
    state = models.CharField(max_length=10, choices=State, default=State.QUOTED)
    sealed_items = models.BinaryField()
    total_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    # The request was held to be excessive, and why is among the words.
    excessive = models.BooleanField(default=False)
    quoted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    quoted_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(state="quoted"), name="fee_quoted_once"
            )
        ]

    @property
    def total(self) -> str:
        return f"{self.total_cents // 100}.{self.total_cents % 100:02} {self.currency}"
