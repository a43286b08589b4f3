"""The object store keeps the same promises as the folder: whole, sealed, or not there."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.object_store import object_store
from vault.gateways.blob_store import blob_store
from vault.gateways.s3_store import PART, S3Store
from vault.rules.errors import BlobMissing, StorageFull, StorageUnreachable, Tampered, WrongKey
from vault.services.blobs import (
    StoredBlob,
    delete_blob,
    delete_blobs,
    open_blob,
    seal_blob,
    stored_names,
    sweep_blobs,
)

pytestmark = pytest.mark.stack
KEY = bytes(range(32))
CONTEXT = b"study 1"
CANARY = b"PATIENT-CANARY-0123456789"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture
def bucket(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, named by the settings; gives a client of its own to look into it."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    name = f"blobs-{os.urandom(6).hex()}"
    client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    settings.STORAGE_URL = f"s3://{name}/sealed?endpoint={server}&region=us-east-1"
    yield Look(client, name)
    client.close()


class Look:
    """Look into a bucket past the product."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def keys(self) -> list[str]:
        listing = self.client.list_objects_v2(Bucket=self.name)
        return [item["Key"] for item in listing.get("Contents", ())]

    def uploads(self) -> int:
        return len(self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ()))

    def body(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body


def store(plaintext: bytes) -> StoredBlob:
    with seal_blob(key=KEY, context=CONTEXT) as writer:
        writer.write(plaintext)
        return writer.commit()


def soon() -> datetime:
    return timezone.now() + timedelta(minutes=1)


@pytest.mark.parametrize("size", [0, 100, 60_000, PART - 9000, 2 * PART + 12_345])
def test_what_was_stored_is_read_back(bucket: Look, size: int) -> None:
    plaintext = os.urandom(size)
    blob = store(plaintext)
    assert bucket.keys() == [f"sealed/{blob.name[:2]}/{blob.name}"]
    assert len(bucket.body(bucket.keys()[0])) == blob.size
    with open_blob(blob.name, key=KEY, context=CONTEXT) as sealed:
        assert sealed.size == size
        assert sealed.read(size // 2, 70_000) == plaintext[size // 2 : size // 2 + 70_000]
        assert b"".join(sealed.stream()) == plaintext


def test_memory_is_bounded_and_nothing_is_visible_before_the_commit(bucket: Look) -> None:
    with seal_blob(key=KEY, context=CONTEXT) as writer:
        for _ in range(20):
            writer.write(CANARY * 40_000)
            assert len(writer.sink._part) < PART  # type: ignore[attr-defined]
        assert bucket.uploads() == 1
        assert bucket.keys() == []
        writer.commit()
    assert len(bucket.keys()) == 1
    assert bucket.uploads() == 0
    assert CANARY not in bucket.body(bucket.keys()[0])


@pytest.mark.parametrize("size", [100, PART + 5_000_000])
def test_an_exception_leaves_neither_blob_nor_parts(bucket: Look, size: int) -> None:
    with pytest.raises(RuntimeError), seal_blob(key=KEY, context=CONTEXT) as writer:
        writer.write(bytes(size))
        raise RuntimeError
    assert bucket.keys() == []
    assert bucket.uploads() == 0


def test_the_sweep_aborts_what_dead_writers_left(bucket: Look) -> None:
    kept, orphan = store(b"kept"), store(b"orphan")
    dead = seal_blob(key=KEY, context=CONTEXT)
    dead.write(bytes(PART + 2_000_000))
    assert bucket.uploads() == 1
    assert sorted(stored_names(before=soon())) == sorted([kept.name, orphan.name])
    assert list(stored_names(before=timezone.now() - timedelta(days=1))) == []
    # The test server says of every upload that it was begun in November 2010.
    assert sweep_blobs(orphans=[], before=datetime(2010, 1, 1, tzinfo=UTC)) == 0
    assert bucket.uploads() == 1
    assert sweep_blobs(orphans=[orphan.name], before=soon()) == 2
    assert bucket.uploads() == 0
    assert list(stored_names(before=soon())) == [kept.name]
    dead.abort()


def test_a_deleted_or_unknown_blob_is_missing(bucket: Look) -> None:
    blob = store(b"image")
    assert delete_blob(name=blob.name) is True
    assert delete_blob(name=blob.name) is False
    with pytest.raises(BlobMissing):
        open_blob(blob.name, key=KEY, context=CONTEXT)


def test_many_are_deleted_and_what_is_not_there_is_no_error(bucket: Look) -> None:
    kept, *gone = [store(b"image") for _ in range(4)]
    delete_blobs(names=[one.name for one in gone])
    delete_blobs(names=[one.name for one in gone])
    assert list(stored_names(before=soon())) == [kept.name]


def test_an_exchanged_or_damaged_blob_does_not_open(bucket: Look) -> None:
    one, other = store(b"first"), store(os.urandom(300_000))
    key = f"sealed/{other.name[:2]}/{other.name}"
    body = bytearray(bucket.body(key))
    body[150_000] ^= 1
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=bytes(body))
    with open_blob(other.name, key=KEY, context=CONTEXT) as sealed, pytest.raises(Tampered):
        sealed.read()
    source = {"Bucket": bucket.name, "Key": f"sealed/{one.name[:2]}/{one.name}"}
    bucket.client.copy_object(Bucket=bucket.name, Key=key, CopySource=source)
    with pytest.raises(WrongKey):
        open_blob(other.name, key=KEY, context=CONTEXT)


def test_a_small_blob_takes_one_trip_and_a_range_of_a_large_one_three(
    bucket: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = store(os.urandom(50_000)), store(os.urandom(5_000_000))
    trips: list[str] = []
    backing = blob_store()
    assert isinstance(backing, S3Store)
    backing._client.meta.events.register(
        "before-send.s3.*", lambda request, **_: trips.append(request.method)
    )
    open_blob(small.name, key=KEY, context=CONTEXT).read()
    assert trips == ["GET"]
    trips.clear()
    open_blob(large.name, key=KEY, context=CONTEXT).read(2_000_000, 65_536)
    assert trips == ["GET"] * 3


def test_a_zip_is_read_from_a_sealed_object(bucket: Look) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(20):
            archive.writestr(f"IM{number:04}", os.urandom(20_000))
    blob = store(packed.getvalue())
    file = open_blob(blob.name, key=KEY, context=CONTEXT).as_file()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 20


@pytest.mark.parametrize(
    ("code", "expected"),
    [("XMinioStorageFull", StorageFull), ("AccessDenied", StorageUnreachable)],
)
def test_what_the_store_answers_is_named(
    bucket: Look, monkeypatch: pytest.MonkeyPatch, code: str, expected: type[Exception]
) -> None:
    from botocore.exceptions import ClientError

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "PutObject")

    backing = blob_store()
    assert isinstance(backing, S3Store)
    monkeypatch.setattr(backing._client, "put_object", refuse)
    with pytest.raises(expected):
        store(b"image")
    assert bucket.keys() == []


def test_a_store_that_does_not_answer_is_unreachable(bucket: Look, settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    settings.STORAGE_URL = f"s3://blobs?endpoint=http://127.0.0.1:{port}&region=us-east-1"
    with pytest.raises(StorageUnreachable):
        store(b"image")
