"""How it was seen who asks: each look by itself, those that did not agree as well."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from dsar.models.cases import Case


class IdentityCheck(models.Model):
    """One look at who asks: with which record it was compared, and whether it agreed.

    Of a code that was sent there is a hash; wrong answers are counted.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the code"
        PASSED = "passed", "It agrees"
        FAILED = "failed", "It does not agree"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="checks")
    way = models.SlugField()
    state = models.CharField(max_length=10, choices=State)
    facts = models.JSONField(default=list)
    # The record it was compared with; none where it was seen who somebody is.
    subject_id = models.UUIDField(null=True)
    declared = models.BooleanField(default=False)
    code_digest = models.CharField(max_length=64, blank=True, default="")
    failed_tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["case", "state"], name="identity_check_of_case")]
