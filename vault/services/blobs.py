"""Seal blobs into the store and open them again. No plaintext ever touches a disk.

A blob is bound to its own name as well as to the caller's context, so that one blob put in the
place of another does not open.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vault.gateways.blob_store import BlobReader, BlobStore, blob_store
from vault.rules.contexts import bind
from vault.rules.errors import BlobMissing, StorageError
from vault.rules.sealed_stream import BUFFER, RangeOpener, Sealer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

FILE_BUFFER = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What the caller keeps about a blob that was committed."""

    name: str
    size: int
    """Sealed bytes in the store."""
    plaintext_size: int


class BlobWriter:
    """One blob being sealed. Left without ``commit``, also by an exception, it is aborted."""

    def __init__(self, store: BlobStore, key: bytes, context: bytes) -> None:
        self.name = str(uuid.uuid4())
        self.store = store
        self._size = 0
        self._ended = False
        self._finished = False
        self._sealer = Sealer(key, blob_context(self.name, context), self._take)
        self.sink = store.create(self.name)

    def write(self, data: ReadableBuffer) -> int:
        """Seal the next bytes, in pieces of any size; return how many were taken."""
        self.refuse_if_ended()
        return self._sealer.write(memoryview(data))

    def commit(self) -> StoredBlob:
        """Make the blob durable and visible, and tell what to keep of it."""
        return commit_blobs(writers=[self])[0]

    def abort(self) -> None:
        """Leave nothing behind; safe to repeat, and without effect after ``commit``."""
        if not self._ended:
            self._ended = True
            self.sink.discard()

    def refuse_if_ended(self) -> None:
        """Raise ``ValueError`` if the blob was committed or aborted."""
        if self._ended or self._finished:
            raise ValueError("this blob was ended")

    def _take(self, sealed: memoryview) -> None:
        self._size += len(sealed)
        self.sink.write(sealed)

    def finish(self) -> None:
        """Seal the last chunk and make all durable, still invisible: half of ``commit``."""
        self.refuse_if_ended()
        self._finished = True
        self._sealer.finish()
        self.sink.flush()

    def stored(self) -> StoredBlob:
        """Tell what to keep of the blob, once it is visible: the other half of ``commit``."""
        self._ended = True
        return StoredBlob(self.name, self._size, self._sealer.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


class SealedBlob:
    """One stored blob, opened: its key, context and length have been proved."""

    def __init__(self, reader: BlobReader, key: bytes, context: bytes) -> None:
        self._reader = reader
        self._opener = RangeOpener(reader.read_at, reader.size, key, context)
        self.size = self._opener.size
        """Plaintext size in bytes."""

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Return the plaintext of ``[start, start + length)``, shortened at the end."""
        return self._opener.read(start, self.size if length is None else length)

    def stream(
        self, start: int = 0, length: int | None = None, *, piece: int = BUFFER
    ) -> Iterator[memoryview]:
        """Yield plaintext as it is authenticated, about ``piece`` bytes at a time."""
        return self._opener.stream(start, self.size if length is None else length, piece)

    def as_file(self) -> io.BufferedReader:
        """Give a seekable binary file, for readers such as ``zipfile``."""
        return io.BufferedReader(SealedFile(self), FILE_BUFFER)

    def close(self) -> None:
        """Let go of the stored blob; safe to repeat."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class SealedFile(io.RawIOBase):
    """A read-only, seekable view of a sealed blob; closing it closes the blob."""

    def __init__(self, blob: SealedBlob) -> None:
        super().__init__()
        self._blob = blob
        self._at = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; a position beyond the end reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.size}[whence]
        if base + offset < 0:
            raise ValueError("a file has no negative position")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with plaintext; 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self._blob.read(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the blob as well."""
        if not self.closed:
            self._blob.close()
        super().close()


def blob_context(name: str, context: bytes) -> bytes:
    """Say which blob this is: its name and what the caller binds it to."""
    return bind("collimate/blob@v1", name, context)


def seal_blob(*, key: bytes, context: bytes) -> BlobWriter:
    """Begin a blob under a new random name.

    ``key`` is a data key (32 bytes). ``context`` says what the blob is, and must be known again
    when it is opened: build it with ``vault.rules.contexts.bind``.
    """
    return BlobWriter(blob_store(), key, context)


def commit_blobs(*, writers: Sequence[BlobWriter]) -> list[StoredBlob]:
    """Commit blobs that are acknowledged together: all of them or, on an error, none."""
    for writer in writers:
        # Before the attempt: withdrawing a blob that an earlier call committed would lose it.
        writer.refuse_if_ended()
    try:
        for writer in writers:
            writer.finish()
        if writers:
            writers[0].store.publish_together([writer.sink for writer in writers])
    except BaseException:
        _withdraw(writers)
        raise
    return [writer.stored() for writer in writers]


def _withdraw(writers: Sequence[BlobWriter]) -> None:
    """Undo a failed commit as far as the store lets us; the sweep finds what is left."""
    for writer in writers:
        with suppress(StorageError):
            writer.abort()
        with suppress(StorageError):
            writer.store.delete(writer.name)


def open_blob(name: str, *, key: bytes, context: bytes) -> SealedBlob:
    """Open a blob; raises ``BlobMissing``, ``WrongKey``, ``Tampered`` or ``Truncated``."""
    reader = blob_store().open(name)
    try:
        return SealedBlob(reader, key, blob_context(name, context))
    except BaseException:
        reader.close()
        raise


def delete_blob(*, name: str) -> bool:
    """Delete a blob durably; tell whether there was one. Safe to repeat."""
    return blob_store().delete(name)


def delete_blobs(*, names: Sequence[str]) -> None:
    """Delete blobs durably, whether they are there or not. Safe to repeat, and after a failure."""
    blob_store().delete_together(names)


def is_stored(*, name: str) -> bool:
    """Ask the store itself whether there is such a blob, for proof that there is none."""
    try:
        blob_store().open(name).close()
    except BlobMissing:
        return False
    return True


def stored_names(*, before: datetime) -> Iterator[str]:
    """Give the names of blobs stored before a moment, for a sweep of those nobody names."""
    return blob_store().names(before=before)


def sweep_blobs(*, orphans: Collection[str], before: datetime) -> int:
    """Delete blobs that nobody names and what dead writers left behind; tell how many.

    The caller compares ``stored_names`` with its rows. ``before`` must lie further back than
    the longest upload lasts.
    """
    store = blob_store()
    return sum(store.delete(name) for name in orphans) + store.discard_leftovers(before=before)
