"""A folder for copies, best a disk or a share of another machine.

What is written appears whole or not at all: under a temporary name, synced, renamed, and the
folder synced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from backups.gateways.place import PIECE, Counting, Place, Sink, Written
from backups.rules.refusals import BackupRefused, CopyDamaged, PlaceFull, PlaceRefused

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Folder(Place):
    """A folder of copies that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def write(self, name: str, fill: Callable[[Sink], object]) -> Written:
        """Have `fill` write pieces into a file of this name; nothing is left if it fails."""
        final, part = self.folder / name, self.folder / "tmp" / uuid4().hex
        with _typed(self):
            _make_folder(part.parent)
            _make_folder(final.parent)
            try:
                written = _fill(part, fill)
                part.replace(final)
                _sync_folder(final.parent)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
        return written

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file in pieces; raises `CopyDamaged` if there is none."""
        with _typed(self):
            try:
                file = (self.folder / name).open("rb")
            except FileNotFoundError:
                raise CopyDamaged(f"{name} is not in {self}.") from None
            with file:
                while piece := file.read(PIECE):
                    yield piece

    def has(self, name: str) -> bool:
        with _typed(self):
            return (self.folder / name).is_file()

    def delete(self, name: str) -> bool:
        """Overwrite and unlink a file; tell whether there was one. Safe to repeat."""
        path = self.folder / name
        with _typed(self):
            try:
                # Wrapped keys are small: on what overwrites in place, nothing of them is left.
                if path.stat().st_size <= PIECE:
                    _overwrite(path)
                path.unlink()
            except FileNotFoundError:
                return False
            _sync_folder(path.parent)
        return True

    def delete_folder(self, name: str) -> None:
        with _typed(self), suppress(FileNotFoundError):
            shutil.rmtree(self.folder / name)

    def generations(self) -> list[str]:
        """Give the folders of generations, finished or not, the oldest first."""
        with _typed(self), suppress(FileNotFoundError):
            return sorted(one.name for one in (self.folder / "generations").iterdir())
        return []

    def blob_names(self) -> Iterator[str]:
        with _typed(self):
            for folder in sorted((self.folder / "blobs").glob("??")):
                yield from sorted(one.name for one in folder.iterdir())

    def clear_leftovers(self) -> None:
        """Remove what a writer that was killed left; nobody else writes under the lock."""
        self.delete_folder("tmp")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing here meanwhile; a lock ends with its process."""
        with _typed(self):
            _make_folder(self.folder)
            file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(file, self)
            yield
        finally:
            os.close(file)

    def lies_with(self, other: Place) -> bool:
        if not isinstance(other, Folder):
            return False
        one, two = self.folder, other.folder
        return one.is_relative_to(two) or two.is_relative_to(one)


def _fill(part: Path, fill: Callable[[Sink], object]) -> Written:
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:

        def put(view: memoryview) -> None:
            while view:
                view = view[os.write(file, view) :]

        counted = Counting(put)
        fill(counted)
        os.fsync(file)
    finally:
        os.close(file)
    return counted.written


def _lock(file: int, place: Folder) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackupRefused(f"Another backup or rotation is at work in {place}.") from None


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _typed(place: Folder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PlaceFull(
                f"{place} has no room left. Make room, or let older generations end sooner"
                " (BACKUP_KEEP_DATA_DAYS), and run it again."
            ) from error
        raise PlaceRefused(f"{place} cannot be used: {error.strerror}.") from error
