"""Identifiers of the demonstration's objects: the same names give the same one. Pure."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("6f1d7c1e-5c51-4c0e-9a55-0f6a6f6d7a11")


def uid_of(*names: str) -> str:
    """Return a UID made of a UUID (DICOM PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(31).join(names)).int}"
