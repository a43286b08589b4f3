"""Backups in buckets: as in folders, and no version of a copy outlasts its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from pytest_django import Settings

from audit.models import Event
from backups.gateways.bucket import Bucket, bucket_at
from backups.gateways.locking import portal_lock
from backups.gateways.place import PIECE
from backups.gateways.places import place_at
from backups.gateways.sealing import open_key
from backups.models import Artefact, Generation
from backups.rules.keeping import State
from backups.rules.names import Kind, artefact_path, blob_path, key_path
from backups.rules.refusals import BackupRefused, CopyDamaged, KeyGone, PlaceRefused
from backups.services.drilling import drill_restore
from backups.services.examining import examine
from backups.services.making import Places, make_backup, places_named
from backups.services.rotating import rotate_backups
from studies.models import Blob, Study
from tests.backups.cases import back, made_days_ago, under_a_duty
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.object_store import object_store
from tests.retention.cases import approved, carried_out, take_in_old

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"], transaction=True), pytest.mark.stack,
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture
def client(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
    yield client
    client.close()


@pytest.fixture
def buckets(client: Any, server: str, places: Places, settings: Settings) -> Places:
    """Two empty buckets, as the settings name them; the store is that of the other tests."""
    for kind in ("DATA", "KEYS"):
        name = f"backup-{kind.lower()}-{os.urandom(6).hex()}"
        client.create_bucket(Bucket=name)
        address = f"s3://{name}/portal/one?endpoint={server}&region=us-east-1"
        setattr(settings, "BACKUP_URL" if kind == "DATA" else "BACKUP_KEYS_URL", address)
    return places_named()


def bucket(place: Any) -> Bucket:
    assert isinstance(place, Bucket)
    return place


def keys_in(client: Any, place: Any) -> list[str]:
    listed = client.list_objects_v2(Bucket=bucket(place).bucket)
    return [one["Key"] for one in listed.get("Contents", ())]


def versions_of(client: Any, place: Any) -> list[str]:
    found = client.list_object_versions(Bucket=bucket(place).bucket)
    return [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())]


# One copy -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 9 * 1024 * 1024 + 17])
def test_what_was_written_is_read_back_in_whole_pieces(buckets: Places, size: int) -> None:
    content = os.urandom(size)
    written = buckets.data.write("generations/x", lambda sink: sink(content))
    assert written == buckets.data.digest_of("generations/x")
    pieces = list(buckets.data.read("generations/x"))
    assert b"".join(pieces) == content
    assert {len(one) for one in pieces[:-1]} <= {PIECE}


@pytest.mark.parametrize("size", [100, 9 * 1024 * 1024])
def test_what_fails_in_the_middle_leaves_nothing(buckets: Places, client: Any, size: int) -> None:
    def fill(sink: Any) -> None:
        sink(bytes(size))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        buckets.data.write("generations/x", fill)
    assert keys_in(client, buckets.data) == []
    uploads = client.list_multipart_uploads(Bucket=bucket(buckets.data).bucket)
    assert not uploads.get("Uploads")
    with pytest.raises(CopyDamaged, match="is not in s3://"):
        list(buckets.data.read("generations/x"))


def test_a_killed_writers_parts_are_cleared(buckets: Places, client: Any) -> None:
    client.create_multipart_upload(Bucket=bucket(buckets.data).bucket, Key="portal/one/tmp")
    buckets.data.clear_leftovers()
    uploads = client.list_multipart_uploads(Bucket=bucket(buckets.data).bucket)
    assert not uploads.get("Uploads")


@pytest.mark.parametrize("versioned", [False, True])
def test_deleting_leaves_no_version(buckets: Places, client: Any, versioned: bool) -> None:
    if versioned:
        client.put_bucket_versioning(
            Bucket=bucket(buckets.keys).bucket, VersioningConfiguration={"Status": "Enabled"}
        )
    for _ in range(2):
        buckets.keys.write_text("generations/x/data.key", "a key")
    buckets.keys.write_text("generations/x/data.key2", "another whose name begins like it")
    assert buckets.keys.delete("generations/x/data.key")
    assert set(versions_of(client, buckets.keys)) == {"portal/one/generations/x/data.key2"}
    assert not buckets.keys.delete("generations/x/data.key")
    assert set(versions_of(client, buckets.keys)) == {"portal/one/generations/x/data.key2"}


def test_a_version_that_stays_is_no_end(
    buckets: Places, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where objects are locked: the store says yes and keeps it."""
    place = bucket(buckets.keys)
    client.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    place.write_text("generations/x/data.key", "a key")
    monkeypatch.setattr(place._client, "delete_object", lambda **_: {})
    with pytest.raises(PlaceRefused, match="keeps 1 versions"):
        place.delete("generations/x/data.key")


def test_a_bucket_out_of_reach_is_said(client: Any, server: str) -> None:
    place = place_at(f"s3://no-such-bucket/x?endpoint={server}&region=us-east-1")
    with pytest.raises(PlaceRefused, match="cannot be used"):
        place.write_text("lock", "x")
    assert not place.is_there()


# Apart --------------------------------------------------------------------------------------------
def test_places_that_are_not_apart_are_refused(
    buckets: Places, settings: Settings, server: str
) -> None:
    one, other = str(buckets.data), str(buckets.keys)
    for keys in (one, one.replace("portal/one", "portal/two")):
        with pytest.raises(BackupRefused, match="a bucket of its own"):
            places_named(one, keys)
    settings.STORAGE_URL = one.replace("portal/one", "sealed")
    with pytest.raises(BackupRefused, match="STORAGE_URL"):
        places_named()
    settings.STORAGE_URL = f"s3://another?endpoint={server}&region=us-east-1"
    assert [str(one) for one in (places_named().data, places_named().keys)] == [one, other]
    with pytest.raises(BackupRefused, match="s3://bucket/prefix"):
        places_named("ftp://host/folder", other)


def test_credentials_of_its_own_open_a_bucket(
    buckets: Places, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[apart]\naws_access_key_id = KEPT-APART\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    place = bucket_at(f"{buckets.keys}&profile=apart")
    assert place._client._request_signer._credentials.access_key == "KEPT-APART"
    assert str(place).endswith("&profile=apart")
    with pytest.raises(PlaceRefused, match="ProfileNotFound"):
        bucket_at(f"{buckets.keys}&profile=nobody")


def test_two_at_once_are_refused(buckets: Places) -> None:
    with (
        portal_lock(str(buckets.data), said="elsewhere") as _,
        pytest.raises(BackupRefused, match="is at work"),
    ):
        _in_another_session(lambda: buckets.data.locked().__enter__())
    with buckets.data.locked():
        assert buckets.data.is_there()


def _in_another_session(act: Any) -> None:
    """An advisory lock is its session's, so another one has to ask for it."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    def apart() -> None:
        try:
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(apart).result()


# A whole life -------------------------------------------------------------------------------------
def test_a_backup_comes_back_from_buckets(cast: Cast, buckets: Places, client: Any) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    study, blob = Study.objects.get(), Blob.objects.get()
    under_a_duty()
    made = make_backup(buckets)
    assert made.state == State.GOOD
    names = keys_in(client, buckets.data)
    assert f"portal/one/{blob_path(blob.name)}" in names
    assert not any("keys" in one or one.endswith(".key") for one in names)
    body = client.get_object(
        Bucket=bucket(buckets.data).bucket,
        Key=f"portal/one/{artefact_path(made.name, Kind.DATA)}",
    )["Body"].read()
    assert study.uid.encode() not in body
    assert make_backup(buckets).files_new == 0
    assert back(buckets).trail.verified
    assert Study.objects.get().uid == study.uid


def test_what_was_altered_in_a_bucket_is_refused(cast: Cast, buckets: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    under_a_duty()
    make_backup(buckets)
    path = blob_path(Blob.objects.get().name)
    whole = b"".join(buckets.data.read(path))
    buckets.data.write(path, lambda sink: sink(whole[:-1] + bytes([whole[-1] ^ 1])))
    with pytest.raises(CopyDamaged):
        examine(buckets)


@pytest.mark.parametrize("versioned", [False, True])
def test_rotation_ends_keys_first_and_keeps_the_evidence(
    cast: Cast, buckets: Places, client: Any, versioned: bool
) -> None:
    for place in (buckets.data, buckets.keys):
        if versioned:
            client.put_bucket_versioning(
                Bucket=bucket(place).bucket, VersioningConfiguration={"Status": "Enabled"}
            )
    study = take_in_old(cast)
    gone = Blob.objects.get(study=study).name
    under_a_duty()
    old = made_days_ago(buckets, 31)
    carried_out(approved(cast))
    under_a_duty()
    make_backup(buckets)
    done = rotate_backups()
    assert (done.keys, done.artefacts, done.files, done.unreached) == (2, 3, 1, [])
    assert Generation.objects.get(pk=old.pk).state == State.GONE
    with pytest.raises(KeyGone):
        open_key(buckets.keys, old.name, Kind.DATA)
    for place in (buckets.data, buckets.keys):
        assert not [one for one in versions_of(client, place) if old.name in one or gone in one]
    ended = Artefact.objects.filter(generation=old)
    assert all(one.destroyed_at for one in ended)
    events = Event.objects.filter(action="backup.artefact_destroyed", target_id=old.name)
    assert {one.details["kind"] for one in events} == {"data", "keys", "files"}


def test_a_bucket_out_of_reach_is_tried_again_and_its_key_goes(
    cast: Cast, buckets: Places, client: Any
) -> None:
    under_a_duty()
    old = made_days_ago(buckets, 31)
    make_backup(buckets)
    place = bucket(buckets.data)
    lock = b"".join(place.read("lock"))
    client.delete_object(Bucket=place.bucket, Key="portal/one/lock")
    done = rotate_backups()
    assert done.unreached
    assert not buckets.keys.has(key_path(old.name, Kind.DATA))
    assert Artefact.objects.get(generation=old, kind=Kind.DATA).destroyed_at is None
    place.write("lock", lambda sink: sink(lock))
    assert rotate_backups().unreached == []
    assert Artefact.objects.get(generation=old, kind=Kind.DATA).destroyed_at is not None


@pytest.mark.slow
def test_a_drill_and_the_command_work_from_buckets(
    cast: Cast, buckets: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    under_a_duty()
    call_command("backup")
    drill = drill_restore(buckets)
    assert (drill.is_good, drill.failure, drill.files_tried) == (True, "", 1)
