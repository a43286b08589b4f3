"""Stored objects as bytes: opened from the vault, one after the other or a range of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Self
from uuid import UUID

from studies.gateways.corrections import Coercions, coercions_of
from studies.models import Blob, Instance
from studies.rules.coercing import Edit, corrected_length, edits_of, stretches
from studies.rules.layout import Ranges
from studies.sealing import blob_context
from vault.rules.archive import archive_opened
from vault.rules.errors import BlobMissing, SealError
from vault.services.blobs import SealedBlob, open_blob
from vault.services.data_keys import open_data_key, open_data_keys

Alarm = Callable[[int, str], object]
# Who is told that a file did not open: set when the portal starts (studies.apps).
_alarms: list[Alarm] = []


def on_damage(alarm: Alarm) -> None:
    """Have this called with the number of a file that does not open, and why."""
    _alarms[:] = [alarm]


def has_alarm() -> bool:
    return bool(_alarms)


@contextmanager
def _watched(blob_id: int) -> Iterator[None]:
    """Raise the alarm over a damaged file, on the way to whoever asked for it."""
    try:
        yield
    except (SealError, BlobMissing) as error:
        for alarm in _alarms:
            alarm(blob_id, "missing" if isinstance(error, BlobMissing) else "altered")
        raise


def read_whole(blob: Blob) -> None:
    """Read a file from end to end; raises `SealError` or `BlobMissing`. `study` is joined.

    Also one of the legal archive: nothing of what is read goes anywhere.
    """
    with archive_opened([blob.key_id]):
        key = open_data_key(id=blob.key_id)
    context = blob_context(blob.study.organisation_id)
    with open_blob(blob.name, key=key, context=context) as opened:
        for _ in opened.stream():
            pass


def lengths_of(rows: Collection[Instance]) -> dict[int, int]:
    """How long each of these objects is as it goes out, by primary key."""
    if not coercions_of({row.study_id for row in rows}):
        return {row.pk: row.length for row in rows}
    with ObjectReader(rows) as reader:
        return {row.pk: reader.length(row) for row in rows}


class ObjectReader:
    """Reads objects of one request; a blob that holds several is opened once.

    Give rows with `blob` joined. Use as a context manager, so that files are closed.
    """

    def __init__(self, rows: Iterable[Instance]) -> None:
        rows = list(rows)
        self._keys: dict[UUID, bytes] = open_data_keys(ids={row.blob.key_id for row in rows})
        self._studies = {row.study_id for row in rows}
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
        """Yield the whole object as corrected, in pieces, each authenticated before it is given.

        The only way by which whole objects go out. Raises `CannotCoerce`.
        """
        edits = self._edits(row)
        if not edits:
            yield from self.stream_as_received(row)
            return
        for part in stretches(row.length, edits):
            if isinstance(part, bytes):
                yield memoryview(part)
            else:
                place, length = part
                with _watched(row.blob_id):
                    yield from self._open(row).stream(row.offset + place, length)

    def length(self, row: Instance) -> int:
        """How long the object is as corrected."""
        return corrected_length(row.length, self._edits(row))

    def stream_as_received(self, row: Instance) -> Iterator[memoryview]:
        """Yield the stored bytes: for pictures, whose places are those of the stored object."""
        with _watched(row.blob_id):
            yield from self._open(row).stream(row.offset, row.length)

    @cached_property
    def _coercions(self) -> Coercions:
        """Asked for once a whole object is wanted; frames never are."""
        return coercions_of(self._studies)

    def _edits(self, row: Instance) -> list[Edit]:
        coercions = self._coercions.get(row.study_id, ())
        if not coercions:
            return []
        return edits_of(lambda start, length: self.read(row, start, length), row.length, coercions)

    def read(self, row: Instance, start: int = 0, length: int | None = None) -> bytes:
        """Return a range of the object; the rest of it by default."""
        wanted = row.length - start if length is None else min(length, row.length - start)
        with _watched(row.blob_id):
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
