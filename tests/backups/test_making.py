"""A backup is three parts that lie apart, whole or not there, and unreadable without their keys."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Notification
from audit.models import Event
from backups.gateways import postgresql
from backups.gateways.folder import Folder
from backups.gateways.sealing import open_dump, open_key
from backups.models import Artefact, Generation
from backups.rules.keeping import State
from backups.rules.names import Kind, artefact_path, blob_path, key_path
from backups.rules.refusals import BackupRefused, CopyDamaged, KeyGone, PlaceFull
from backups.services import making
from backups.services.examining import examine
from backups.services.making import Places, files_of, make_backup
from backups.services.signing import whole_generations
from studies.models import Blob, Study
from studies.services.integrity import check_blobs
from tests.backups.cases import back, database_bytes, files_in, is_in
from tests.factories import Cast, actor_of, small_ct_object, take_in
from vault.models import DataKey

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def filed(cast: Cast, study: str = "one") -> None:
    take_in(actor_of(cast.clinician), small_ct_object(study=study, series=study))


def test_a_backup_is_data_and_files_here_and_keys_apart(cast: Cast, places: Places) -> None:
    filed(cast)
    made = make_backup(places)
    assert (made.state, made.files, made.files_new) == (State.GOOD, 1, 1)
    data, keys = files_in(places.data.folder), files_in(places.keys.folder)
    blob = Blob.objects.get().name
    for path in (artefact_path(made.name, Kind.DATA), blob_path(blob), "ledgers/disposals"):
        assert path in data
    for kind in (Kind.DATA, Kind.KEYS):
        assert key_path(made.name, kind) in keys
        assert key_path(made.name, kind) not in data
    assert artefact_path(made.name, Kind.KEYS) not in data
    assert len(files_of(places.data, made.name)) == 1
    event = Event.objects.get(action="backup.made")
    assert event.details["data_digest"] == Artefact.objects.get(kind=Kind.DATA).digest
    assert set(examine(places).files) == set(files_of(places.data, made.name))


def test_without_its_key_a_part_does_not_open_and_names_nobody(cast: Cast, places: Places) -> None:
    filed(cast)
    made = make_backup(places)
    wraps = [bytes(row.wrapped) for row in DataKey.objects.exclude(wrapped=None)]
    assert any(is_in(wrap, database_bytes("keys")) for wrap in wraps)
    for written in [*files_in(places.data.folder).values(), *files_in(places.keys.folder).values()]:
        for secret in (b"Adler", b"Clara", b"hospital.example", b"SQLite format", b"PGDMP", *wraps):
            assert secret not in written
    key = open_key(places.keys, made.name, Kind.DATA)
    assert b"".join(open_dump(places.data, made.name, Kind.DATA, key=key))
    with pytest.raises(CopyDamaged):
        list(open_dump(places.data, made.name, Kind.DATA, key=bytes(32)))
    # The key of one part opens no other, nor a copy under another name.
    with pytest.raises(CopyDamaged):
        list(open_dump(places.keys, made.name, Kind.KEYS, key=key))
    (places.keys.folder / key_path(made.name, Kind.DATA)).unlink()
    with pytest.raises(KeyGone, match="opens no more"):
        examine(places)


def test_no_key_of_a_backup_lies_in_a_database(cast: Cast, places: Places) -> None:
    made = make_backup(places)
    wrapped = (places.keys.folder / key_path(made.name, Kind.DATA)).read_text()
    secret = bytes.fromhex(wrapped.split('"')[-2])
    for alias in ("default", "keys"):
        assert not is_in(secret, database_bytes(alias))


def test_a_file_that_an_earlier_backup_has_is_not_copied_again(
    cast: Cast, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(cast)
    make_backup(places)
    before = {name: path for name, path in files_in(places.data.folder).items() if "blobs" in name}
    filed(cast, "two")
    made = make_backup(places)
    assert (made.files, made.files_new) == (2, 1)
    after = files_in(places.data.folder)
    assert before.items() <= after.items()


def test_places_within_each_other_are_refused(places: Places, tmp_path: Path) -> None:
    for data, keys in (
        (tmp_path / "a", tmp_path / "a"), (tmp_path / "a", tmp_path / "a" / "keys"),
        (tmp_path / "a" / "b", tmp_path / "a"), (tmp_path / "a", f"file://{tmp_path}/a/../a/k"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match="must lie apart"):
            call_command("backup", to=str(data), keys_to=str(keys))
    assert not (tmp_path / "a").exists()
    with pytest.raises(BackupRefused, match="is a folder"):
        making.places_named("ftp://host/folder", str(tmp_path))


def test_without_places_it_says_what_to_set(settings: Any) -> None:
    with pytest.raises(CommandError, match="BACKUP_KEYS_URL"):
        call_command("backup")


def test_two_at_once_are_refused(places: Places) -> None:
    with places.data.locked(), pytest.raises(BackupRefused, match="Another backup"):
        make_backup(places)
    assert not Generation.objects.exists()


# Killed, full, missing --------------------------------------------------------------------------
class Killed(BaseException):
    pass


def at_each_write(
    monkeypatch: pytest.MonkeyPatch, number: int, happen: Callable[[], None]
) -> list[str]:
    """Have something happen before the given write into a place; gives what was written."""
    written: list[str] = []
    original = Folder.write

    def write(self: Folder, name: str, fill: Any) -> Any:
        if len(written) == number:
            happen()
        written.append(name)
        return original(self, name, fill)

    monkeypatch.setattr(Folder, "write", write)
    return written


def killed() -> None:
    raise Killed


@pytest.mark.parametrize("is_power_cut", [False, True])
def test_killed_at_any_step_it_leaves_no_generation_and_harms_no_other(
    cast: Cast, places: Places, is_power_cut: bool
) -> None:
    """Power cut: nothing is tidied up by whoever died, but by the next backup."""
    filed(cast)
    good = make_backup(places)
    filed(cast, "two")
    steps = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            at_each_write(patch, steps, killed)
            if is_power_cut:
                patch.setattr(making, "_abandon", lambda *_: None)
            try:
                make_backup(places)
            except Killed:
                pass
            else:
                break
        steps += 1
        assert [one.generation for one in whole_generations(places.data)] == [good.name]
        assert examine(places).data.generation == good.name
        assert not Generation.objects.filter(state=State.GOOD).exclude(pk=good.pk).exists()
    # Two keys, two dumps, the list, four ledgers, two manifests; the new file was there by then.
    assert steps == 11
    made = whole_generations(places.data)[-1].generation
    assert set(places.data.generations()) == {good.name, made}
    assert set(places.keys.generations()) == {good.name, made}
    assert Generation.objects.filter(state=State.FAILED).count() == steps
    assert not Generation.objects.filter(state=State.MAKING).exists()
    assert back(places).trail.verified
    assert Study.objects.count() == 2


def no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_said_and_leaves_nothing_half_made(
    cast: Cast, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(cast)
    good = make_backup(places)
    filed(cast, "two")
    real, room = os.write, [200_000]

    def write(file: int, data: Any) -> int:
        room[0] -= len(data)
        if room[0] < 0:
            no_room()
        return real(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("backups.gateways.folder.os.write", write)
        with pytest.raises(PlaceFull, match=r"no room left.*BACKUP_KEEP_DATA_DAYS"):
            make_backup(places)
    assert places.data.generations() == places.keys.generations() == [good.name]
    assert not any("tmp/" in name for name in files_in(places.data.folder))
    failed = Generation.objects.get(state=State.FAILED)
    assert "no room" in failed.failure
    assert Event.objects.filter(action="backup.failed").count() == 1
    assert Notification.objects.filter(template="backup-failed", user=cast.administrator).exists()
    assert not Notification.objects.filter(template="backup-failed", user=cast.clinician).exists()


@pytest.mark.embedded
def test_a_state_folder_without_room_is_said(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("backups.gateways.sqlite._copy", full)
    with pytest.raises(PlaceFull, match="no room for a snapshot"):
        make_backup(places)
    assert places.data.generations() == []


def test_what_is_filed_while_a_backup_runs_is_whole_after_a_restore(
    cast: Cast, places: Places
) -> None:
    """Rows are read first: whatever they name was stored before them, and is read after them."""
    for number in range(12):
        with pytest.MonkeyPatch.context() as patch:
            at_each_write(patch, number, lambda n=number: filed(cast, f"study-{n}"))
            make_backup(places)
        before = Study.objects.count()
        back(places)
        assert Study.objects.count() in {before, before - 1}
        checked = check_blobs()
        assert (checked.whole, checked.damaged) == (Blob.objects.count(), 0)


def test_missing_or_old_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_major_version", lambda _: 99)
    with monkeypatch.context() as patch:
        patch.setattr(postgresql.shutil, "which", lambda _: None)
        with pytest.raises(BackupRefused, match="postgresql-client-99"):
            postgresql.require_programs("default")
    if postgresql.shutil.which("pg_dump"):
        with pytest.raises(BackupRefused, match="older than the server"):
            postgresql.require_programs("default")


def test_what_was_finished_by_somebody_who_died_then_is_entered_by_the_next(
    cast: Cast, places: Places
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "enter", lambda *_, **__: killed())
        with pytest.raises(Killed):
            make_backup(places)
    first = Generation.objects.get()
    assert first.state == State.MAKING
    make_backup(places)
    first.refresh_from_db()
    assert first.state == State.GOOD
    assert Event.objects.filter(action="backup.made", target_id=first.name).count() == 1
