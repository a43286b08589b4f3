"""STOW-RS: what is answered, with which status and reason, and that a refusal leaves nothing."""

from __future__ import annotations

import errno

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.rules import Scope
from studies.api import stow
from studies.models import Instance
from vault.gateways import file_store

from .conftest import CLINICIAN, COLLEAGUE, OFFICER, Portal
from .hostile import HOSTILE, element
from .objects import RELATED, an_object, as_parts, uid
from .test_intake import NOTHING, held_object

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
STUDIES = "/dicom-web/studies"


def send(client: Client, *objects: bytes, path: str = STUDIES, **more):
    body = more.pop("body", None) or as_parts(*objects)
    return client.post(path, body, content_type=more.pop("content_type", RELATED), **more)


def reasons(response) -> list[int]:
    sequence = response.json().get("00081198", {}).get("Value", [])
    return [one["00081197"]["Value"][0] for one in sequence]


def test_all_stored_is_200_with_a_reference_to_each(portal: Portal) -> None:
    response = send(portal.client(), an_object(number=1), an_object(number=2))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/dicom+json"
    answer = response.json()
    assert answer["00081190"]["Value"] == [f"{STUDIES}/{uid('1')}"]
    references = [one["00081155"]["Value"][0] for one in answer["00081199"]["Value"]]
    assert references == [uid("1.1.1"), uid("1.1.2")]
    assert "00081198" not in answer


def test_the_same_again_is_200(portal: Portal) -> None:
    client = portal.client()
    send(client, an_object())
    before = portal.kept()
    assert send(client, an_object()).status_code == 200
    assert portal.kept() == before


def test_some_stored_is_202_with_a_reason_for_the_others(portal: Portal) -> None:
    bad = HOSTILE["two patients by order"][0]()
    response = send(portal.client(), an_object(), bad, an_object(pixels=b"\1" * 64))
    assert response.status_code == 202
    assert reasons(response) == [0xC000, 0x0111]
    comment = response.json()["00081198"]["Value"][0]["00000902"]["Value"][0]
    assert comment.startswith("tag-out-of-order: Attributes are out of order")


def test_none_stored_is_409(portal: Portal) -> None:
    response = send(portal.client(), HOSTILE["two patients by order"][0]())
    assert (response.status_code, reasons(response)) == (409, [0xC000])
    assert portal.kept() == NOTHING


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"pixels": b"\1" * 64}, 0x0111),
        ({"study": "2", "instance": "1.1.1"}, 0x0111),
        ({"number": 2, "patient": "P-2"}, 0xA900),
    ],
    ids=["other content", "other study", "other patient"],
)
def test_a_conflict_is_409_with_its_reason(portal: Portal, second, reason: int) -> None:
    client = portal.client()
    send(client, an_object())
    before = portal.kept()
    response = send(client, an_object(**second))
    assert (response.status_code, reasons(response)) == (409, [reason])
    assert portal.kept() == before


def test_an_object_of_another_study_than_the_address_names_is_409(portal: Portal) -> None:
    response = send(portal.client(), an_object(study="2"), path=f"{STUDIES}/{uid('1')}")
    assert (response.status_code, reasons(response)) == (409, [0xA900])


def test_what_is_held_is_202_with_a_warning(portal: Portal) -> None:
    response = send(portal.client(), held_object())
    assert response.status_code == 202
    stored = response.json()["00081199"]["Value"][0]
    assert stored["00081196"]["Value"] == [0xB000]
    assert stored["00000902"]["Value"][0].startswith("Held for a look:")


def test_a_single_object_may_be_the_whole_body(portal: Portal) -> None:
    response = send(portal.client(), body=an_object(), content_type="application/dicom")
    assert response.status_code == 200
    assert Instance.objects.count() == 1


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("text/plain", 415, "media-type"),
        ("", 415, "media-type"),
        ('multipart/related; type="application/dicom+xml"; boundary=b', 415, "media-type"),
        ("multipart/form-data; boundary=b", 415, "media-type"),
        ("multipart/related; type=application/dicom", 400, "body"),
        (f"multipart/related; type=application/dicom; boundary={'b' * 20_000}", 400, "body"),
        ('multipart/related; type=application/dicom; boundary="not in the body"', 400, "body"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_one_event(
    portal: Portal, content_type: str, status: int, code: str
) -> None:
    response = portal.client().generic(
        "POST", STUDIES, as_parts(an_object()), content_type=content_type
    )
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert portal.kept() == NOTHING
    assert len(portal.events("object.refused")) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (as_parts(an_object(), closed=False), "body"),
        (as_parts(an_object())[:-40], "body"),
        (b"", "body"),
        (as_parts(), "empty"),
        (as_parts(*[b""] * 3000), "body"),
        (b"x" * 10_000, "body"),
        (b"--boundary-of-tests\r\nContent-Type: " + b"a" * 10_000, "body"),
        (b"--boundary-of-tests junk\r\n\r\n", "body"),
    ],
    ids="unclosed cut empty no-part 3000-parts preamble long-header junk".split(),
)
def test_a_broken_multipart_body_stores_nothing_of_it(
    portal: Portal, body: bytes, code: str
) -> None:
    # The test client names no type for a body that is empty.
    response = portal.client().post(STUDIES, body, content_type=RELATED, CONTENT_TYPE=RELATED)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert portal.kept() == NOTHING
    assert len(portal.events("object.refused")) == 1


def test_a_body_shorter_than_it_says_stores_nothing(portal: Portal) -> None:
    whole = an_object(changes={0xFFFCFFFC: ("OB", b"")})
    cut = whole[:-12]  # still a whole object, were it not for the length that was announced
    response = portal.client().post(
        STUDIES, cut, content_type="application/dicom", CONTENT_LENGTH=str(len(whole))
    )
    assert (response.status_code, response.json()["code"]) == (400, "body")
    assert portal.kept() == NOTHING


def test_parts_that_are_whole_in_a_body_that_is_not_store_nothing(portal: Portal) -> None:
    body = as_parts(an_object())
    for tail, length in ((b"", len(body) + 500), (b"x" * 10_000, len(body) + 10_000)):
        response = portal.client().post(
            STUDIES, body + tail, content_type=RELATED, CONTENT_LENGTH=str(length)
        )
        assert (response.status_code, response.json()["code"]) == (400, "body")
    assert portal.kept() == NOTHING
    # What may follow the closing boundary (RFC 2046 section 5.1.1) does no harm.
    assert send(portal.client(), body=body + b"\r\nepilogue").status_code == 200


def test_a_compressed_request_is_refused_unread(portal: Portal) -> None:
    response = portal.client().post(
        STUDIES, b"\x1f\x8b", content_type=RELATED, headers={"content-encoding": "gzip"}
    )
    assert (response.status_code, response.json()["code"]) == (415, "content-encoding")


def test_a_part_of_another_kind_is_refused_and_the_others_are_stored(portal: Portal) -> None:
    text = b"--boundary-of-tests\r\nContent-Type: text/html\r\n\r\n<p>\r\n"
    response = send(portal.client(), body=text + as_parts(an_object()))
    assert response.status_code == 202
    assert portal.kept().instances == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_object_is_refused_by_name_and_the_next_is_stored(
    portal: Portal, name: str
) -> None:
    client = portal.client()
    response = send(client, HOSTILE[name][0]())
    assert response.status_code == 409
    assert response.json()["00081198"]["Value"][0]["00000902"]["Value"][0]
    assert portal.kept() == NOTHING
    assert len(portal.events("object.refused")) == 1
    assert send(client, an_object()).status_code == 200


# Who may ----------------------------------------------------------------------------------------
def test_without_a_token_nothing_is_read(portal: Portal) -> None:
    assert send(Client(), an_object()).status_code == 401
    assert send(Client(headers={"authorization": "Bearer x"}), an_object()).status_code == 401
    assert portal.kept() == NOTHING


@pytest.mark.parametrize(
    ("email", "scopes", "code"),
    [(CLINICIAN, (Scope.READ,), "scope"), (OFFICER, (Scope.WRITE,), "role")],
)
def test_whoever_may_not_store_is_told_why_before_the_body_is_read(
    portal: Portal, email: str, scopes, code: str
) -> None:
    response = portal.client(email, *scopes).post(STUDIES, b"", content_type="text/plain")
    assert (response.status_code, response.json()["code"]) == (403, code)
    assert [event.reason for event in portal.events("access.refused")] == [code]
    assert portal.kept() == NOTHING


def test_what_a_colleague_elsewhere_stores_is_theirs_alone(portal: Portal) -> None:
    send(portal.client(), an_object())
    assert send(portal.client(COLLEAGUE), an_object()).status_code == 200
    assert portal.client().get(f"{STUDIES}/{uid('1')}/series").json()
    assert portal.kept().studies == 2


# No room ----------------------------------------------------------------------------------------
def test_no_room_for_blobs_is_507_and_the_next_upload_works(portal: Portal, monkeypatch) -> None:
    client = portal.client()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file_store.os, "write", full)
        response = send(client, an_object())
    assert (response.status_code, response.json()["code"]) == (507, "storage-full")
    assert portal.kept() == NOTHING
    assert send(client, an_object()).status_code == 200


class Full(Exception):
    pgcode = "53100"


class Gone(Exception):
    pgcode = None


@pytest.mark.parametrize(
    ("cause", "status"), [(Full(), 507), (Gone(), 503)], ids=["full", "unreachable"]
)
def test_a_database_without_room_or_answer_is_said_so(
    portal: Portal, monkeypatch, cause: Exception, status: int
) -> None:
    client = portal.client()

    def refuse(**_: object) -> None:
        raise OperationalError("could not extend file") from cause

    with monkeypatch.context() as patch:
        patch.setattr("studies.services.intake.file_drafts", refuse)
        response = send(client, an_object())
    assert (response.status_code, response.json()["code"]) == (
        status, "storage-full" if status == 507 else "storage",
    )  # fmt: skip
    left = portal.kept()
    # Whether a lost connection had committed is not known: the sweep looks again.
    assert (left.instances, left.files) == (0, 0 if status == 507 else 1)
    assert send(client, an_object()).status_code == 200
    assert Instance.objects.count() == 1


def test_a_fault_of_ours_is_not_called_the_senders(portal: Portal, monkeypatch) -> None:
    client = portal.client()
    client.raise_request_exception = False
    monkeypatch.setattr(stow, "open_upload", lambda **_: 1 / 0)
    assert send(client, an_object()).status_code == 500


def test_a_description_of_sixty_thousand_letters_is_held_and_no_fault(portal: Portal) -> None:
    long = an_object(changes={0x00081030: element(0x00081030, "LO", b"x" * 60_000)})
    response = send(portal.client(), long)
    assert response.status_code == 202
    assert Instance.objects.get().held
