"""After a restore, what was disposed of is gone again: rows, files and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.models import Event
from consent.models import DataSubject
from retention.models import DisposedStudy
from retention.rules.ledger import LedgerRefused, read_entries
from retention.services.ledger import entries_of_ledger, replay_ledger
from studies.models import Blob, Instance, Series, Study, StudyNameToken
from tests.factories import Cast
from tests.retention.cases import approved, carried_out, take_in_old
from vault.gateways.blob_store import blob_store
from vault.models import DataKey
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
KEPT = (DataSubject, Study, StudyNameToken, Series, Blob, Instance)


class Backup:
    """Copies of a study's rows, files and wrapped keys, put back after it is gone."""

    def __init__(self, study: Study) -> None:
        self.rows = [row for model in KEPT for row in model.objects.all()]
        self.names = list(Blob.objects.filter(study=study).values_list("name", flat=True))
        self.files = {name: self._read(name) for name in self.names}
        self.keys = list(DataKey.objects.filter(pk__in=[study.key_id, study.subject.key_id]))

    @staticmethod
    def _read(name: str) -> bytes:
        reader = blob_store().open(name)
        try:
            return reader.read_at(0, reader.size)
        finally:
            reader.close()

    def restore(self, *, keys: bool) -> None:
        for row in self.rows:
            row.save(force_insert=True)
        for name, data in self.files.items():
            sink = blob_store().create(name)
            sink.write(memoryview(data))
            sink.flush()
            sink.publish()
        if keys:
            for key in self.keys:
                key.save()


@pytest.fixture
def backup(cast: Cast) -> Iterator[Backup]:
    """Of a study that has been disposed of since."""
    study = take_in_old(cast)
    saved = Backup(study)
    carried_out(approved(cast))
    return saved


@pytest.mark.parametrize("keys", [True, False])
def test_a_restored_study_is_gone_again(backup: Backup, keys: bool, tmp_path: Path) -> None:
    call_command("disposal_ledger", "export", str(tmp_path / "ledger"))
    DisposedStudy.objects.all().delete()
    backup.restore(keys=keys)
    study = Study.objects.get()
    if keys:
        assert open_data_key(id=study.key_id)
    call_command("disposal_ledger", "replay", str(tmp_path / "ledger"))
    for model in KEPT:
        assert not model.objects.exists(), model
    assert not any(is_stored(name=name) for name in backup.names)
    for key in backup.keys:
        with pytest.raises(KeyDestroyed):
            open_data_key(id=key.pk)
    assert DisposedStudy.objects.get().study_key_id == study.key_id
    event = Event.objects.get(action="study.disposed_again")
    assert (event.target_uid, event.details["files"]) == (study.uid, 1)


def test_a_replay_again_finds_nothing(backup: Backup) -> None:
    found = replay_ledger(entries_of_ledger())
    assert (found.entries, found.found_anything) == (1, False)
    assert not Event.objects.filter(action="study.disposed_again").exists()


def test_a_replay_touches_nothing_else(cast: Cast, backup: Backup) -> None:
    other = take_in_old(cast, "other")
    replay_ledger(entries_of_ledger())
    assert Study.objects.get() == other
    assert open_data_key(id=other.key_id)


def test_the_ledger_names_nobody(backup: Backup, tmp_path: Path) -> None:
    call_command("disposal_ledger", "export", str(tmp_path / "ledger"))
    written = (tmp_path / "ledger").read_text()
    study = next(row for row in backup.rows if isinstance(row, Study))
    for secret in (study.uid, str(study.subject_id), "Adler", "1972"):
        assert secret not in written
    assert list(read_entries(written.splitlines())) == list(entries_of_ledger())


@pytest.mark.parametrize(
    "wrong",
    [
        "nothing", "[]", "{}", '{"study_key": "x"}', "null",
        ('{"organisation": "00000000-0000-0000-0000-000000000000", "run": "1", "study_key": "2",'
        ' "keys": [], "files": ["../../etc/passwd"], "at": "2026-01-01"}'),
    ],
)  # fmt: skip
def test_a_wrong_file_destroys_nothing(cast: Cast, tmp_path: Path, wrong: str) -> None:
    study = take_in_old(cast)
    good = (
        f'{{"organisation": "{study.organisation_id}", "run": "{study.organisation_id}",'
        f' "study_key": "{study.key_id}", "keys": ["{study.key_id}"], "files": [],'
        ' "at": "2026-01-01T00:00:00+00:00"}'
    )
    assert next(iter(read_entries([good]))).study_key_id == study.key_id
    (tmp_path / "ledger").write_text(f"{good}\n{wrong}\n")
    with pytest.raises(LedgerRefused, match="line 2"):
        list(read_entries([good, wrong]))
    with pytest.raises(CommandError, match="nothing was done"), transaction.atomic():
        call_command("disposal_ledger", "replay", str(tmp_path / "ledger"))
    assert open_data_key(id=study.key_id)


def test_a_ledger_is_written_into_a_file(cast: Cast) -> None:
    with pytest.raises(CommandError, match="which file"):
        call_command("disposal_ledger", "export")
