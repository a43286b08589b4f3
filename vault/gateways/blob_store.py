"""What the vault asks of a place that stores sealed bytes, and which place the settings name.

A blob is named by a random UUID, written once, and visible only when it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class BlobSink(Protocol):
    """One blob on its way in. Exactly one of ``publish`` and ``discard`` ends it."""

    def write(self, sealed: memoryview) -> None:
        """Take the next bytes; the view is used again afterwards."""

    def flush(self) -> None:
        """Make what was written durable, still invisible."""

    def publish(self) -> None:
        """Make the flushed blob visible under its name, durably."""

    def discard(self) -> None:
        """Leave nothing behind; safe to repeat, and after a failed write or publish."""


class BlobReader(Protocol):
    """One stored blob, open for reading."""

    @property
    def size(self) -> int:
        """Give the size in bytes."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Read bytes; fewer than ``length`` only at the end."""

    def close(self) -> None:
        """Let go of it; safe to repeat."""


class BlobStore(Protocol):
    """A place that stores sealed bytes.

    Any call may raise ``StorageUnreachable`` or, when writing, ``StorageFull``.
    """

    def create(self, name: str) -> BlobSink:
        """Begin a blob. Its name must be new."""

    def publish_together(self, sinks: Sequence[BlobSink]) -> None:
        """Publish several flushed blobs at less cost than one by one.

        If it fails, some of them may be visible: the caller deletes them by name.
        """

    def open(self, name: str) -> BlobReader:
        """Open a blob; raise ``BlobMissing``."""

    def delete(self, name: str) -> bool:
        """Delete a blob durably; tell whether there was one."""

    def delete_together(self, names: Sequence[str]) -> None:
        """Delete several durably at less cost than one by one, whether they are there or not.

        If it fails, some of them may be gone; it is safe to repeat.
        """

    def names(self, *, before: datetime) -> Iterator[str]:
        """Give the names of blobs published before a moment."""

    def discard_leftovers(self, *, before: datetime) -> int:
        """Remove what writers that died before a moment left behind; tell how many."""


def checked_name(name: str) -> str:
    """Return the name if it is a canonical UUID, or raise ``ValueError``: it becomes a path."""
    if str(UUID(name)) != name:
        raise ValueError(f"not the name of a blob: {name!r}")
    return name


def place_of(name: str) -> str:
    """Give the place of a blob: ``ab/ab01...``, so that no folder grows without bound."""
    return f"{checked_name(name)[:2]}/{name}"


def blob_store() -> BlobStore:
    """Give the store that ``STORAGE_URL`` names."""
    return _store_at(settings.STORAGE_URL, os.getpid())


@lru_cache(maxsize=8)
def _store_at(url: str, _process: int) -> BlobStore:
    """Open the store; once per process, since connections must not survive a fork."""
    # boto3 is slow to import, so a store is imported where it is needed.
    parts = urlsplit(url)
    if parts.scheme == "file":
        from vault.gateways.file_store import FileStore

        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from vault.gateways.s3_store import S3Store

        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return S3Store(
            parts.netloc,
            endpoint=query.get("endpoint"),
            region=query.get("region"),
            prefix=unquote(parts.path).strip("/"),
        )
    raise ImproperlyConfigured("STORAGE_URL must be file:///folder or s3://bucket?...")
