"""Deleting the rows of studies, and of subjects without any."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from consent.models import DataSubject
from studies.models import Blob, Instance, Series, Study, StudyNameToken


def delete_study_rows(studies: Collection[Study]) -> None:
    """Delete all rows of studies: objects first, whose files their blobs name."""
    pks = [study.pk for study in studies]
    for model in (Instance, StudyNameToken, Series, Blob):
        model.objects.filter(study__in=pks).delete()
    Study.objects.filter(pk__in=pks).delete()


def delete_subjects_without_studies(subject_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Delete subjects without studies; give their keys, to be destroyed once this is committed."""
    rows = DataSubject.objects.filter(pk__in=subject_ids).order_by("pk").select_for_update()
    keys = {subject.pk: subject.key_id for subject in rows}
    used = set(Study.objects.filter(subject_id__in=keys).values_list("subject_id", flat=True))
    gone = {pk: key for pk, key in keys.items() if pk not in used}
    DataSubject.objects.filter(pk__in=gone).delete()
    return gone
