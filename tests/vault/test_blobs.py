"""A blob is stored whole and sealed, or not at all, and opens only as itself."""

from __future__ import annotations

import io
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from vault.gateways.blob_store import blob_store
from vault.rules.errors import BlobMissing, StorageFull, StorageUnreachable, Tampered, WrongKey
from vault.rules.sealed_stream import sealed_size
from vault.services.blobs import (
    SealedBlob,
    StoredBlob,
    commit_blobs,
    delete_blob,
    open_blob,
    seal_blob,
    stored_names,
    sweep_blobs,
)

KEY = bytes(range(32))
CONTEXT = b"study 1"
CANARY = b"PATIENT-CANARY-0123456789"


def store(plaintext: bytes, context: bytes = CONTEXT) -> StoredBlob:
    with seal_blob(key=KEY, context=context) as writer:
        writer.write(plaintext)
        return writer.commit()


def opened(blob: StoredBlob) -> SealedBlob:
    return open_blob(blob.name, key=KEY, context=CONTEXT)


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def soon() -> datetime:
    return timezone.now() + timedelta(minutes=1)


@pytest.mark.parametrize("size", [0, 1, 16384, 3_000_000])
def test_what_was_stored_is_read_back(folder: Path, size: int) -> None:
    plaintext = os.urandom(size)
    blob = store(plaintext)
    with opened(blob) as sealed:
        assert sealed.size == blob.plaintext_size == size
        assert sealed.read() == plaintext
        assert b"".join(sealed.stream(piece=100_000)) == plaintext
        assert sealed.read(size // 2, 1000) == plaintext[size // 2 : size // 2 + 1000]


def test_size_is_that_of_the_stored_bytes(folder: Path) -> None:
    blob = store(os.urandom(100_000))
    path = folder / blob.name[:2] / blob.name
    assert path.stat().st_size == blob.size == sealed_size(100_000)


def test_no_plaintext_and_no_foreign_access_at_any_time(folder: Path) -> None:
    with seal_blob(key=KEY, context=CANARY) as writer:
        for _ in range(300):
            writer.write(CANARY * 300)
            for path in files_under(folder):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
        begun = files_under(folder)
        assert sum(path.stat().st_size for path in begun) > 1_000_000
        assert not any(CANARY in path.read_bytes() for path in begun)
        writer.commit()
    assert not any(CANARY in path.read_bytes() for path in files_under(folder))
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in folder.iterdir())


def test_a_blob_is_invisible_until_it_is_committed(folder: Path) -> None:
    with seal_blob(key=KEY, context=CONTEXT) as writer:
        writer.write(os.urandom(2_500_000))
        assert list(stored_names(before=soon())) == []
        with pytest.raises(BlobMissing):
            open_blob(writer.name, key=KEY, context=CONTEXT)
        writer.commit()
    assert list(stored_names(before=soon())) == [writer.name]


def test_an_exception_or_a_forgotten_commit_leaves_nothing(folder: Path) -> None:
    with pytest.raises(RuntimeError), seal_blob(key=KEY, context=CONTEXT) as writer:
        writer.write(bytes(2_000_000))
        raise RuntimeError
    with seal_blob(key=KEY, context=CONTEXT) as writer:
        writer.write(b"forgotten")
    assert files_under(folder) == []


def test_a_writer_ends_once_and_a_second_commit_harms_nothing(folder: Path) -> None:
    writer = seal_blob(key=KEY, context=CONTEXT)
    writer.write(b"image")
    blob = writer.commit()
    for act in (writer.commit, lambda: writer.write(b"more")):
        with pytest.raises(ValueError, match="ended"):
            act()
    writer.abort()
    assert opened(blob).read() == b"image"


def test_a_blob_in_the_place_of_another_does_not_open(folder: Path) -> None:
    one, other = store(b"first image"), store(b"second image")
    shutil.copy(folder / one.name[:2] / one.name, folder / other.name[:2] / other.name)
    assert opened(one).read() == b"first image"
    with pytest.raises(WrongKey):
        opened(other)


def test_another_context_or_key_does_not_open(folder: Path) -> None:
    blob = store(b"image")
    with pytest.raises(WrongKey):
        open_blob(blob.name, key=KEY, context=b"study 2")
    with pytest.raises(WrongKey):
        open_blob(blob.name, key=bytes(32), context=CONTEXT)


def test_damage_on_the_disk_is_noticed(folder: Path) -> None:
    blob = store(os.urandom(200_000))
    path = folder / blob.name[:2] / blob.name
    with path.open("r+b") as file:
        file.seek(100_000)
        byte = file.read(1)[0]
        file.seek(100_000)
        file.write(bytes([byte ^ 1]))
    with opened(blob) as sealed:
        assert len(sealed.read(0, 1000)) == 1000
        with pytest.raises(Tampered):
            sealed.read()


def test_a_deleted_blob_is_gone_and_deleting_again_is_harmless(folder: Path) -> None:
    blob = store(b"image")
    reader = opened(blob)
    assert delete_blob(name=blob.name) is True
    assert delete_blob(name=blob.name) is False
    with pytest.raises(BlobMissing):
        opened(blob)
    assert reader.read() == b"image"
    assert files_under(folder) == []


@pytest.mark.parametrize("name", ["../secrets/key", "", "ab", "A" * 36, "0" * 32])
def test_only_names_of_blobs_become_paths(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"UUID|name"):
        open_blob(name, key=KEY, context=CONTEXT)
    with pytest.raises(ValueError, match=r"UUID|name"):
        delete_blob(name=name)


def test_the_sweep_takes_orphans_and_what_dead_writers_left(folder: Path) -> None:
    kept, orphan = store(b"kept"), store(b"orphan")
    dead = seal_blob(key=KEY, context=CONTEXT)
    dead.write(bytes(2_000_000))
    long_ago = timezone.now() - timedelta(days=1)
    assert sweep_blobs(orphans=[], before=long_ago) == 0
    assert list(stored_names(before=long_ago)) == []
    (left,) = set(stored_names(before=soon())) - {kept.name}
    assert sweep_blobs(orphans=[left], before=soon()) == 2
    assert left == orphan.name
    assert [path.name for path in files_under(folder)] == [kept.name]
    dead.abort()


def test_blobs_committed_together_are_all_there_or_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun() -> list[str]:
        for writer in writers:
            writer.write(writer.name.encode())
        return [writer.name for writer in writers]

    writers = [seal_blob(key=KEY, context=CONTEXT) for _ in range(20)]
    names = begun()
    assert [blob.name for blob in commit_blobs(writers=writers)] == names
    for name in names:
        assert open_blob(name, key=KEY, context=CONTEXT).read() == name.encode()
    assert commit_blobs(writers=[]) == []

    writers = [seal_blob(key=KEY, context=CONTEXT) for _ in range(20)]
    begun()
    monkeypatch.setattr(writers[11].sink, "rename", _refuse)
    with pytest.raises(StorageFull):
        commit_blobs(writers=writers)
    assert sorted(path.name for path in files_under(folder)) == sorted(names)


def _refuse() -> None:
    raise StorageFull("no room left")


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(["seek", "end", "read"]), st.integers(0, 200_000))))
def test_the_file_view_behaves_as_a_file(folder: Path, moves: list[tuple[str, int]]) -> None:
    plaintext = bytes(range(256)) * 600
    plain, file = io.BytesIO(plaintext), opened(store(plaintext)).as_file()
    for move, number in moves:
        for one in (plain, file):
            if move == "seek":
                one.seek(number)
            elif move == "end":
                one.seek(-min(number, len(plaintext)), io.SEEK_END)
        if move == "read":
            assert file.read(number) == plain.read(number)
        assert file.tell() == plain.tell()
    file.close()


def test_a_zip_is_read_from_a_sealed_blob(folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(50):
            archive.writestr(f"IM{number:04}", CANARY * (number * 100))
    blob = store(packed.getvalue())
    file = opened(blob).as_file()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.read("IM0049") == CANARY * 4900
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def test_a_missing_folder_is_made_and_an_impossible_one_is_named(
    tmp_path: Path, settings: Settings
) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}/deep/er/blobs"
    assert opened(store(b"image")).read() == b"image"
    (tmp_path / "file").write_bytes(b"")
    settings.STORAGE_URL = f"file://{tmp_path}/file/blobs"
    with pytest.raises(StorageUnreachable):
        blob_store()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only an administrator can mount a small disk; faults are injected elsewhere")
    assert os.system(f"mount -t tmpfs -o size=4m,mode=700 tmpfs '{disk}'") == 0
    yield disk
    os.system(f"umount '{disk}'")


@pytest.mark.stack
def test_a_full_disk_is_named_and_leaves_what_was_there(
    small_disk: Path, settings: Settings
) -> None:
    settings.STORAGE_URL = f"file://{small_disk}"
    kept = store(os.urandom(1_000_000))
    with pytest.raises(StorageFull), seal_blob(key=KEY, context=CONTEXT) as writer:
        for _ in range(100):
            writer.write(os.urandom(100_000))
    assert [path.name for path in files_under(small_disk)] == [kept.name]
    assert opened(kept).size == 1_000_000
    assert store(os.urandom(1_000_000)).plaintext_size == 1_000_000
