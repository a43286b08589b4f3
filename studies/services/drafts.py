"""What has passed the gate and is being sealed, before it has rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import orjson

from studies.rules.attributes import absolute_bulk
from studies.rules.gate import Verdict
from studies.rules.results import Result
from studies.sealing import metadata_context, packed_metadata
from vault.rules.sealed_field import FieldSealer
from vault.services.blobs import BlobWriter


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
        places = orjson.dumps([list(bulk) for bulk in self.verdict.bulk])
        self.sealed_metadata = self.blob.sealer.seal(
            packed_metadata(header, places),
            metadata_context(organisation_id, self.result.sop_instance),
        )
