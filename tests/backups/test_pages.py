"""The pages of backups, for those who may; and what they say when there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.rules.notes import sign_note
from audit.services.keys import signing_key
from backups.models import Artefact, Drill, Generation
from backups.rules.drill import text_of
from backups.rules.keeping import expiry
from backups.rules.names import Kind, name_of
from retention.models import Certificate
from retention.services.certificates import issue_addendum
from tests.factories import Cast
from tests.retention.cases import approved, carried_out, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browse = Callable[[User], Client]


def entered(days_ago: float, state: str = "good", *, ended: bool = False) -> Generation:
    begun = timezone.now() - timedelta(days=days_ago)
    row = Generation(
        state=state, begun_at=begun, data_place="/srv/somewhere", keys_place="/srv/else",
        engine="sqlite", files=1200, files_new=3, bytes=5_000_000, failure="/srv/somewhere is full",
    )  # fmt: skip
    row.name = name_of(begun, row.id)
    row.save()
    for kind in Kind:
        Artefact.objects.create(
            generation=row, kind=kind, begun_at=begun, size=1_000_000, digest="0" * 64,
            expires_at=expiry(begun, kind, keep_data=30, keep_keys=14),
            key_destroyed_at=timezone.now() if ended else None,
            destroyed_at=timezone.now() if ended else None, destroyed_by="job" if ended else "",
        )  # fmt: skip
    return row


def drilled(days_ago: float, *, is_good: bool = True) -> Drill:
    facts: dict[str, Any] = {"seconds": 42, "is_good": is_good, "files": 1200}
    began_at = timezone.now() - timedelta(days=days_ago)
    text = text_of(
        generation="20261101t000000z-00000000", began_at=began_at, tried=60, events=900,
        failure="" if is_good else "The trail\ndoes not verify.", **facts,
    )  # fmt: skip
    return Drill.objects.create(
        generation_name="20261101t000000z-00000000", began_at=began_at, files_tried=60,
        events=900, note=sign_note(text, signing_key()), **facts,
    )  # fmt: skip


def test_without_backups_the_page_says_what_to_do(
    cast: Cast, client_of: Browse, settings: Any
) -> None:
    admin = client_of(cast.administrator)
    page = admin.get("/retention/backups/").content.decode()
    assert "BACKUP_KEYS_URL" in page
    assert "cannot say when copies end" in page
    settings.BACKUP_URL, settings.BACKUP_KEYS_URL = "/a", "/b"
    assert "made tonight" in admin.get("/retention/backups/").content.decode()


def test_what_there_is_until_when_and_what_is_gone(cast: Cast, client_of: Browse) -> None:
    gone, failed, last = entered(40, "gone", ended=True), entered(2, "failed"), entered(1)
    for who in (cast.administrator, cast.officer, cast.auditor):
        page = client_of(who).get("/retention/backups/").content.decode()
        for row in (gone, failed, last):
            assert row.name in page
        assert "by the nightly job, and read back" in page
        assert "if a later one is there by then" in page
        assert f'until <time datetime="{timezone.now() + timedelta(days=14):%Y-%m-%d}"' in page
        # Where it lies, and what the operating system said, is for operators.
        assert "/srv/" not in page
        assert "log says why" in page
        assert "No drill has worked yet" in page


def test_a_drill_is_shown_with_its_signature(cast: Cast, client_of: Browse) -> None:
    entered(1)
    good, bad = drilled(3), drilled(1, is_good=False)
    auditor = client_of(cast.auditor)
    page = auditor.get("/retention/backups/").content.decode()
    assert "A restore has to be practised" not in page
    assert "60 of 1200 sealed files" in page
    assert (
        "Its signature is good"
        in auditor.get(f"/retention/backups/drills/{good.pk}/").content.decode()
    )
    assert (
        "it failed, The trail does not verify."
        in auditor.get(f"/retention/backups/drills/{bad.pk}/").content.decode()
    )
    Drill.objects.filter(pk=bad.pk).update(is_good=True)
    assert "not good" in auditor.get(f"/retention/backups/drills/{bad.pk}/").content.decode()
    Drill.objects.filter(pk=good.pk).update(began_at=timezone.now() - timedelta(days=91))
    Drill.objects.filter(pk=bad.pk).delete()
    assert "more than 90 days ago" in auditor.get("/retention/backups/").content.decode()


@pytest.mark.parametrize("count", [1, 40])
def test_the_page_asks_as_much_however_many_there_are(
    cast: Cast, client_of: Browse, django_assert_max_num_queries: Any, count: int
) -> None:
    for number in range(count):
        entered(number)
        drilled(number)
    officer = client_of(cast.officer)
    officer.get("/retention/backups/")
    with django_assert_max_num_queries(18):
        officer.get("/retention/backups/")


def test_the_page_is_found_from_retention(cast: Cast, client_of: Browse) -> None:
    page = client_of(cast.auditor).get("/retention/").content.decode()
    assert 'href="/retention/backups/"' in page


def test_an_addendum_stands_on_the_page_of_its_certificate(cast: Cast, client_of: Browse) -> None:
    entered(1)
    take_in_old(cast)
    carried_out(approved(cast))
    auditor = client_of(cast.auditor)
    path = "/retention/certificates/1/"
    assert "Addendum: the last backup" not in auditor.get(path).content.decode()
    assert auditor.get(f"{path}addendum/").status_code == 404
    issue_addendum(certificate=Certificate.objects.get())
    page = auditor.get(path).content.decode()
    assert "Addendum: the last backup has ended" in page
    assert "Its signature is good, and it is of this certificate." in page
    note = auditor.get(f"{path}addendum/")
    assert note.content.decode().startswith("Collimate addendum to a certificate")
    assert client_of(cast["officer@imaging.example"]).get(f"{path}addendum/").status_code == 404
