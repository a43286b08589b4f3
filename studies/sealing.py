"""What each sealed thing of a study is bound to, and how an object's description is packed."""

from __future__ import annotations

import zlib
from uuid import UUID

from vault.rules.contexts import bind


def blob_context(organisation_id: UUID) -> bytes:
    return bind("collimate/objects", organisation_id)


def study_context(organisation_id: UUID, uid: str) -> bytes:
    return bind("collimate/study", organisation_id, uid)


def series_context(organisation_id: UUID, uid: str) -> bytes:
    return bind("collimate/series", organisation_id, uid)


def metadata_context(organisation_id: UUID, instance_uid: str) -> bytes:
    return bind("collimate/metadata", organisation_id, instance_uid)


def correction_context(correction_id: UUID) -> bytes:
    return bind("collimate/correction", correction_id)


def statement_context(statement_id: UUID) -> bytes:
    return bind("collimate/statement", statement_id)


def rejection_context(organisation_id: UUID, uid: str) -> bytes:
    return bind("collimate/rejection", organisation_id, uid)


def guardian_context(attestation_id: UUID) -> bytes:
    return bind("collimate/guardian", attestation_id)


def packed_metadata(header: bytes, places: bytes) -> bytes:
    """Pack an object's DICOM JSON and the places of its bulk values; no line break is in either."""
    return zlib.compress(header + b"\n" + places, 1)


def opened_metadata(packed: bytes) -> tuple[bytes, bytes]:
    """Give the DICOM JSON and the places back."""
    header, _, places = zlib.decompress(packed).rpartition(b"\n")
    return header, places
