"""What a request comes to: an erasure, a copy."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Agreement, User
from dsar.models.cases import Case
from dsar.rules.erasure import ErasureState
from dsar.rules.packages import WHAT_LABELS, What


class Erasure(models.Model):
    """What a request for erasure comes to: planned, approved by two as a disposal, carried out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="erasure")
    run_id = models.UUIDField()
    state = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in ErasureState]
    )
    # What goes, changes and stays, in our words (policies.rules.erasing).
    lines = models.JSONField(default=list)
    # As approved: whoever is found later needs a plan of their own.
    subject_ids = models.JSONField(default=list)
    job_id = models.UUIDField(null=True)
    planned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(default=timezone.now)
    carried_out_at = models.DateTimeField(null=True)


class ErasureNotice(models.Model):
    """One who processes data for the organisation: told to erase too, and whether they did."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="notices")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True)
    mail_failure = models.SlugField(blank=True, default="")
    mail_given_up = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["erasure", "agreement"], name="erasure_notice_once")
        ]


class Package(models.Model):
    """A copy of what is held, made for one case: sealed, handed out, and gone after its term."""

    class State(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        GONE = "gone", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="packages")
    state = models.CharField(max_length=10, choices=State, default=State.MAKING)
    job_id = models.UUIDField(null=True)
    key_id = models.UUIDField()
    blob_name = models.CharField(max_length=64, blank=True, default="", db_index=True)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    files = models.PositiveIntegerField(default=0)
    # Of the code that somebody without an account is told another way than the link.
    code_digest = models.CharField(max_length=64, blank=True, default="")
    failed_tries = models.PositiveSmallIntegerField(default=0)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Everything, or what was chosen: paths in the archive, with a slash at the end of folders.
    what = models.SlugField(
        default=What.EVERYTHING.value, choices=[(one.value, WHAT_LABELS[one]) for one in What]
    )
    chosen = models.JSONField(default=list)
    # Of archived records: fetched as soon as somebody began to.
    once = models.BooleanField(default=False)
    # When the whole of it had gone to its person: nobody fetches it once more.
    spent_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    downloaded_at = models.DateTimeField(null=True)
