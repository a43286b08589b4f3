"""Store sealed bytes in a bucket of an S3-compatible object store.

Small blobs go up in one request, others as a multipart upload of 8 MiB parts; either appears
only when it is complete. Credentials come from the usual ``AWS_*`` environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from vault.gateways.blob_store import BlobSink, checked_name, place_of
from vault.rules.errors import BlobMissing, StorageError, StorageFull, StorageUnreachable
from vault.rules.sealed_stream import SMALL

PART = 8 * 1024 * 1024
_MISSING = {"404", "NoSuchKey", "NotFound"}
_FULL = {"XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity", "507"}


class S3Store:
    """A bucket of sealed blobs, under an optional prefix."""

    def __init__(
        self, bucket: str, *, endpoint: str | None, region: str | None, prefix: str = ""
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client_of(endpoint=endpoint, region=region)

    def create(self, name: str) -> S3Sink:
        """Begin a blob; nothing is sent before there is a part to send."""
        return S3Sink(self._client, self._bucket, self._prefix + place_of(name))

    def publish_together(self, sinks: Sequence[BlobSink]) -> None:
        """Publish one by one: the store has no cheaper way."""
        for sink in sinks:
            sink.publish()

    def open(self, name: str) -> S3Reader:
        """Open a blob; raise ``BlobMissing``."""
        return S3Reader(self._client, self._bucket, self._prefix + place_of(name))

    def delete(self, name: str) -> bool:
        """Delete a blob; tell whether there was one."""
        where = {"Bucket": self._bucket, "Key": self._prefix + place_of(name)}
        try:
            with typed_errors():
                self._client.head_object(**where)
        except BlobMissing:
            return False
        with typed_errors():
            self._client.delete_object(**where)
        return True

    def delete_together(self, names: Sequence[str]) -> None:
        """Delete one by one, without asking first: what is not there is no error.

        One request for many would need a checksum that compatible stores do not agree on.
        """
        for name in names:
            with typed_errors():
                self._client.delete_object(Bucket=self._bucket, Key=self._prefix + place_of(name))

    def names(self, *, before: datetime) -> Iterator[str]:
        """Give the names of blobs completed before a moment."""
        for item in self._listed("list_objects_v2", "Contents"):
            if item["LastModified"] < before:
                with suppress(ValueError):
                    yield checked_name(item["Key"].rpartition("/")[2])

    def discard_leftovers(self, *, before: datetime) -> int:
        """Abort uploads begun before a moment and never completed; tell how many."""
        uploads = [
            item
            for item in self._listed("list_multipart_uploads", "Uploads")
            if item["Initiated"] < before
        ]
        for item in uploads:
            with typed_errors(), suppress(self._client.exceptions.NoSuchUpload):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=item["Key"], UploadId=item["UploadId"]
                )
        return len(uploads)

    def _listed(self, operation: str, what: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator(operation)
        with typed_errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                yield from page.get(what, ())


class S3Sink:
    """One blob on its way into a bucket; holds at most one part in memory."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._part = bytearray()
        self._upload: str | None = None
        self._etags: list[str] = []

    def write(self, sealed: memoryview) -> None:
        """Gather bytes and send each part that is full."""
        while sealed:
            room = PART - len(self._part)
            self._part += sealed[:room]
            sealed = sealed[room:]
            if len(self._part) == PART:
                self._send_part()

    def flush(self) -> None:
        """Send the last part, if parts were sent before it."""
        if self._upload is not None and self._part:
            self._send_part()

    def publish(self) -> None:
        """Complete the upload, which makes the blob visible."""
        with typed_errors():
            if self._upload is None:
                self._client.put_object(**self._where, Body=bytes(self._part))
                return
            parts = [{"ETag": tag, "PartNumber": n} for n, tag in enumerate(self._etags, start=1)]
            self._client.complete_multipart_upload(
                **self._where, UploadId=self._upload, MultipartUpload={"Parts": parts}
            )
            self._upload = None

    def discard(self) -> None:
        """Abort the upload, so that its parts are not kept (and paid for)."""
        self._part.clear()
        upload, self._upload = self._upload, None
        if upload is not None:
            with typed_errors(), suppress(self._client.exceptions.NoSuchUpload):
                self._client.abort_multipart_upload(**self._where, UploadId=upload)

    def _send_part(self) -> None:
        with typed_errors():
            if self._upload is None:
                self._upload = self._client.create_multipart_upload(**self._where)["UploadId"]
            sent = self._client.upload_part(
                **self._where,
                UploadId=self._upload,
                PartNumber=len(self._etags) + 1,
                Body=bytes(self._part),
            )
        self._etags.append(sent["ETag"])
        self._part.clear()


class S3Reader:
    """One blob in a bucket, read by ranged requests."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        # The first bytes and the size in one trip: all there is to fetch of a small blob.
        with typed_errors():
            answer = client.get_object(**self._where, Range=f"bytes=0-{SMALL - 1}")
            self._head: bytes = answer["Body"].read()
        self.size = int(answer["ContentRange"].rpartition("/")[2])

    def read_at(self, offset: int, length: int) -> bytes:
        """Read bytes; fewer than ``length`` only at the end."""
        length = min(length, self.size - offset)
        if length <= 0 or offset + length <= len(self._head):
            return self._head[offset : offset + max(length, 0)]
        span = f"bytes={offset}-{offset + length - 1}"
        with typed_errors():
            body: bytes = self._client.get_object(**self._where, Range=span)["Body"].read()
        return body

    def close(self) -> None:
        """Nothing is held open."""


def client_of(*, endpoint: str | None, region: str | None, profile: str | None = None) -> Any:
    """Connect to a store; a profile names other credentials than the usual ones."""
    session = boto3.Session(profile_name=profile) if profile else boto3
    return session.client("s3", endpoint_url=endpoint, region_name=region, config=_config(endpoint))


def _config(endpoint: str | None) -> Config:
    return Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Sealed bytes carry their own proof, and many compatible stores lack the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def typed_errors() -> Iterator[None]:
    """Raise what a store answers as one of our errors."""
    try:
        yield
    except ClientError as error:
        raise _typed(error) from error
    except BotoCoreError as error:
        raise StorageUnreachable(f"the object store: {type(error).__name__}") from error


def _typed(error: ClientError) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return BlobMissing("no such blob")
    if code in _FULL:
        return StorageFull("the object store has no room left")
    return StorageUnreachable(f"the object store answered {code}")
