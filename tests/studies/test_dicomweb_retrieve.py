"""WADO-RS: what is stored comes back, in a form that is accepted, to those who may have it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import Scope
from consent.models import Grant
from consent.rules.decision import Item
from consent.services.grants import revoke_grant
from studies.api import wado
from studies.rules.multipart import MultipartReader, parameters_of
from studies.rules.wado import RetrievalInvalid, parse_accept, parse_frames

from .conftest import AUDITOR, COLLEAGUE, OFFICER, VET, Portal
from .hostile import element, fragments, jpeg, meta, part10, word
from .objects import PIXELS, an_object, uid
from .test_intake import held_object

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
STUDIES = "/dicom-web/studies"
ONE = f"{STUDIES}/{uid('1')}/series/{uid('1.1')}/instances/{uid('1.1.1')}"
EXPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"
DICOM = 'multipart/related; type="application/dicom"'
OCTETS = 'multipart/related; type="application/octet-stream"'


def body_of(response) -> bytes:
    return response.getvalue()


def parts_of(response) -> list[tuple[str, bytes]]:
    """Read a multipart answer as a stranger would: by its own boundary."""
    kind, parameters = parameters_of(response["Content-Type"])
    assert kind == "multipart/related"
    body = body_of(response)
    # Said beforehand where it is sent piece by piece, or nobody could tell a cut from an end.
    assert not response.streaming or response["Content-Length"] == str(len(body))
    given, ends = iter([body]), iter([b""])
    reader = MultipartReader(
        lambda _: next(given, b"") or next(ends, b""), parameters["boundary"].encode()
    )
    return [(part.headers["content-type"], b"".join(part)) for part in reader]


def get(client: Client, path: str, accept: str = ""):
    return client.get(path, headers={"accept": accept} if accept else {})


@pytest.fixture
def stored(portal: Portal) -> Client:
    """A study of two series and three objects."""
    portal.take(
        an_object(number=1), an_object(number=2, pixels=bytes(64)), an_object(series="2", number=1)
    )
    return portal.client()


def jpeg_object() -> bytes:
    """Two frames of 8 by 8, compressed; only their headers are real."""
    shape = {0x00280008: ("IS", "2"), 0x7FE00010: fragments(jpeg(8, 8), jpeg(8, 8) + b"\0\0")}
    whole = an_object(study="7", changes=shape)
    data = whole[whole.index(b"\x08\x00\x05\x00CS") :]
    return part10(data, opening=meta(JPEG, instance=uid("7.1.1")))


# Objects -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "count"),
    [("", 3), (f"/series/{uid('1.1')}", 2), (f"/series/{uid('1.1')}/instances/{uid('1.1.1')}", 1)],
)
def test_objects_come_back_byte_for_byte(stored: Client, path: str, count: int) -> None:
    response = get(stored, f"{STUDIES}/{uid('1')}{path}", f"{DICOM}; transfer-syntax=*")
    assert response.status_code == 200
    assert 'type="application/dicom"' in response["Content-Type"]
    parts = parts_of(response)
    assert len(parts) == count
    assert {kind for kind, _ in parts} == {f"application/dicom;transfer-syntax={EXPLICIT}"}
    sent = [an_object(number=1), an_object(number=2, pixels=bytes(64)), an_object(series="2")]
    assert all(part in sent for _, part in parts)
    assert len({part for _, part in parts}) == count


def test_one_object_may_come_alone(stored: Client) -> None:
    response = get(stored, ONE, "application/dicom")
    assert response["Content-Type"] == "application/dicom"
    assert response["Content-Disposition"] == f'attachment; filename="{uid("1.1.1")}.dcm"'
    assert body_of(response) == an_object()


@pytest.mark.parametrize(
    ("accept", "status", "alone"),
    [
        ("", 200, False), ("*/*", 200, False), ("application/dicom", 200, True),
        (DICOM, 200, False), (f"{DICOM}; transfer-syntax={EXPLICIT}", 200, False),
        (f"{DICOM}; transfer-syntax={JPEG}", 406, False),
        (f"{DICOM}; transfer-syntax={JPEG}, {DICOM}; transfer-syntax=*", 200, False),
        (f"{DICOM}; transfer-syntax={JPEG}, application/dicom; q=0.2", 200, True),
        (f"application/dicom; q=0.1, {DICOM}; q=0.9", 200, False),
        (f"application/dicom; q=0.9, {DICOM}; q=0.1", 200, True),
        ("application/dicom; q=0, */*; q=0.1", 406, False),
        (f"{DICOM}; q=0, application/dicom; q=0", 406, False),
        ("image/jpeg", 406, False), ("text/html", 406, False), ("nonsense", 406, False),
        (OCTETS, 406, False), ("," * 5000, 406, False),
    ],
)  # fmt: skip
def test_an_object_is_sent_in_the_best_form_that_is_accepted(
    stored: Client, accept: str, status: int, alone: bool
) -> None:
    response = get(stored, ONE, accept)
    assert response.status_code == status
    if status == 200:
        assert response["Content-Type"].startswith("multipart") != alone


def test_several_objects_never_come_as_one_part(stored: Client) -> None:
    assert get(stored, f"{STUDIES}/{uid('1')}", "application/dicom").status_code == 406


# Frames ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accept", "kind", "multipart"),
    [
        ("", "application/octet-stream", True),
        (f"{OCTETS}; transfer-syntax=*", "application/octet-stream", True),
        ("application/octet-stream", "application/octet-stream", False),
        ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1",
         "application/octet-stream", False),
    ],
)  # fmt: skip
def test_a_frame_is_its_pixels(stored: Client, accept: str, kind: str, multipart: bool) -> None:
    response = get(stored, f"{ONE}/frames/1", accept)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("multipart") == multipart
    if multipart:
        ((typed, data),) = parts_of(response)
    else:
        typed, data = response["Content-Type"], body_of(response)
    assert typed == f"{kind}; transfer-syntax={EXPLICIT}"
    assert data == PIXELS


@pytest.mark.parametrize(
    ("frames", "status"),
    [("0", 400), ("-1", 400), ("1,", 400), ("x", 400), ("1" + "0" * 20, 400),
     (",".join(["1"] * 10_000), 400), ("%31", 200), ("1.0", 400), ("%EF%BC%92", 400), ("2", 404),
     ("999999999", 404), ("1,2", 404), ("1,1", 200)],
)  # fmt: skip
def test_a_frame_that_is_not_there_is_404_and_one_that_cannot_be_400(
    stored: Client, frames: str, status: int
) -> None:
    assert get(stored, f"{ONE}/frames/{frames}").status_code == status


def test_frames_of_a_long_object_are_each_their_own(portal: Portal) -> None:
    frames = [bytes([n]) * 64 for n in range(1, 21)]
    portal.take(an_object(pixels=b"".join(frames), changes={0x00280008: ("IS", "20")}))
    client = portal.client()
    for number in (1, 7, 20):
        assert body_of(get(client, f"{ONE}/frames/{number}", "*/*")).count(frames[number - 1]) == 1
    parts = parts_of(get(client, f"{ONE}/frames/20,3,7", OCTETS))
    assert [data for _, data in parts] == [frames[19], frames[2], frames[6]]


def test_compressed_frames_are_sent_as_they_are_stored(portal: Portal) -> None:
    (result,) = portal.take(jpeg_object())
    assert result.status.is_kept, result
    client = portal.client()
    path = f"{STUDIES}/{uid('7')}/series/{uid('7.1')}/instances/{uid('7.1.1')}/frames"
    for number in (1, 2):
        response = get(client, f"{path}/{number}", 'multipart/related; type="image/jpeg"')
        ((typed, data),) = parts_of(response)
        assert typed == f"image/jpeg; transfer-syntax={JPEG}"
        assert data.startswith(jpeg(8, 8))
    assert get(client, f"{path}/1", "image/jpeg").status_code == 200
    assert get(client, f"{path}/1", "image/jp2").status_code == 406
    assert get(client, f"{path}/3").status_code == 404
    wanted = f"multipart/related; type=image/jpeg; transfer-syntax={EXPLICIT}"
    assert get(client, f"{path}/1", wanted).status_code == 406


# Descriptions and bulk values --------------------------------------------------------------------
def test_a_description_holds_every_attribute_but_no_pixels(stored: Client) -> None:
    rows = get(stored, f"{STUDIES}/{uid('1')}/metadata").json()
    assert len(rows) == 3
    (row,) = get(stored, f"{ONE}/metadata").json()
    assert row["00100010"]["Value"] == [{"Alphabetic": "Test^Invented"}]
    assert row["00080018"]["Value"] == [uid("1.1.1")]
    assert row["7FE00010"] == {"vr": "OB", "BulkDataURI": f"{ONE}/bulkdata/7FE00010"}


def test_a_bulk_value_is_found_where_the_description_says(portal: Portal) -> None:
    large = bytes(range(256)) * 16
    portal.take(an_object(changes={0x00420011: element(0x00420011, "OB", large)}))
    client = portal.client()
    (row,) = get(client, f"{ONE}/metadata").json()
    for tag, value in (("00420011", large), ("7FE00010", PIXELS)):
        where = row[tag]["BulkDataURI"]
        alone = get(client, where, "application/octet-stream")
        assert alone.status_code == 200, alone.content
        assert alone["Content-Type"] == "application/octet-stream"
        assert body_of(alone) == value
        assert parts_of(get(client, where, OCTETS)) == [("application/octet-stream", value)]
    assert get(client, where, "image/jpeg").status_code == 406
    for missing in ("00100010", "../../x", "7FE00010/1/2", "x" * 2000):
        assert get(client, f"{ONE}/bulkdata/{missing}").status_code == 404


def test_a_request_for_ranges_of_a_frame_gets_the_frame(stored: Client) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 2000, 2))
    response = stored.get(f"{ONE}/frames/1", headers={"range": ranges})
    assert response.status_code == 200


# Who may -----------------------------------------------------------------------------------------
PATHS = [
    f"{STUDIES}/{uid('1')}", f"{STUDIES}/{uid('1')}/metadata",
    f"{STUDIES}/{uid('1')}/series/{uid('1.1')}",
    f"{STUDIES}/{uid('1')}/series/{uid('1.1')}/metadata",
    ONE, f"{ONE}/metadata", f"{ONE}/frames/1", f"{ONE}/bulkdata/7FE00010",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_cannot_tell_a_study_from_one_that_is_not_there(
    portal: Portal, path: str
) -> None:
    portal.take(an_object())
    client = portal.client(VET)
    theirs = client.get(path)
    nobodys = client.get(path.replace(uid("1"), uid("999")))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content
    # Each request has a number of its own, which tells nothing.
    assert {**theirs.headers, "X-Request-Id": ""} == {**nobodys.headers, "X-Request-Id": ""}


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_nothing_is_released(portal: Portal, path: str) -> None:
    portal.take(an_object())
    assert Client().get(path).status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("email", "scopes", "code"),
    [(OFFICER, (), "role"), (AUDITOR, (), "role"), (COLLEAGUE, (Scope.WRITE,), "scope")],
)
def test_whoever_may_not_look_is_told_why(portal: Portal, path: str, email, scopes, code) -> None:
    portal.take(an_object())
    portal.share(Item(uid("1")))
    response = portal.client(email, *scopes).get(path)
    assert (response.status_code, response.json()["code"]) == (403, code)
    assert b"Test" not in response.content
    assert [event.reason for event in portal.events("access.refused")] == [code]


@pytest.fixture
def partly(portal: Portal) -> Portal:
    portal.take(an_object(), an_object(number=2), an_object(series="2", number=1))
    portal.share(Item(uid("1"), uid("1.1")))
    return portal


def test_of_a_study_shared_in_part_exactly_that_part_is_released(partly: Portal) -> None:
    client = partly.client(COLLEAGUE)
    other = f"{STUDIES}/{uid('1')}/series/{uid('1.2')}"
    assert len(parts_of(get(client, f"{STUDIES}/{uid('1')}"))) == 2
    assert len(get(client, f"{STUDIES}/{uid('1')}/metadata").json()) == 2
    for path in (other, f"{other}/metadata", f"{other}/instances/{uid('1.2.1')}"):
        response = get(client, path)
        assert (response.status_code, response.json()["code"]) == (403, "not-item")
    # The other object under the address of the shared series, and a series that nobody has.
    moved = f"{STUDIES}/{uid('1')}/series/{uid('1.1')}/instances/{uid('1.2.1')}"
    assert get(client, f"{moved}/frames/1").status_code == 404
    unknown = get(client, f"{STUDIES}/{uid('1')}/series/{uid('1.77')}")
    assert (unknown.status_code, unknown.content) == (403, get(client, other).content)


def test_what_came_after_the_share_is_not_part_of_it(partly: Portal) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        partly.take(an_object(number=3))
        client = partly.client(COLLEAGUE)
        assert len(parts_of(get(client, f"{STUDIES}/{uid('1')}"))) == 2
        assert get(client, ONE.replace(uid("1.1.1"), uid("1.1.3"))).status_code == 404
        assert get(partly.client(), ONE.replace(uid("1.1.1"), uid("1.1.3"))).status_code == 200


def test_held_objects_are_sent_to_nobody(portal: Portal) -> None:
    portal.take(an_object(), held_object(2))
    client, held = portal.client(), ONE.replace(uid("1.1.1"), uid("1.1.2"))
    for path in (held, f"{held}/metadata", f"{held}/frames/1"):
        assert get(client, path).status_code == 404
    assert len(parts_of(get(client, f"{STUDIES}/{uid('1')}"))) == 1


@pytest.mark.parametrize("path", PATHS)
def test_the_next_request_after_revocation_is_refused_with_the_reason(
    partly: Portal, path: str
) -> None:
    client = partly.client(COLLEAGUE)
    assert get(client, path).status_code == 200
    revoke_grant(actor=partly.actor(fresh=True), grant=Grant.objects.get(), reason="withdrawn")
    response = get(client, path)
    assert (response.status_code, response.json()["code"]) == (403, "revoked")
    assert response.json()["detail"] == "The share was revoked."
    assert partly.events("access.refused")[-1].reason == "revoked"


def test_a_running_transfer_breaks_off_when_the_share_is_revoked(
    partly: Portal, monkeypatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(wado.time, "monotonic", lambda: next(clock) * 2.0)
    response = get(partly.client(COLLEAGUE), f"{STUDIES}/{uid('1')}")
    pieces = iter(response.streaming_content)
    next(pieces)
    revoke_grant(actor=partly.actor(fresh=True), grant=Grant.objects.get(), reason="withdrawn")
    with pytest.raises(ConnectionAbortedError):
        list(pieces)


def test_after_its_end_a_share_releases_nothing(partly: Portal) -> None:
    client = partly.client(COLLEAGUE)
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59), tick=False):
        assert get(client, ONE).status_code == 200
    Grant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = get(client, ONE)
    assert (response.status_code, response.json()["code"]) == (403, "expired")


@pytest.mark.parametrize("path", PATHS)
def test_each_release_is_one_event_that_says_what_and_on_what_ground(
    partly: Portal, path: str
) -> None:
    from audit.models import Event

    client = partly.client(COLLEAGUE)
    before = Event.objects.count()
    assert get(client, path).status_code == 200
    event = Event.objects.order_by("id").last()
    assert Event.objects.count() == before + 1
    assert event is not None
    assert (event.outcome, event.target_uid, event.purpose) == ("success", uid("1"), "treatment")
    assert event.details["grants"] == [str(Grant.objects.get().pk)]
    assert event.organisation_id == str(partly.organisation("hospital").pk)


# Rules -------------------------------------------------------------------------------------------
@given(st.text(max_size=200))
def test_any_accept_header_can_be_read(header: str) -> None:
    assert all(accepted.media_type is not None for accepted in parse_accept(header))


@given(st.lists(st.integers(1, 999_999_999), min_size=1, max_size=64), st.text(max_size=20))
def test_a_list_of_frames_is_read_as_written(numbers: list[int], noise: str) -> None:
    text = ",".join(map(str, numbers))
    assert parse_frames(text) == numbers
    if not noise.replace(",", "").isdigit() or not noise.isascii():
        with pytest.raises(RetrievalInvalid):
            parse_frames(f"{text},{noise}x")


def test_media_ranges_are_tried_by_weight() -> None:
    ordered = parse_accept('a/b;q=0.2, c/d, multipart/related; type="e/f"; q=0.5, g/h;q=0')
    assert [one.media_type for one in ordered] == ["c/d", "e/f", "a/b"]


def test_eight_by_eight_is_what_these_objects_are() -> None:
    assert len(PIXELS) == 64
    assert word(8) == b"\x08\0"
