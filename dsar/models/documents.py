"""Papers that belong to a request: sealed, shown to officers alone, and gone when not needed."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from dsar.models.cases import Case
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind, FileType


class CaseDocument(models.Model):
    """A document of a case, sealed under a key of its own. Its name is not kept: it names people.

    `ends_at` is written with the answer. Once destroyed, the emptied row says that it was there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="documents")
    kind = models.SlugField(
        choices=[(one.value, DOCUMENT_KINDS[one].label) for one in DocumentKind]
    )
    file_type = models.CharField(max_length=4, choices=[(one.value, one.value) for one in FileType])
    key_id = models.UUIDField()
    blob_name = models.CharField(max_length=64, blank=True, default="", db_index=True)
    size = models.PositiveIntegerField()
    added_at = models.DateTimeField(default=timezone.now)
    # The officer who took it in; nobody where its person sent it by themself.
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by_person = models.BooleanField(default=False)
    ends_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(destroyed_at=None) | models.Q(blob_name=""),
                name="case_document_gone_without_file",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="case_document_ends")]

    @property
    def label(self) -> str:
        return DOCUMENT_KINDS[DocumentKind(self.kind)].label
