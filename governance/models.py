from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Organisation, User


class LegalExport(models.Model):
    """The record that a part of the trail was handed out under a duty of law. Never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    # An office, not a person.
    authority = models.CharField(max_length=120)
    ground = models.SlugField()
    citation = models.CharField(max_length=120)
    since = models.DateField()
    until = models.DateField()
    study_uid = models.CharField(max_length=64, blank=True, default="")
    lines = models.PositiveIntegerField()
    # SHA-256 of the file, in hexadecimal digits: what was handed out can be told from what was not.
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
