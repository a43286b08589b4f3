"""A portable copy straight to another provider, by its person's word (AVMI-8.6)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, Organisation, User
from accounts.rules import Actor
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from dsar.models import Case, Transfer
from dsar.rules.kinds import Kind
from dsar.rules.packages import LASTS
from dsar.rules.states import Outcome
from dsar.services.collecting import link_subjects
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.packaging import end_packages, prepare_package
from dsar.services.transferring import name_receiver, open_transfer, take_back
from jobs.services import run_job
from tests.dsar.asking import signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]


@pytest.fixture
def patient(cast: Cast) -> Actor:
    return actor_of(cast.patient, fresh=True)


@pytest.fixture
def imaging(cast: Cast) -> Organisation:
    return Organisation.objects.get(slug="imaging")


def portable(cast: Cast, kind: Kind = Kind.PORTABILITY) -> Case:
    """A request of the patient for a portable copy, granted."""
    officer = actor_of(cast.officer, fresh=True)
    take_in(actor_of(cast.clinician), small_ct_object())
    subject = DataSubject.objects.get(organisation__slug="hospital")
    link_account(user=cast.patient, subject=subject)
    case = signed_in(actor_of(cast.patient), kind=kind)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    package, _ = prepare_package(actor=officer, case=case)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    answer_case(actor=officer, case=case, text="It is there.", outcome=Outcome.GRANTED)
    case.refresh_from_db()
    return case


def test_the_provider_that_its_person_named_gets_it_as_it_was_stored(
    cast: Cast, patient: Actor, imaging: Organisation, client_of: Browsers
) -> None:
    case = portable(cast)
    name_receiver(actor=patient, case=case, to=imaging)
    officer = cast["officer@imaging.example"]
    assert Notification.objects.filter(user=officer, template="request-transferred").exists()
    browser = client_of(officer)
    assert "From Hudson Valley Hospital" in text_of(browser.get("/requests/transfers/"))
    transfer = Transfer.objects.get()
    answer = browser.get(f"/requests/transfers/{transfer.pk}/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    for line in archive.read("SHA256SUMS").decode().splitlines():
        digest, _, name = line.partition("  ")
        assert sha256(archive.read(name)).hexdigest() == digest
    (image,) = [name for name in archive.namelist() if name.endswith(".dcm")]
    assert archive.read(image)[132:] == small_ct_object()[132:]
    # What was had so is taken in there like any other file.
    (result,) = take_in(actor_of(cast.stranger), archive.read(image))
    assert result.status == "stored"
    actions = Event.objects.filter(action__startswith="request.transfer").order_by("pk")
    assert [one.action for one in actions] == ["request.transfer_named", "request.transfer_fetched"]
    assert actions[1].actor_id == str(officer.pk)


def test_only_its_person_names_a_receiver_after_a_fresh_proof(
    cast: Cast, patient: Actor, imaging: Organisation, client_of: Browsers
) -> None:
    case = portable(cast)
    with pytest.raises(CaseRefused, match="Prove again"):
        name_receiver(actor=actor_of(cast.patient), case=case, to=imaging)
    for other in (cast.officer, cast.owner):
        with pytest.raises(NotYours):
            name_receiver(actor=actor_of(other, fresh=True), case=case, to=imaging)
    with pytest.raises(CaseRefused, match="Choose another"):
        name_receiver(actor=patient, case=case, to=case.organisation)
    address = f"/requests/mine/{case.number}/transfer/"
    browser = client_of(cast.patient)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert "/sign-in/again/" in browser.post(address, {"to": str(imaging.pk)})["Location"]
    assert not Transfer.objects.exists()
    assert browser.post(address, {"to": str(imaging.pk)}).status_code == 302
    assert "They can fetch it already" in text_of(browser.post(address, {"to": str(imaging.pk)}))
    assert browser.post(address, {"to": "nobody"}).status_code == 422
    assert client_of(cast.owner).get(address).status_code == 404


def test_nobody_else_fetches_it(
    cast: Cast, patient: Actor, imaging: Organisation, client_of: Browsers
) -> None:
    case = portable(cast)
    transfer = name_receiver(actor=patient, case=case, to=imaging)
    address = f"/requests/transfers/{transfer.pk}/"
    for other in (cast.officer, cast["admin@practice.example"]):
        assert client_of(other).get(address).status_code == 404
        with pytest.raises(NotYours):
            open_transfer(actor=actor_of(other, fresh=True), transfer=transfer)
    assert client_of(cast.stranger).get(address).status_code == 403
    with pytest.raises(CaseRefused, match="Prove again"):
        open_transfer(actor=actor_of(cast["officer@imaging.example"]), transfer=transfer)


def test_taken_back_or_over_nobody_fetches_it(
    cast: Cast, patient: Actor, imaging: Organisation
) -> None:
    case = portable(cast)
    receiver = actor_of(cast["officer@imaging.example"], fresh=True)
    first = name_receiver(actor=patient, case=case, to=imaging)
    with pytest.raises(NotYours):
        take_back(actor=actor_of(cast.owner), case=case, transfer_id=first.pk)
    take_back(actor=patient, case=case, transfer_id=first.pk)
    for gone in (first.pk, uuid4()):
        with pytest.raises(CaseRefused, match="already"):
            take_back(actor=patient, case=case, transfer_id=gone)
    with pytest.raises(NotYours):
        open_transfer(actor=receiver, transfer=first)
    second = name_receiver(actor=patient, case=case, to=imaging)
    with time_machine.travel(timezone.now() + LASTS + timedelta(minutes=1)):
        with pytest.raises(NotYours):
            open_transfer(actor=receiver, transfer=second)
        end_packages()
    with pytest.raises(NotYours):
        open_transfer(actor=receiver, transfer=second)


def test_a_copy_that_is_not_portable_goes_nowhere(
    cast: Cast, patient: Actor, imaging: Organisation
) -> None:
    case = portable(cast, Kind.COPY)
    with pytest.raises(CaseRefused, match="no portable copy"):
        name_receiver(actor=patient, case=case, to=imaging)
