"""How studies and what belongs to them end."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.records import delete_rows
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from studies.models import Upload


def _empty_uploads(organisation_id: UUID) -> QuerySet[Upload]:
    return Upload.objects.filter(organisation_id=organisation_id, instances=None)


KINDS = [
    RecordKind(
        "studies.studies", "Studies, with images, reports, corrections and statements",
        Category.IMAGES,
        ("studies.Study", "studies.Series", "studies.Instance", "studies.Blob",
         "studies.StudyNameToken", "studies.Correction", "studies.Statement", "studies.Rejection",
         "studies.GuardianAttestation"),
        Ending.DISPOSAL, "each by what the policy and the laws say of it, in words on its page",
    ),
    RecordKind(
        "studies.uploads", "Records of sending of which nothing is here", Category.TECHNICAL,
        ("studies.Upload",), Ending.TERM,
        term=Term(_empty_uploads, "created_at", "the day it was begun", delete_rows),
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
