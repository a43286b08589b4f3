"""Stored objects as bytes: opened from the vault, one after the other or a range of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self
from uuid import UUID

from studies.models import Instance
from studies.rules.layout import Ranges
from studies.sealing import blob_context
from vault.services.blobs import SealedBlob, open_blob
from vault.services.data_keys import open_data_keys


class ObjectReader:
    """Reads objects of one request; a blob that holds several is opened once.

    Give rows with `blob` joined. Use as a context manager, so that files are closed.
    """

    def __init__(self, rows: Iterable[Instance]) -> None:
        self._keys: dict[UUID, bytes] = open_data_keys(ids={row.blob.key_id for row in rows})
        self._name = ""
        self._blob: SealedBlob | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._blob is not None:
            self._blob.close()
        self._blob, self._name = None, ""

    def stream(self, row: Instance) -> Iterator[memoryview]:
        """Yield the whole object in pieces, each authenticated before it is given."""
        yield from self._open(row).stream(row.offset, row.length)

    def read(self, row: Instance, start: int = 0, length: int | None = None) -> bytes:
        """Return a range of the object; the rest of it by default."""
        wanted = row.length - start if length is None else min(length, row.length - start)
        return self._open(row).read(row.offset + start, wanted)

    def read_ranges(self, row: Instance, ranges: Ranges) -> bytes:
        return b"".join(self.read(row, start, length) for start, length in ranges)

    def _open(self, row: Instance) -> SealedBlob:
        if self._name != row.blob.name or self._blob is None:
            self.close()
            key = self._keys[row.blob.key_id]
            self._blob = open_blob(
                row.blob.name, key=key, context=blob_context(row.organisation_id)
            )
            self._name = row.blob.name
        return self._blob
