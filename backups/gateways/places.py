"""Which place an address names, and which two may not be together."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from backups.gateways.bucket import Bucket, bucket_at
from backups.gateways.folder import Folder
from backups.gateways.place import Place
from backups.rules.refusals import BackupRefused


def place_at(where: str) -> Place:
    """Give the place that a path, a `file:///` or an `s3://` address names."""
    parts = urlsplit(where)
    if parts.scheme == "file":
        return Folder(Path(unquote(parts.path)).resolve())
    if parts.scheme == "s3" and parts.netloc:
        return bucket_at(where)
    if not where or "://" in where:
        raise BackupRefused(
            f"A place for backups is a folder, as a path or file:///path, or a bucket, as"
            f" s3://bucket/prefix?endpoint=...&region=..., and not {where!r}."
        )
    return Folder(Path(where).resolve())


def refuse_together(data: Place, keys: Place) -> None:
    """Raise `BackupRefused` if whoever copies the one place would have the other."""
    if data.lies_with(keys):
        raise BackupRefused(
            "The place of keys must lie apart from that of data, and neither within the other; of"
            " an object store each is a bucket of its own: whoever copies the one must not have"
            " the other."
        )


def refuse_beside_store(place: Place, storage_url: str) -> None:
    """Raise `BackupRefused` for a bucket that the portal's own files lie in: what the portal
    sweeps there, and what ends there, would take its copies along."""
    is_store = urlsplit(storage_url).scheme == "s3"
    if is_store and isinstance(place, Bucket) and place.lies_with(bucket_at(storage_url)):
        raise BackupRefused(
            f"{place} is the bucket of STORAGE_URL. Name another: what ends the one must not end"
            " the other."
        )
