"""Writing the ledger out, and replaying it after a restore: what was disposed of stays gone.

A restore brings back rows, files, and perhaps wrapped keys, of a time before. Replaying asks for
no holds: what it destroys was destroyed already, and the holds of then are in what was restored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.services.trail import record, system_ref
from retention.models import DisposedStudy
from retention.rules.ledger import Entry
from retention.services.rows import delete_study_rows, delete_subjects_without_studies
from studies.models import Study
from vault.services.blobs import delete_blob
from vault.services.data_keys import destroy_data_keys


@dataclass
class Replayed:
    """What a replay found of what should be gone."""

    entries: int = 0
    studies: int = 0
    keys: int = 0
    files: int = 0

    @property
    def found_anything(self) -> bool:
        return bool(self.studies or self.keys or self.files)


def entries_of_ledger() -> Iterator[Entry]:
    for row in DisposedStudy.objects.order_by("id").iterator(chunk_size=1000):
        yield Entry(
            row.organisation_id, row.run_id, row.study_key_id,
            tuple(UUID(one) for one in row.key_ids), tuple(row.blob_names), row.disposed_at,
        )  # fmt: skip


def replay_ledger(entries: Iterable[Entry]) -> Replayed:
    """Destroy again whatever of these studies is there. Safe to repeat, and after any kill."""
    found = Replayed()
    for entry in entries:
        found.entries += 1
        _replay(entry, found)
    return found


def _replay(entry: Entry, found: Replayed) -> None:
    # In the order of a disposal: first what is final.
    with transaction.atomic():
        keys = destroy_data_keys(ids=entry.key_ids)
        DisposedStudy.objects.update_or_create(
            study_key_id=entry.study_key_id,
            defaults={
                "organisation_id": entry.organisation_id, "run_id": entry.run_id,
                "key_ids": [str(one) for one in entry.key_ids],
                "blob_names": list(entry.blob_names), "disposed_at": entry.disposed_at,
            },
        )  # fmt: skip
    files = sum(delete_blob(name=name) for name in entry.blob_names)
    with transaction.atomic():
        study = Study.objects.filter(key_id=entry.study_key_id).select_for_update().first()
        if study is not None:
            delete_study_rows([study])
            subject_keys = delete_subjects_without_studies([study.subject_id]).values()
        if study is not None or keys.destroyed or files:
            _write(entry, study, len(keys.destroyed), files)
    if study is not None:
        destroy_data_keys(ids=subject_keys)
    found.studies += study is not None
    found.keys += len(keys.destroyed)
    found.files += files


def _write(entry: Entry, study: Study | None, keys: int, files: int) -> None:
    record(
        action="study.disposed_again", actor=system_ref(), organisation_id=entry.organisation_id,
        target=("study", study.uid) if study else ("key", str(entry.study_key_id)),
        details={"run": entry.run_id, "keys": keys, "files": files},
    )  # fmt: skip
