"""The release of archived records: what opens them, who checked it, and who approved."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from dsar.models.cases import Case
from dsar.models.documents import CaseDocument
from dsar.rules.releasing import BASIS_LABELS, Basis, Stage


class ArchiveRelease(models.Model):
    """An authorization, or an order, as an officer checked it, and the second person's word.

    No row: nothing was checked, and nothing is opened. Evidence of a disclosure: never deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="archive_release")
    document = models.ForeignKey(CaseDocument, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(
        max_length=14, choices=[(one.value, BASIS_LABELS[one]) for one in Basis]
    )
    # Of an order: its number, and who gave it.
    reference = models.CharField(max_length=120, blank=True, default="")
    signed_on = models.DateField()
    ends_on = models.DateField()
    # What the officer has seen, one by one (dsar.rules.releasing.Check).
    checks = models.JSONField(default=list)
    # DICOM numbers of the studies that it covers.
    covers = models.JSONField(default=list)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("checked_by")),
                name="archive_release_by_two",
            ),
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(approved_at__isnull=False),
                name="archive_release_approved_first",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("signed_on")), name="archive_release_has_a_term"
            ),
        ]

    @property
    def stage(self) -> Stage:
        if self.made_at is not None:
            return Stage.MADE
        return Stage.APPROVED if self.approved_at is not None else Stage.CHECKED
