"""Images come in from a browser or a program: attested, streamed, resumable, each with its fate."""

import io
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import Scope
from studies.models import Instance, Upload
from studies.services import submitting
from studies.services.submitting import BODIES_AT_ONCE, TooManyBodies, _Bodies, _groups
from tests.factories import signed_in_client
from tests.studies.conftest import AUDITOR, CLINICIAN, COLLEAGUE, OFFICER, Portal

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

UPLOADS = "/api/v1/uploads/"


def begun(client: Client) -> str:
    answer = client.post(UPLOADS, {"attested": True}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return f"{UPLOADS}{answer.json()['id']}/"


def send(client: Client, upload: str, body: bytes, kind: str = "application/dicom"):
    return client.post(f"{upload}objects/", body, content_type=kind)


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


# The interface for programs -----------------------------------------------------------------------
def test_an_upload_begins_with_the_attestation_and_not_without(portal: Portal):
    client = portal.client()
    for body in ({}, {"attested": False}, {"attested": "maybe"}, []):
        answer = client.post(UPLOADS, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "not-attested")
    assert Upload.objects.count() == 0
    state = client.get(begun(client)).json()
    assert state["state"] == "open"
    assert "I am allowed to send" in state["attestation"]
    row = Upload.objects.get()
    assert (row.source, len(row.attestation_digest)) == ("api", 64)


def test_an_object_is_stored_and_the_same_again_is_success(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    fates = [send(client, upload, small_ct()).json()["results"][0]["status"] for _ in range(2)]
    assert fates == ["stored", "repeated"]
    assert Instance.objects.count() == 1
    state = client.get(upload).json()
    assert (state["accepted"], state["repeated"], state["refused"]) == (1, 1, 0)


def test_a_refused_file_is_a_422_with_a_sentence_and_the_next_clean_one_works(
    portal: Portal, small_ct
):
    client = portal.client()
    upload = begun(client)
    answer = send(client, upload, b"\x89PNG" + b"x" * 500)
    assert answer.status_code == 422
    assert answer.json()["code"] == "not-dicom"
    assert answer.json()["detail"].endswith(".")
    assert send(client, upload, small_ct()).status_code == 200


def test_other_content_under_a_known_identifier_is_a_409_and_kept_nowhere(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    send(client, upload, small_ct())
    before = portal.kept()
    answer = send(client, upload, small_ct(StudyDescription="Another"))
    assert (answer.status_code, answer.json()["code"]) == (409, "other-content")
    assert portal.kept() == before


def test_each_file_of_an_archive_has_its_own_fate_and_the_archive_is_gone(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    body = zipped({"a/1": small_ct(number=1), "a/2": small_ct(number=2), "notes.txt": b"hello"})
    results = send(client, upload, body, "application/zip").json()["results"]
    assert {one["name"]: one["status"] for one in results} == {
        "1": "stored", "2": "stored", "notes.txt": "refused",
    }  # fmt: skip
    kept = portal.kept()
    assert (kept.instances, kept.files) == (2, kept.blobs)


def test_a_hostile_archive_is_refused_and_leaves_nothing(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    before = portal.kept()
    for body in (zipped({"../../etc/passwd": small_ct()}), zipped({}), b"PK\3\4" + b"x" * 400):
        answer = send(client, upload, body, "application/zip")
        assert answer.status_code == 422
        assert answer.json()["code"].startswith("archive-")
    assert portal.kept() == before


def test_an_archive_larger_than_one_batch_is_taken_whole(portal: Portal, small_ct, monkeypatch):
    monkeypatch.setattr(submitting, "TAKEN_TOGETHER", 2)
    client = portal.client()
    body = zipped({str(number): small_ct(number=number) for number in range(1, 6)})
    results = send(client, begun(client), body, "application/zip").json()["results"]
    assert [one["status"] for one in results] == ["stored"] * 5
    assert Instance.objects.count() == 5


def test_other_media_types_are_a_415(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    assert send(client, upload, small_ct(), "image/png").status_code == 415
    encoded = client.post(
        f"{upload}objects/", small_ct(), content_type="application/dicom",
        headers={"content-encoding": "gzip"},
    )  # fmt: skip
    assert encoded.status_code == 415


def test_an_ended_upload_takes_nothing_more(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    for _ in range(2):
        assert client.post(f"{upload}close/").json()["state"] == "closed"
    answer = send(client, upload, small_ct())
    assert (answer.status_code, answer.json()["code"]) == (409, "upload-closed")


def test_nobody_else_sees_or_uses_an_upload(portal: Portal, small_ct):
    upload = begun(portal.client())
    other = portal.client(COLLEAGUE)
    assert other.get(upload).status_code == 404
    assert send(other, upload, small_ct()).status_code == 404
    assert other.post(f"{upload}close/").status_code == 404
    assert Client().get(upload).status_code == 401


def test_who_may_not_send_cannot_begin(portal: Portal):
    for client in (portal.client(OFFICER), portal.client(CLINICIAN, Scope.READ)):
        answer = client.post(UPLOADS, {"attested": True}, content_type="application/json")
        assert answer.status_code == 403
    assert portal.events("access.refused")


def test_a_role_that_is_lost_in_between_stops_the_upload(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    portal.people[CLINICIAN].memberships.get().roles.update(role="officer")
    assert send(client, upload, small_ct()).status_code == 403
    assert Instance.objects.count() == 0


def test_a_browser_needs_the_csrf_token(portal: Portal, small_ct):
    client = signed_in_client(portal.people[CLINICIAN])
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[
        settings.SESSION_COOKIE_NAME
    ].value
    assert strict.post(UPLOADS, {"attested": True}, "application/json").status_code == 403
    strict.get(reverse("studies:upload"))
    token = {"x-csrftoken": strict.cookies["csrftoken"].value}
    answer = strict.post(UPLOADS, {"attested": True}, "application/json", headers=token)
    assert answer.status_code == 201
    objects = f"{UPLOADS}{answer.json()['id']}/objects/"
    assert strict.post(objects, small_ct(), "application/dicom").status_code == 403
    assert strict.post(objects, small_ct(), "application/dicom", headers=token).status_code == 200


def test_one_person_sends_so_many_bodies_at_once_and_not_more():
    places, sending = _Bodies(BODIES_AT_ONCE), threading.Barrier(BODIES_AT_ONCE + 1)
    release = threading.Event()

    def slow() -> None:
        with places.one_of(7):
            sending.wait()
            release.wait(5)

    threads = [threading.Thread(target=slow) for _ in range(BODIES_AT_ONCE)]
    for thread in threads:
        thread.start()
    sending.wait()
    with pytest.raises(TooManyBodies), places.one_of(7):
        pass
    with places.one_of(8):
        pass
    release.set()
    for thread in threads:
        thread.join()
    with places.one_of(7):
        pass


def test_a_crowd_is_told_to_wait(portal: Portal, small_ct, monkeypatch):
    monkeypatch.setattr("studies.api.v1.views.bodies", _Bodies(0))
    client = portal.client()
    answer = send(client, begun(client), small_ct())
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")


@given(st.lists(st.integers(), max_size=50), st.integers(1, 9))
def test_groups_hold_everything_once_and_in_order(items: list[int], size: int):
    groups = [list(group) for group in _groups(items, size)]
    assert [one for group in groups for one in group] == items
    assert all(len(group) == size for group in groups[:-1])


def test_a_large_object_does_not_fill_the_memory(portal: Portal, small_ct):
    client = portal.client()
    upload = begun(client)
    body = small_ct(size=4096)
    assert len(body) > 32 << 20
    send(client, upload, small_ct(number=2))
    tracemalloc.start()
    answer = send(client, upload, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 200
    # The test's own client holds the body once more.
    assert peak < len(body) * 1.5


# The pages ----------------------------------------------------------------------------------------
@pytest.fixture
def page(portal: Portal) -> Client:
    client = Client(enforce_csrf_checks=True)
    signed = signed_in_client(portal.people[CLINICIAN])
    client.cookies[settings.SESSION_COOKIE_NAME] = signed.cookies[
        settings.SESSION_COOKIE_NAME
    ].value
    client.get(reverse("studies:upload"))
    return client


def form(*fields: tuple[str, str | bytes, str]) -> tuple[bytes, str]:
    """Write a form as a browser does: name, content, file name."""
    body = b""
    for name, content, filename in fields:
        end = (
            f'; filename="{filename}"\r\nContent-Type: application/octet-stream' if filename else ""
        )
        raw = content if isinstance(content, bytes) else content.encode()
        head = f'--XyZ\r\nContent-Disposition: form-data; name="{name}"{end}\r\n\r\n'
        body += head.encode() + raw + b"\r\n"
    return body + b"--XyZ--\r\n", "multipart/form-data; boundary=XyZ"


def token_of(client: Client) -> tuple[str, str, str]:
    return ("csrfmiddlewaretoken", client.cookies["csrftoken"].value, "")


def test_the_plain_form_takes_files_and_archives(page: Client, portal: Portal, small_ct):
    body, kind = form(
        token_of(page), ("attested", "yes", ""), ("files", small_ct(number=1), "ä.dcm"),
        ("files", zipped({"2": small_ct(number=2)}), "b.zip"), ("files", b"no image", "c.txt"),
    )  # fmt: skip
    answer = page.post(reverse("studies:upload_plain"), body, content_type=kind)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "c.txt" in text and "Adler, Paula" in text
    assert Instance.objects.count() == 2
    assert Upload.objects.get().state == "closed"


@pytest.mark.parametrize(
    "first", [("attested", "yes", ""), ("csrfmiddlewaretoken", "x" * 32, ""), ("files", b"x", "a")]
)
def test_the_plain_form_is_refused_before_its_files_are_read(page: Client, small_ct, first):
    body, kind = form(first, ("attested", "yes", ""), ("files", small_ct(), "a.dcm"))
    answer = page.post(reverse("studies:upload_plain"), body, content_type=kind)
    assert answer.status_code == 403
    assert Upload.objects.count() == 0


def test_the_plain_form_is_refused_from_another_site(page: Client, small_ct):
    body, kind = form(token_of(page), ("attested", "yes", ""), ("files", small_ct(), "a.dcm"))
    answer = page.post(
        reverse("studies:upload_plain"), body, content_type=kind,
        headers={"origin": "https://elsewhere.example"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert Instance.objects.count() == 0


def test_the_plain_form_needs_the_attestation_first(page: Client, small_ct):
    body, kind = form(token_of(page), ("files", small_ct(), "a.dcm"))
    answer = page.post(reverse("studies:upload_plain"), body, content_type=kind)
    assert answer.status_code == 422
    assert Instance.objects.count() == 0


def test_the_plain_form_is_not_for_strangers(small_ct):
    body, kind = form(("csrfmiddlewaretoken", "x", ""))
    answer = Client().post(reverse("studies:upload_plain"), body, content_type=kind)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_a_cut_form_is_told_and_nothing_of_its_last_file_is_kept(page: Client, small_ct):
    body, kind = form(token_of(page), ("attested", "yes", ""), ("files", small_ct(), "a.dcm"))
    answer = page.post(reverse("studies:upload_plain"), body[:-60], content_type=kind)
    assert answer.status_code == 400
    assert Instance.objects.count() == 0


def test_the_state_page_shows_what_arrived_also_after_the_tab_was_closed(
    page: Client, portal: Portal, small_ct
):
    upload = portal.upload()
    submitting.take_body(actor=portal.actor(), upload=upload, chunks=[small_ct()])
    text = page.get(reverse("studies:upload_state", args=[upload.pk])).content.decode()
    assert "Adler, Paula" in text
    assert "Go on with this upload" in text
    stranger = signed_in_client(portal.people[COLLEAGUE])
    assert stranger.get(reverse("studies:upload_state", args=[upload.pk])).status_code == 404


def test_the_state_page_asks_about_a_suspected_mismatch(page: Client, portal: Portal, small_ct):
    upload = portal.upload()
    for data in (small_ct(), small_ct(study="two", PatientName="Other^Name")):
        submitting.take_body(actor=portal.actor(), upload=upload, chunks=[data])
    text = page.get(reverse("studies:upload_state", args=[upload.pk])).content.decode()
    assert "Is this the right patient?" in text


def test_the_page_is_for_those_who_may_send(portal: Portal):
    for email, status in ((CLINICIAN, 200), (OFFICER, 403), (AUDITOR, 403)):
        client = signed_in_client(portal.people[email])
        assert client.get(reverse("studies:upload")).status_code == status


def test_the_interface_is_documented(client: Client):
    schema = client.get("/api/v1/schema/", {"format": "json"}).json()
    body = schema["paths"]["/api/v1/uploads/{id}/objects/"]["post"]["requestBody"]["content"]
    assert {"application/dicom", "application/zip"} <= body.keys()


def test_a_crash_leaves_no_archive_that_could_be_opened(portal: Portal, small_ct, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(submitting, "members", killed)
    monkeypatch.setattr(submitting, "delete_blob", lambda **_: None)
    body = zipped({"1": small_ct()})
    upload = portal.upload()
    with pytest.raises(Killed):
        submitting.take_body(actor=portal.actor(), upload=upload, chunks=[body])
    left = [path.read_bytes() for path in Path(portal.folder).rglob("*") if path.is_file()]
    assert len(left) == 1
    assert b"Adler" not in left[0] and body[:64] not in left[0]
