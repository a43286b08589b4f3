"""What has passed the gate and is being sealed, before it has rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from studies.rules.attributes import DicomJson, absolute_bulk, parsed
from studies.rules.gate import Verdict
from studies.rules.results import Result
from studies.rules.walk_state import Bulk
from studies.sealing import metadata_context, opened_metadata, packed_metadata
from vault.rules.sealed_field import FieldSealer
from vault.services.blobs import BlobWriter

PIXELS = "7FE00010"


@dataclass(slots=True)
class SealedBlob:
    """One blob under one data key; objects of one study lie in it one after the other."""

    key_id: UUID
    key: bytes = field(repr=False)
    writer: BlobWriter
    offset: int = 0
    sealer: FieldSealer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.sealer = FieldSealer(self.key)


@dataclass(slots=True)
class Draft:
    """An object that is to be stored."""

    result: Result
    verdict: Verdict
    content: bytes
    blob: SealedBlob
    offset: int
    length: int
    patient_token: bytes
    sealed_metadata: bytes = b""

    def seal_metadata(self, organisation_id: UUID) -> None:
        header = absolute_bulk(
            self.verdict.header,
            study=self.result.study,
            series=self.result.series,
            instance=self.result.sop_instance,
        )
        places = orjson.dumps([list(bulk) for bulk in self._bulk()])
        self.sealed_metadata = self.blob.sealer.seal(
            packed_metadata(header, places),
            metadata_context(organisation_id, self.result.sop_instance),
        )
        # In the clear it is many times as long, and a submission may hold two thousand of them.
        self.verdict = replace(self.verdict, header=b"", bulk=())

    def _bulk(self) -> list[Bulk]:
        """Every value that the description leaves out: the gate tells of pixels apart."""
        found, pixels = list(self.verdict.bulk), self.verdict.pixels
        if pixels is not None and not any(bulk.path == PIXELS for bulk in found):
            found.append(Bulk(PIXELS, "OW", pixels.offset, pixels.length, pixels.encapsulated))
        return found

    def header(self, organisation_id: UUID) -> DicomJson:
        """Open the description again: of the first object of a study and of each series."""
        packed = self.blob.sealer.open(
            self.sealed_metadata, metadata_context(organisation_id, self.result.sop_instance)
        )
        return parsed(opened_metadata(packed)[0])
