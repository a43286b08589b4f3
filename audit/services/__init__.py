"""Acts upon the trail: record, seal, export, verify, erase what was only committed to."""

from audit.services.erase import erase_private_values
from audit.services.export import ExportRefused, export_trail
from audit.services.recording import (
    ANONYMOUS,
    SYSTEM,
    ActorRef,
    DetailsRefused,
    RequestMeta,
    TargetRef,
    record,
    record_refusal,
)
from audit.services.seal import Sealed, SealRefused, seal_all, seal_events
from audit.services.verify import verify_bundle, verify_database

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "ActorRef",
    "DetailsRefused",
    "ExportRefused",
    "RequestMeta",
    "SealRefused",
    "Sealed",
    "TargetRef",
    "erase_private_values",
    "export_trail",
    "record",
    "record_refusal",
    "seal_all",
    "seal_events",
    "verify_bundle",
    "verify_database",
]
