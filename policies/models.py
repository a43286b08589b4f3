from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class PolicyVersion(models.Model):
    """One version of an organisation's policy. Once posted, nothing but its withdrawal changes.

    The database refuses other changes itself (`policies.rules.immutable`). Organisations live in
    a room above, so they stand here as values.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation_id = models.UUIDField()
    # The shipped pack it goes back to; its clauses are the promises it is measured by.
    pack_code = models.SlugField()
    # Counted from 1 when posted; a draft has none.
    revision = models.PositiveIntegerField(null=True)
    values = models.JSONField()
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=400, blank=True, help_text="Why the policy changes.")
    drafted_by = models.BigIntegerField(null=True)
    drafted_at = models.DateTimeField(default=timezone.now, editable=False)
    saved_at = models.DateTimeField(default=timezone.now)
    posted_by = models.BigIntegerField(null=True)
    posted_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    is_material = models.BooleanField(default=True)
    withdrawn_by = models.BigIntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id", "revision"], name="policy_revision_once"
            ),
            # One draft at a time: two people at two drafts would lose each other's work.
            models.UniqueConstraint(
                fields=["organisation_id"],
                condition=models.Q(posted_at=None),
                name="policy_draft_once",
            ),
            models.CheckConstraint(
                name="policy_posted_whole",
                condition=models.Q(posted_at=None, effective_at=None, revision=None)
                | models.Q(
                    posted_at__isnull=False, effective_at__isnull=False, revision__isnull=False
                ),
            ),
            models.CheckConstraint(
                name="policy_effect_after_posting",
                condition=models.Q(effective_at=None)
                | models.Q(effective_at__gte=models.F("posted_at")),
            ),
        ]
        indexes = [models.Index(fields=["organisation_id", "effective_at"], name="policy_timeline")]

    def __str__(self) -> str:
        return f"{self.pack_code}, revision {self.revision or 'draft'}"
