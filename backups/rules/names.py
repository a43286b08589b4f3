"""Where things lie in a place, and what a generation is called. Pure.

A place of data has `blobs/`, shared by its generations since a sealed file never changes, and
`generations/NAME/`. A place of keys has `generations/NAME/` with the dump of keys and, apart from
any dump, the wrapped key of each. Both have the ledgers.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from uuid import UUID

_NAME = re.compile(r"[0-9]{8}t[0-9]{6}z-[0-9a-f]{8}")
MANIFEST = "manifest"
DISPOSALS, REVOCATIONS = "ledgers/disposals", "ledgers/revocations"


class Kind(StrEnum):
    """What a generation consists of."""

    DATA = "data"
    KEYS = "keys"
    FILES = "files"


KIND_LABELS = {Kind.DATA: "Data", Kind.KEYS: "Keys", Kind.FILES: "List of sealed files"}
# Each is sealed under a key of its own; the list names random numbers and needs none.
SEALED = (Kind.DATA, Kind.KEYS)


def name_of(begun_at: datetime, number: UUID) -> str:
    """Name a generation by when it was begun, so that names sort as they were made."""
    return f"{begun_at:%Y%m%dt%H%M%Sz}-{number.hex[:8]}"


def checked_name(name: str) -> str:
    """Return the name of a generation or raise `ValueError`: it becomes a path."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a generation: {name!r}")
    return name


def folder_of(generation: str) -> str:
    return f"generations/{checked_name(generation)}"


def artefact_path(generation: str, kind: Kind) -> str:
    return f"{folder_of(generation)}/{kind.value}"


def key_path(generation: str, kind: Kind) -> str:
    return f"{folder_of(generation)}/{kind.value}.key"


def manifest_path(generation: str) -> str:
    return f"{folder_of(generation)}/{MANIFEST}"


def blob_path(name: str) -> str:
    if str(UUID(name)) != name:
        raise ValueError(f"not the name of a sealed file: {name!r}")
    return f"blobs/{name[:2]}/{name}"
