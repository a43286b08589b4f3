"""One altered bit in the store: nothing of the file is shown, and those responsible are told."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as live
from django.test import Client

from accounts.models import Notification, User
from accounts.services.notifications import MAIL
from audit.models import Event
from jobs.models import Job
from jobs.rules.kinds import schedules
from jobs.rules.states import State
from jobs.services import create_job, run_job
from studies.models import Blob
from studies.services.integrity import CHECK, Checked, check_blobs
from tests.factories import signed_in_client
from vault.gateways.blob_store import blob_store

from .conftest import CLINICIAN, COLLEAGUE, OFFICER, Portal
from .objects import an_object, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

FRAME = "/dicom-web/studies/{0}/series/{1}/instances/{2}/frames/1"


def put(blob: Blob, change: Callable[[bytes], bytes]) -> bytes:
    """Write other bytes in a file's place, by the store's own means; return what was there."""
    store = blob_store()
    reader = store.open(blob.name)
    before = bytes(reader.read_at(0, reader.size))
    reader.close()
    store.delete(blob.name)
    sink = store.create(blob.name)
    sink.write(memoryview(change(before)))
    sink.flush()
    store.publish_together([sink])
    return before


def flip_a_bit(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.fixture
def damaged(portal: Portal) -> Blob:
    portal.take(an_object(study="1"))
    portal.take(an_object(study="2", patient="P-2"))
    blob = Blob.objects.get(study__uid=uid("1"))
    put(blob, flip_a_bit)
    return blob


def look(client: Client, study: str = "1") -> list[int]:
    path = f"/dicom-web/studies/{uid(study)}"
    series = client.get(f"{path}/series").json()[0]["0020000E"]["Value"][0]
    instance = client.get(f"{path}/instances").json()[0]["00080018"]["Value"][0]
    here = f"{path}/series/{series}/instances/{instance}"
    return [
        client.get(here + way, headers={"accept": "*/*"}).status_code
        for way in ("/frames/1", "/rendered")
    ]


def alerts() -> list[Event]:
    return list(Event.objects.filter(action="study.blob_damaged"))


def test_the_viewer_refuses_it_and_the_alarm_is_raised_once(portal: Portal, damaged: Blob) -> None:
    """LIFEIMAGE-6.2, VIGILANT-4.2."""
    client = portal.client()
    client.raise_request_exception = False
    for _ in range(3):
        assert look(client) == [500, 500]
    (event,) = alerts()
    assert (event.target_uid, event.outcome, event.reason) == (uid("1"), "failed", "altered")
    assert event.organisation_id == str(portal.organisation("hospital").pk)
    assert event.details == {"blob": damaged.name, "instances": 1}
    told = Notification.objects.filter(template="file-damaged")
    people = {OFFICER, "admin@hospital.example"}
    assert set(told.values_list("user_id", flat=True)) == {portal.people[one].pk for one in people}
    assert all(row.needs_acknowledgement and row.by_email for row in told)
    assert Job.objects.filter(kind=MAIL, state=State.WAITING).exists()
    # What lies beside it is shown as before.
    assert look(client, "2") == [200, 200]


def test_the_refusal_says_why(portal: Portal, damaged: Blob) -> None:
    client = portal.client()
    path = f"/dicom-web/studies/{uid('1')}"
    series = client.get(f"{path}/series").json()[0]["0020000E"]["Value"][0]
    instance = client.get(f"{path}/instances").json()[0]["00080018"]["Value"][0]
    answer = client.get(FRAME.format(uid("1"), series, instance), headers={"accept": "*/*"})
    assert answer.json()["code"] == "damaged"
    assert "Those responsible have been told" in answer.json()["detail"]


def test_a_transfer_of_it_breaks_off_and_raises_the_alarm(portal: Portal, damaged: Blob) -> None:
    answer = portal.client().get(f"/dicom-web/studies/{uid('1')}")
    with pytest.raises(Exception, match="authentication"):
        answer.getvalue()
    assert len(alerts()) == 1


def test_a_job_finds_what_nobody_looks_at(portal: Portal, damaged: Blob) -> None:
    job = create_job(kind=CHECK, natural_key="now")
    run_job(job_id=job.pk)
    assert [event.target_uid for event in alerts()] == [uid("1")]
    assert not Blob.objects.filter(checked_at=None).exists()
    assert Blob.objects.exclude(damaged_at=None).get() == damaged
    assert CHECK in {one.kind for one in schedules()}
    assert check_blobs() == Checked(whole=1, damaged=1)
    assert len(alerts()) == 1, "told once, however often it is found"


def test_a_check_stops_in_time_and_goes_on_with_what_was_left(portal: Portal) -> None:
    for number in "123":
        portal.take(an_object(study=number, patient=f"P-{number}"))
    assert check_blobs(lasts=timedelta(0)) == Checked()
    first = Blob.objects.order_by("pk")[0]
    Blob.objects.exclude(pk=first.pk).update(checked_at=first.created_at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("studies.services.integrity._TOGETHER", 1)
        ticks = iter(range(100))
        patch.setattr("studies.services.integrity.time.monotonic", lambda: next(ticks))
        assert check_blobs(lasts=timedelta(seconds=2)) == Checked(whole=1)
    first.refresh_from_db()
    assert first.checked_at is not None, "what was never read comes first"


def test_a_file_that_is_gone_raises_the_alarm_too(portal: Portal, damaged: Blob) -> None:
    blob_store().delete(damaged.name)
    client = portal.client()
    assert look(client) == [500, 500]
    (event,) = alerts()
    assert event.reason == "missing"


def test_a_file_put_back_from_a_backup_is_whole_again(portal: Portal) -> None:
    portal.take(an_object(study="1"))
    blob = Blob.objects.get()
    before = put(blob, flip_a_bit)
    assert check_blobs() == Checked(damaged=1)
    put(blob, lambda _: before)
    assert check_blobs() == Checked(whole=1)
    blob.refresh_from_db()
    assert blob.damaged_at is None
    assert Event.objects.filter(action="study.blob_mended").count() == 1
    put(blob, flip_a_bit)
    check_blobs()
    assert len(alerts()) == 2, "damaged anew is told anew"


def test_officers_and_administrators_see_it_where_they_begin(portal: Portal, damaged: Blob) -> None:
    check_blobs()
    for email in (OFFICER, "admin@hospital.example"):
        browser = signed_in_client(portal.people[email])
        home = "/" if email == OFFICER else "/members/"
        assert "A stored file is damaged" in browser.get(home).content.decode()
        page = browser.get("/integrity/").content.decode()
        assert uid("1") in page
        assert damaged.name in page
        assert "1 stored file cannot be opened" in page
    assert "damaged" not in signed_in_client(portal.people[CLINICIAN]).get("/").content.decode()


def test_another_organisation_learns_nothing_of_it(portal: Portal, damaged: Blob) -> None:
    check_blobs()
    stranger = portal.people["officer@imaging.example"]
    page = signed_in_client(stranger).get("/integrity/").content.decode()
    assert uid("1") not in page
    assert "No stored file is known to be damaged" in page
    assert not Notification.objects.filter(user=stranger).exists()
    assert signed_in_client(portal.people[COLLEAGUE]).get("/integrity/").status_code == 403


def test_the_page_asks_as_much_for_many_as_for_one(
    portal: Portal, django_assert_max_num_queries: Callable
) -> None:
    counts = []
    browser = signed_in_client(User.objects.with_email(OFFICER).get())
    for number in "12345":
        portal.take(an_object(study=number, patient=f"P-{number}"))
        Blob.objects.update(damaged_at=Blob.objects.latest("pk").created_at)
        with django_assert_max_num_queries(30) as asked:
            assert browser.get("/integrity/").status_code == 200
        counts.append(len(asked))
    assert len(set(counts[1:])) == 1, counts


@pytest.mark.stack
def test_it_is_the_same_on_a_bucket(portal: Portal, settings) -> None:
    settings.STORAGE_URL = os.environ["STORAGE_URL"]
    assert live.STORAGE_URL.startswith("s3://")
    portal.take(an_object(study="1"))
    blob = Blob.objects.get()
    before = put(blob, flip_a_bit)
    client = portal.client()
    assert look(client) == [500, 500]
    assert len(alerts()) == 1
    assert check_blobs() == Checked(damaged=1)
    put(blob, lambda _: before)
    assert check_blobs() == Checked(whole=1)
    assert look(client) == [200, 200]
