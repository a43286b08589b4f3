"""Store sealed bytes in a folder of the local file system.

A blob is written to ``tmp/<uuid>``, synced, renamed to ``ab/<uuid>``, and the folder synced: a
power cut leaves the whole blob or none. Everything under the folder is sealed.
"""

# ruff: noqa: PTH102, PTH104, PTH108 - tests put one stand-in for os in its place

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import cast

from vault.gateways.blob_store import BlobSink, checked_name, place_of
from vault.rules.errors import BlobMissing, StorageError, StorageFull, StorageUnreachable

_TEMPORARY = "tmp"
_FAN_OUT = 2
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FileStore:
    """A folder of sealed blobs. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lasting: set[Path] = set()
        with _typed_errors():
            _make_folder(folder / _TEMPORARY)

    def create(self, name: str) -> FileSink:
        """Begin a blob under a temporary name that only the owner can read."""
        final = self._folder / place_of(name)
        with _typed_errors():
            return FileSink(self._folder / _TEMPORARY / name, final, self._make_lasting)

    def _make_lasting(self, folder: Path) -> None:
        """Make sure of a folder's own entry, once per process even if the folder is there.

        Whoever made it may have died before it was synced.
        """
        if folder not in self._lasting:
            _make_folder(folder)
            self._lasting.add(folder)

    def publish_together(self, sinks: Sequence[BlobSink]) -> None:
        """Rename all, then sync each folder once."""
        files = cast("Sequence[FileSink]", sinks)
        with _typed_errors():
            for sink in files:
                sink.rename()
            for folder in {sink.final.parent for sink in files}:
                _sync_folder(folder)

    def open(self, name: str) -> FileReader:
        """Open a blob; raise ``BlobMissing``."""
        with _typed_errors():
            try:
                return FileReader(self._folder / place_of(name))
            except FileNotFoundError:
                raise BlobMissing("no such blob") from None

    def delete(self, name: str) -> bool:
        """Unlink a blob and sync its folder; tell whether there was one."""
        path = self._folder / place_of(name)
        with _typed_errors():
            existed = True
            try:
                os.unlink(path)
            except FileNotFoundError:
                existed = False
            # Synced even if absent: an earlier deletion may have died between the two steps.
            with suppress(FileNotFoundError):
                _sync_folder(path.parent)
        return existed

    def delete_together(self, names: Sequence[str]) -> None:
        """Unlink all, then sync each folder once, also where nothing was."""
        paths = [self._folder / place_of(name) for name in names]
        with _typed_errors():
            for path in paths:
                with suppress(FileNotFoundError):
                    os.unlink(path)
            for folder in {path.parent for path in paths}:
                with suppress(FileNotFoundError):
                    _sync_folder(folder)

    def names(self, *, before: datetime) -> Iterator[str]:
        """Give the names of blobs last written before a moment."""
        for folder in sorted(self._folder.iterdir()):
            if len(folder.name) == _FAN_OUT and folder.is_dir():
                yield from _older_names(folder, before)

    def discard_leftovers(self, *, before: datetime) -> int:
        """Remove temporary files last written before a moment; tell how many."""
        leftovers = list(_older_names(self._folder / _TEMPORARY, before))
        with _typed_errors():
            for name in leftovers:
                with suppress(FileNotFoundError):
                    os.unlink(self._folder / _TEMPORARY / name)
        return len(leftovers)


class FileSink:
    """One blob on its way into a folder."""

    def __init__(self, temporary: Path, final: Path, make_folder: Callable[[Path], None]) -> None:
        self._temporary = temporary
        self.final = final
        self._make_folder = make_folder
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file: int | None = os.open(temporary, flags, 0o600)

    def write(self, sealed: memoryview) -> None:
        """Append bytes."""
        if self._file is None:
            raise ValueError("this blob was ended")
        with _typed_errors():
            while sealed:
                sealed = sealed[os.write(self._file, sealed) :]

    def flush(self) -> None:
        """Sync the temporary file to the disk and close it."""
        with _typed_errors():
            if self._file is not None:
                os.fsync(self._file)
            self._close()

    def publish(self) -> None:
        """Rename to the final name and sync the folder."""
        with _typed_errors():
            self.rename()
            _sync_folder(self.final.parent)

    def rename(self) -> None:
        """Give the file its final name, not yet durably."""
        if self._file is not None:
            raise ValueError("flush a blob before it is published")
        self._make_folder(self.final.parent)
        os.rename(self._temporary, self.final)

    def discard(self) -> None:
        """Close and unlink the temporary file."""
        with _typed_errors():
            self._close()
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class FileReader:
    """One blob in a folder, open for reading; it stays readable if it is deleted meanwhile."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read bytes; fewer than ``length`` only at the end."""
        if self._file is None:
            raise ValueError("this blob was closed")
        with _typed_errors():
            pieces = [os.pread(self._file, length, offset)]
            # Linux reads at most 2 GiB at once, and a signal may cut a read short.
            while (got := sum(map(len, pieces))) < length and pieces[-1]:
                pieces.append(os.pread(self._file, length - got, offset + got))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the file; safe to repeat."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __del__(self) -> None:
        self.close()


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _typed(error) from error


def _typed(error: OSError) -> StorageError:
    kind: Callable[[str], StorageError]
    kind = StorageFull if error.errno in _FULL else StorageUnreachable
    return kind(f"the folder of blobs: {error.strerror}")


def _make_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it, each synced into its parent."""
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    # It may be there, or another writer be making it; each syncs, so that none relies on another.
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _older_names(folder: Path, before: datetime) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            with suppress(FileNotFoundError, ValueError):
                name = checked_name(entry.name)
                if entry.stat().st_mtime < before.timestamp():
                    yield name
