"""A writer may be killed, and any of its calls may fail, at any step: nothing is half visible."""

from __future__ import annotations

import errno
import os
import signal
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.vault.store_faults import FaultyOs, die, failing
from vault.gateways import file_store
from vault.gateways.blob_store import blob_store
from vault.rules.errors import StorageError, StorageFull, StorageUnreachable
from vault.services.blobs import (
    commit_blobs,
    delete_blobs,
    open_blob,
    seal_blob,
    stored_names,
    sweep_blobs,
)

KEY = bytes(range(32))
CONTEXT = b"study 1"
PLAINTEXT = b"PATIENT-CANARY-0123456789" * 100_000
# Steps of writing two blobs, from the first open to the last close of a folder.
STEPS = 44


def write_two() -> list[str]:
    with ExitStack() as stack:
        writers = [stack.enter_context(seal_blob(key=KEY, context=CONTEXT)) for _ in range(2)]
        for writer in writers:
            writer.write(PLAINTEXT)
        return [blob.name for blob in commit_blobs(writers=writers)]


def write_two_apart() -> list[str]:
    """In two folders, so that deleting them takes the same steps each time."""
    while True:
        names = write_two()
        if names[0][:2] != names[1][:2]:
            return names
        delete_blobs(names=names)


def visible() -> list[str]:
    return list(stored_names(before=timezone.now() + timedelta(minutes=1)))


def undisturbed_write(patch: pytest.MonkeyPatch) -> FaultyOs:
    blob_store()
    watching = FaultyOs(-1, before=None, after=None)
    with patch.context() as inner:
        inner.setattr(file_store, "os", watching)
        write_two()
    return watching


def test_every_step_of_a_write_is_among_those_that_are_broken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = undisturbed_write(monkeypatch).steps
    assert 20 <= len(steps) <= STEPS
    assert steps.count("rename") == 2


def test_bytes_are_durable_before_their_name_and_the_name_before_the_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = undisturbed_write(monkeypatch)
    calls = list(zip(written.steps, written.targets, strict=True))
    for at in (n for n, step in enumerate(written.steps) if step == "rename"):
        temporary = written.targets[at]
        last_write = max(n for n in range(at) if calls[n] == ("write", temporary))
        assert ("fsync", temporary) in calls[last_write:at]
        final_folder = str(folder / Path(temporary).name[:2])
        assert ("fsync", final_folder) in calls[at:]
        assert ("fsync", str(folder)) in calls[calls.index(("mkdir", final_folder)) : at]


def test_a_folder_made_by_a_writer_that_died_is_synced_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob_store()
    for number in range(256):
        (folder / f"{number:02x}").mkdir()
    written = undisturbed_write(monkeypatch)
    calls = list(zip(written.steps, written.targets, strict=True))
    assert ("fsync", str(folder)) in calls[: written.steps.index("rename")]


def test_writes_that_the_system_cuts_short_are_completed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stingy(FaultyOs):
        def write(self, file: int, data: memoryview) -> int:
            return os.write(file, data[:100_001])

        def pread(self, file: int, length: int, offset: int) -> bytes:
            return os.pread(file, min(length, 70_001), offset)

    monkeypatch.setattr(file_store, "os", Stingy(-1, before=None, after=None))
    for name in write_two():
        with open_blob(name, key=KEY, context=CONTEXT) as blob:
            assert blob.read() == PLAINTEXT


def kill_at(step: int, *, after: bool) -> tuple[int, bytes]:
    """Write in a child that dies at one step; return its status and what it acknowledged."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        fault = {"before": None, "after": die} if after else {"before": die, "after": None}
        vars(file_store)["os"] = FaultyOs(step, **fault)
        os.write(tell, " ".join(write_two()).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        acknowledged = pipe.read()
    return os.waitpid(child, 0)[1], acknowledged


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_writer_leaves_whole_blobs_or_nothing(folder: Path, after: bool) -> None:
    blob_store()
    killed = 0
    for step in range(STEPS):
        known = set(visible())
        status, acknowledged = kill_at(step, after=after)
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        new = set(visible()) - known
        assert len(new) <= 2
        assert set(acknowledged.decode().split()) <= new
        for name in new:
            with open_blob(name, key=KEY, context=CONTEXT) as blob:
                assert blob.read() == PLAINTEXT
        for path in folder.rglob("*"):
            assert path.is_dir() or b"PATIENT" not in path.read_bytes()
    assert killed >= 20

    # The sweep clears what the dead left, and the store goes on working.
    sweep_blobs(orphans=visible(), before=timezone.now() + timedelta(minutes=1))
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert sorted(write_two()) == visible()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EIO, StorageUnreachable),
    ],
)
@pytest.mark.parametrize("step", range(STEPS))
def test_a_failing_call_leaves_all_or_nothing(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    number: int,
    expected: type[StorageError],
) -> None:
    blob_store()
    faulty = FaultyOs(step, before=failing(number), after=None)
    with monkeypatch.context() as patch:
        patch.setattr(file_store, "os", faulty)
        if not faulted(expected):
            # Two blobs that share a folder take fewer steps than two that do not.
            assert len(faulty.steps) <= step
            assert len(visible()) == 2
            return
    assert visible() == []
    # What could not be unlinked at once is left to the sweep; all else is cleared.
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left == [] or faulty.steps[step] == "unlink"
    assert sorted(write_two()) == visible()


def faulted(expected: type[StorageError]) -> bool:
    """Write two blobs; tell whether that failed, and make sure it failed as expected."""
    try:
        write_two()
    except expected:
        return True
    return False


# Deleting many ------------------------------------------------------------------------------------
def watched_deletion(patch: pytest.MonkeyPatch, names: list[str], at: int = -1) -> FaultyOs:
    watching = FaultyOs(at, before=failing(errno.EIO), after=None)
    with patch.context() as inner:
        inner.setattr(file_store, "os", watching)
        if at < 0:
            delete_blobs(names=names)
        else:
            with pytest.raises(StorageUnreachable):
                delete_blobs(names=names)
    return watching


def test_many_are_deleted_with_one_sync_for_each_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for _ in range(8) for name in write_two()]
    folders = {name[:2] for name in names}
    # What is not there is synced as well: whoever deleted it may have died before that.
    absent = "00000000-0000-4000-8000-000000000000"
    steps = watched_deletion(monkeypatch, [*names, absent])
    assert visible() == []
    assert steps.steps.count("unlink") == len(names) + 1
    synced = [
        Path(target).name
        for name, target in zip(steps.steps, steps.targets, strict=True) if name == "fsync"
    ]  # fmt: skip
    assert sorted(synced) == sorted(folders)
    assert "unlink" not in steps.steps[steps.steps.index("fsync") :]
    delete_blobs(names=names)


def test_a_deletion_that_fails_half_way_is_completed_by_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = write_two_apart()
    for at in range(len(watched_deletion(monkeypatch, names).steps)):
        names = write_two_apart()
        watched_deletion(monkeypatch, names, at)
        delete_blobs(names=names)
        assert visible() == []
