"""My data: everything that is held about whoever is signed in, at any time, and as a file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.services.trail import record, system_ref
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from dsar.rules.kinds import Kind
from dsar.services.own_record import own_archive, own_places
from policies.rules import holdings
from policies.rules.holdings import Holder, Whose
from studies.models import Instance
from tests.consent.test_sharing import share
from tests.dsar.asking import signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of
from tests.studies.reports import structured_report

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]
PAGE, FILE = "/requests/mine/data/", "/requests/mine/data/file/"


@pytest.fixture
def adler(cast: Cast) -> DataSubject:
    """The patient's record, with two studies and a report; somebody else has one too."""
    take_in(
        actor_of(cast.clinician),
        small_ct_object(study="one", number=1), small_ct_object(study="one", number=2),
        small_ct_object(study="two", AccessionNumber="A-2", StudyDescription="Knee of spring"),
        structured_report(study="two", AccessionNumber="A-2", StudyDescription="Knee of spring"),
        small_ct_object(study="cole", PatientName="Cole^Ann", PatientID="HVH-2",
                        AccessionNumber="A-3", StudyDescription="Of somebody else"),
    )  # fmt: skip
    found = next(one for one in DataSubject.objects.all() if one.studies.count() == 2)
    link_account(user=cast.patient, subject=found)
    return found


def unpacked(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as found:
        return {name: found.read(name) for name in found.namelist()}


# Seen --------------------------------------------------------------------------------------------
def test_one_sees_every_study_report_and_object_of_ones_own_and_no_others(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    """LIFEIMAGE-4.1: the count is that of the database."""
    said = text_of(client_of(cast.patient).get(PAGE))
    assert "Knee of spring" in said and "Of somebody else" not in said
    (place,) = own_places(actor_of(cast.patient))
    assert place.objects == Instance.objects.filter(study__subject=adler).count() == 4
    assert sum(one.reports for one in place.studies) == 1
    assert f"2 studies with {place.objects} objects" in said
    assert Event.objects.filter(action="data.seen", actor_id=str(cast.patient.pk)).count() == 1


def test_shares_are_listed_with_who_received(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    study = adler.studies.first()
    assert study is not None
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    said = text_of(client_of(cast.patient).get(PAGE))
    assert "Shares, with what was agreed to" in said
    assert Organisation.objects.get(slug="imaging").name in said


def test_who_has_nothing_but_an_account_sees_that(cast: Cast, client_of: Browsers) -> None:
    said = text_of(client_of(cast.patient).get(PAGE))
    assert "No images or records are linked" in said and "Your account" in said


@pytest.mark.parametrize("who", ["clinician", "officer", "administrator", "auditor", "owner"])
def test_every_account_has_the_page(cast: Cast, client_of: Browsers, who: str) -> None:
    assert client_of(getattr(cast, who)).get(PAGE).status_code == 200
    assert Client().get(PAGE).status_code == 302


def test_a_room_that_cannot_say_is_named(
    cast: Cast, adler: DataSubject, client_of: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Whose) -> Any:
        raise OSError("the store is away")

    broken = Holder("broken", "A room that is away", away, lambda _: [])
    monkeypatch.setitem(holdings._holders, "broken", broken)
    assert "A room that is away" in text_of(client_of(cast.patient).get(PAGE))


def test_the_page_asks_as_often_however_much_there_is(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    browser = client_of(cast.patient)
    signed_in(actor_of(cast.patient), kind=Kind.QUESTION)

    def queries() -> int:
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(PAGE).status_code == 200
        return len(caught)

    before = queries()
    for number in range(3):
        take_in(actor_of(cast.clinician), small_ct_object(study=f"more {number}"))
        signed_in(actor_of(cast.patient), kind=Kind.QUESTION)
        record(action="study.opened", actor=system_ref(), subject_id=adler.pk,
               organisation_id=adler.organisation_id)  # fmt: skip
    assert queries() == before


# Taken along -------------------------------------------------------------------------------------
def test_the_file_has_profile_shares_and_acts_with_their_digests(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    """XENRAD-8.1."""
    study = adler.studies.first()
    assert study is not None
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    signed_in(actor_of(cast.patient), kind=Kind.QUESTION)
    files = unpacked(client_of(cast.patient).get(FILE))
    assert {"account.json", "shares-that-name-me.json", "what-i-did.json",
            "hospital/consent/identity.json", "hospital/consent/shares.json",
            "hospital/studies/studies.json", "hospital/studies/who-did-what.csv",
            "hospital/requests/requests.json", "SHA256SUMS"} == files.keys()  # fmt: skip
    listed = files.pop("SHA256SUMS").decode()
    for name, content in files.items():
        assert f"{sha256(content).hexdigest()}  {name}\n" in listed
    assert "patient@home.example" in files["account.json"].decode()
    assert json.loads(files["what-i-did.json"])
    assert "Of somebody else" not in b"".join(files.values()).decode()
    assert Event.objects.filter(action="data.exported", actor_id=str(cast.patient.pk)).count() == 1


def test_a_clinician_finds_the_shares_they_agreed_to_and_nobodys_images(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    study = adler.studies.first()
    assert study is not None
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    files = unpacked(client_of(cast.clinician).get(FILE))
    (one,) = json.loads(files["shares-that-name-me.json"])
    assert one["granted_by_me"] and one["from"] == adler.organisation.name
    everything = b"".join(files.values()).decode()
    assert "Adler" not in everything and study.uid not in files["shares-that-name-me.json"].decode()


def test_the_file_asks_for_a_fresh_proof(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    browser = client_of(cast.patient)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        for path in (FILE, "/account/data/"):
            assert "/sign-in/again/" in browser.get(path)["Location"]
    assert not Event.objects.filter(action="data.exported").exists()


def test_what_somebody_else_asked_about_the_same_record_is_not_in_it(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    """Both parents of a child, say, or two owners of a dog."""
    link_account(user=cast.owner, subject=adler)
    theirs = signed_in(actor_of(cast.owner), kind=Kind.QUESTION, text="A word of the other one.")
    theirs.subjects.create(subject_id=adler.pk, linked_by=cast.officer)
    files = unpacked(client_of(cast.patient).get(FILE))
    assert "A word of the other one" not in b"".join(files.values()).decode()
    own = b"".join(piece for piece in own_archive(actor=actor_of(cast.owner, fresh=True)).pieces())
    with zipfile.ZipFile(io.BytesIO(own)) as found:
        assert "A word of the other one" in found.read("hospital/requests/requests.json").decode()
