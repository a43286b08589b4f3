"""A bucket of an S3-compatible object store for copies.

An object appears only when it is complete. Where the store keeps versions, all of a copy go with
it, and it is read back that none is left: a hidden version would outlast the evidence of its end.
Processes of one portal keep out of each other's way by its database, which all of them share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from backups.gateways.locking import portal_lock
from backups.gateways.place import PIECE, Counting, Place, Sink, Written
from backups.rules.refusals import CopyDamaged, PlaceFull, PlaceRefused
from vault.gateways.s3_store import S3Sink, client_of, typed_errors
from vault.rules.errors import BlobMissing, StorageError, StorageFull

# Answers of stores that keep no versions, and say so in this way.
_NO_VERSIONS = {"NotImplemented", "MethodNotAllowed", "501", "405"}


class Bucket(Place):
    """A bucket, under an optional prefix, by credentials of its own if its address names some."""

    def __init__(self, address: str, client: Any, bucket: str, prefix: str, host: str) -> None:
        self._address, self._client = address, client
        self.bucket, self._prefix, self._host = bucket, f"{prefix}/" if prefix else "", host

    def __str__(self) -> str:
        return self._address

    def write(self, name: str, fill: Callable[[Sink], object]) -> Written:
        with _typed(self):
            sink = S3Sink(self._client, self.bucket, self._prefix + name)
            counted = Counting(sink.write)
            try:
                fill(counted)
                sink.flush()
                sink.publish()
            except BaseException:
                with suppress(StorageError):
                    sink.discard()
                raise
        return counted.written

    def read(self, name: str) -> Iterator[bytes]:
        with _typed(self):
            try:
                with typed_errors():
                    body = self._client.get_object(**self._at(name))["Body"]
            except BlobMissing:
                raise CopyDamaged(f"{name} is not in {self}.") from None
            with typed_errors():
                held = b""
                while more := body.read(PIECE):
                    held += more
                    while len(held) >= PIECE:
                        yield held[:PIECE]
                        held = held[PIECE:]
                if held:
                    yield held

    def has(self, name: str) -> bool:
        with _typed(self):
            try:
                with typed_errors():
                    self._client.head_object(**self._at(name))
            except BlobMissing:
                return False
        return True

    def delete(self, name: str) -> bool:
        there = self.has(name)
        with _typed(self):
            versions = self._versions(name)
            with typed_errors():
                for version in versions:
                    self._client.delete_object(**self._at(name), VersionId=version)
                if not versions:
                    self._client.delete_object(**self._at(name))
            if left := self._versions(name):
                raise PlaceRefused(
                    f"{self} keeps {len(left)} versions of {name} although they were deleted."
                    " Take the lock off its objects, and run it again."
                )
        return there

    def delete_folder(self, name: str) -> None:
        with _typed(self):
            for key in list(self._keys(f"{name}/")):
                self.delete(key)

    def generations(self) -> list[str]:
        with _typed(self):
            pages = self._pages("list_objects_v2", "generations/", Delimiter="/")
            found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]
        return sorted(one.rstrip("/").rpartition("/")[2] for one in found)

    def blob_names(self) -> Iterator[str]:
        with _typed(self):
            for key in self._keys("blobs/"):
                yield key.rpartition("/")[2]

    def clear_leftovers(self) -> None:
        with _typed(self):
            pages = self._pages("list_multipart_uploads", "")
            for one in [one for page in pages for one in page.get("Uploads", ())]:
                with typed_errors(), suppress(self._client.exceptions.NoSuchUpload):
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=one["Key"], UploadId=one["UploadId"]
                    )

    def locked(self) -> AbstractContextManager[None]:
        return self._locked()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with portal_lock(self._address, said=str(self)):
            if not self.has("lock"):
                self.write_text("lock", "Backups of a portal lie here.\n")
            yield

    def lies_with(self, other: Place) -> bool:
        """Whoever may read a bucket reads all of it, so prefixes part nothing."""
        if not isinstance(other, Bucket):
            return False
        return (self.bucket, self._host) == (other.bucket, other._host)

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._prefix + name}

    def _keys(self, beginning: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", beginning):
            for one in page.get("Contents", ()):
                yield one["Key"].removeprefix(self._prefix)

    def _versions(self, name: str) -> list[str]:
        """The versions of one copy, and the marks of its deletion, which hide them."""
        key = self._prefix + name
        try:
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=key
            )
            found = [
                one for page in pages for kind in ("Versions", "DeleteMarkers")
                for one in page.get(kind, ()) if one["Key"] == key
            ]  # fmt: skip
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code", "")) in _NO_VERSIONS:
                return []
            with typed_errors():
                raise
        return [one["VersionId"] for one in found if one.get("VersionId")]

    def _pages(self, operation: str, beginning: str, **more: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator(operation)
        with typed_errors():
            yield from pages.paginate(Bucket=self.bucket, Prefix=self._prefix + beginning, **more)


def bucket_at(address: str) -> Bucket:
    """Give the bucket of `s3://bucket/prefix?endpoint=...&region=...&profile=...`."""
    parts = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        with typed_errors():
            client = client_of(**{one: query.get(one) for one in ("endpoint", "region", "profile")})
    except StorageError as error:
        raise PlaceRefused(f"{address} cannot be used: {error}.") from error
    prefix = unquote(parts.path).strip("/")
    return Bucket(address, client, parts.netloc, prefix, query.get("endpoint", ""))


@contextmanager
def _typed(place: Bucket) -> Iterator[None]:
    try:
        yield
    except StorageFull as error:
        raise PlaceFull(
            f"{place} has no room left. Make room, or let older generations end sooner"
            " (BACKUP_KEEP_DATA_DAYS), and run it again."
        ) from error
    except StorageError as error:
        raise PlaceRefused(f"{place} cannot be used: {error}.") from error
