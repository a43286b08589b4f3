"""A copy of what is held: found in every room, complete or not at all, for its person alone."""

from __future__ import annotations

import csv
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
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from accounts.services.trail import record, system_ref
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from dsar.models import Case, Package
from dsar.rules.kinds import Kind
from dsar.rules.packages import LASTS, TRIES, digest_of_code, is_code, new_code
from dsar.rules.states import Outcome, Proof
from dsar.selectors import read_token
from dsar.services.collecting import collect, link_subjects, unlink_subject, whose_of
from dsar.services.copying import files_of_rooms
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.packaging import end_packages, prepare_package
from jobs.models import Job
from jobs.services import RunOutcome, run_job
from policies.rules import holdings
from policies.rules.holdings import Holder, Whose, holders
from studies.models import Blob, Instance
from tests.dsar.asking import by_form, signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import delete_blob, stored_names
from vault.services.data_keys import open_data_key

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]


@pytest.fixture
def adler(cast: Cast) -> DataSubject:
    """A patient with two studies; somebody else has one too."""
    take_in(
        actor_of(cast.clinician),
        small_ct_object(study="one", number=1), small_ct_object(study="one", number=2),
        small_ct_object(study="two", AccessionNumber="A-2"),
        small_ct_object(
            study="cole", PatientName="Cole^Ann", PatientID="HVH-2", AccessionNumber="A-3"
        ),
    )  # fmt: skip
    subjects = DataSubject.objects.order_by("created_at")
    return next(one for one in subjects if one.studies.count() == 2)


@pytest.fixture
def case(officer: Actor, adler: DataSubject) -> Case:
    """A request of somebody without an account, who is known, and known to be Paula Adler."""
    made = by_form(kind=Kind.COPY)
    link_subjects(actor=officer, case=made, subject_ids=[adler.pk])
    identify_person(actor=officer, case=made, proof=Proof.KNOWN)
    made.refresh_from_db()
    return made


def work(package: Package) -> Package:
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    package.refresh_from_db()
    return package


def answered(officer: Actor, case: Case, outcome: Outcome = Outcome.GRANTED, **more: Any) -> None:
    answer_case(actor=officer, case=case, text="Here it is.", outcome=outcome, **more)
    case.refresh_from_db()


def archive_of(answer: Any) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


# Whom it is about --------------------------------------------------------------------------------
def test_only_people_of_the_organisation_are_found(
    cast: Cast, officer: Actor, adler: DataSubject
) -> None:
    case = by_form()
    take_in(actor_of(cast.stranger), small_ct_object(study="theirs", AccessionNumber="B-1"))
    theirs = DataSubject.objects.exclude(organisation_id=officer.organisation_id).get()
    assert link_subjects(actor=officer, case=case, subject_ids=[theirs.pk]) == 0
    assert link_subjects(actor=officer, case=case, subject_ids=[adler.pk]) == 1
    assert link_subjects(actor=officer, case=case, subject_ids=[adler.pk]) == 0
    with pytest.raises(NotYours):
        link_subjects(actor=actor_of(cast.clinician), case=case, subject_ids=[adler.pk])
    unlink_subject(actor=officer, case=case, subject_id=adler.pk)
    assert not case.subjects.exists()
    assert Event.objects.filter(action="request.subject_linked").count() == 1


# What is held ------------------------------------------------------------------------------------
def test_every_room_says_what_it_holds(cast: Cast, case: Case, adler: DataSubject) -> None:
    found = collect(whose_of(case))
    assert found.is_complete
    said = {one.what: one.number for part in found.parts for one in part.holdings or ()}
    assert said["Who the patient is"] == 1
    assert next(number for what, number in said.items() if what.startswith("Studies")) == 2
    assert said["Requests and their answers"] == 1
    assert {one.code for one in holders()} == {
        "accounts", "consent", "disclosures", "incidents", "releases", "requests", "retention",
        "studies",
    }  # fmt: skip


def test_nobody_elses_data_is_found(case: Case, adler: DataSubject) -> None:
    paths = [file.path for holder in holders() for file in holder.files(whose_of(case))]
    cole = set(Instance.objects.exclude(study__subject=adler).values_list("uid", flat=True))
    assert len([path for path in paths if path.endswith(".dcm")]) == 3
    assert not any(uid in path for uid in cole for path in paths)


def test_a_room_that_cannot_say_makes_nothing_complete(
    case: Case, officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Whose) -> Any:
        raise OSError("the store is away")

    broken = Holder("broken", "A room that is away", away, away)
    monkeypatch.setitem(holdings._holders, "broken", broken)
    found = collect(whose_of(case))
    assert not found.is_complete
    assert found.missing == ["A room that is away"]
    package, _ = prepare_package(actor=officer, case=case)
    assert package.job_id is not None
    assert run_job(job_id=package.job_id) is RunOutcome.FAILED
    assert Job.objects.get(pk=package.job_id).message == "room-unreachable"
    package.refresh_from_db()
    assert package.state == Package.State.MAKING


# The copy ----------------------------------------------------------------------------------------
def test_nothing_is_copied_before_it_is_known_who_asks_and_of_whom(
    officer: Actor, adler: DataSubject
) -> None:
    case = by_form(kind=Kind.COPY)
    with pytest.raises(CaseRefused, match="how it is known who asks"):
        prepare_package(actor=officer, case=case)
    identify_person(actor=officer, case=case, proof=Proof.KNOWN)
    with pytest.raises(CaseRefused, match="whom the request is about"):
        prepare_package(actor=officer, case=case)
    erasure = by_form(kind=Kind.ERASURE)
    with pytest.raises(CaseRefused, match="Nothing is copied"):
        prepare_package(actor=officer, case=erasure)
    assert not Package.objects.exists()


def test_the_copy_holds_everything_and_says_so(
    case: Case, officer: Actor, client_of: Browsers
) -> None:
    package, code = prepare_package(actor=officer, case=case)
    assert work(package).state == Package.State.READY
    answered(officer, case)
    path = f"/requests/read/{read_token(case)}/copy/"
    archive = archive_of(Client().post(path, {"code": code}))
    names = set(archive.namelist())
    assert len([name for name in names if name.endswith(".dcm")]) == 3
    assert {"REPORT.html", "SHA256SUMS", "fhir/bundle.json", "consent/identity.json",
            "studies/studies.json", "studies/who-did-what.csv",
            "requests/requests.json"} <= names  # fmt: skip
    for line in archive.read("SHA256SUMS").decode().splitlines():
        digest, _, name = line.partition("  ")
        assert sha256(archive.read(name)).hexdigest() == digest
        names.discard(name)
    assert names == {"SHA256SUMS"}
    rows = list(csv.reader(archive.read("studies/who-did-what.csv").decode().splitlines()))
    assert rows[0] == ["when", "what", "who", "why", "refused"]
    assert "Images received" in {row[1] for row in rows}
    # Others who acted are people too: their role stands there, not their name.
    assert "Reyes" not in archive.read("studies/who-did-what.csv").decode()
    assert Event.objects.get(action="request.copy_fetched")


def test_fhir_says_what_is_known_and_nothing_else(case: Case, officer: Actor) -> None:
    package, code = prepare_package(actor=officer, case=case)
    work(package)
    answered(officer, case)
    answer = Client().post(f"/requests/read/{read_token(case)}/copy/", {"code": code})
    found = json.loads(archive_of(answer).read("fhir/bundle.json"))
    assert (found["resourceType"], found["type"]) == ("Bundle", "collection")
    resources = [one["resource"] for one in found["entry"]]
    (patient,) = [one for one in resources if one["resourceType"] == "Patient"]
    assert patient["name"] == [{"family": "Adler", "given": ["Paula"], "text": "Adler, Paula"}]
    assert (patient["birthDate"], patient["gender"]) == ("1972-03-14", "female")
    studies = [one for one in resources if one["resourceType"] == "ImagingStudy"]
    assert sorted(one["numberOfInstances"] for one in studies) == [1, 2]
    urls = {one["fullUrl"] for one in found["entry"]}
    assert {one["subject"]["reference"] for one in studies} <= urls


def test_a_damaged_file_is_no_copy(case: Case, officer: Actor) -> None:
    delete_blob(
        name=Blob.objects.filter(study__subject__in=case.subjects.values("subject_id"))[0].name
    )
    package, _ = prepare_package(actor=officer, case=case)
    assert work(package).state == Package.State.MAKING
    assert Job.objects.get(pk=package.job_id).message == "BlobMissing"


def test_reading_asks_once_for_each_study(cast: Cast, adler: DataSubject) -> None:
    """However many objects it has."""
    whose = Whose(adler.organisation_id, frozenset({adler.pk}), None)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            for one in files_of_rooms(whose):
                assert sum(map(len, one.pieces())) == one.size or not one.path.endswith(".dcm")
        return len(caught)

    before = queries()
    more = [small_ct_object(study="one", number=number) for number in range(3, 12)]
    take_in(actor_of(cast.clinician), *more)
    assert Instance.objects.filter(study__subject=adler).count() == 12
    assert queries() == before


# Who gets it -------------------------------------------------------------------------------------
def test_before_the_answer_nobody_fetches_it(case: Case, officer: Actor) -> None:
    package, code = prepare_package(actor=officer, case=case)
    work(package)
    path = f"/requests/read/{read_token(case)}/copy/"
    assert Client().post(path, {"code": code}).status_code == 422
    answered(officer, case, Outcome.DENIED, denial="rights-of-others")
    assert Client().post(path, {"code": code}).status_code == 422


def test_five_wrong_codes_and_nobody_opens_it(case: Case, officer: Actor) -> None:
    package, code = prepare_package(actor=officer, case=case)
    work(package)
    answered(officer, case)
    path = f"/requests/read/{read_token(case)}/copy/"
    for _ in range(TRIES):
        assert Client().post(path, {"code": "0000-0000-0000"}).status_code == 422
    refused = Client().post(path, {"code": code})
    assert refused.status_code == 422
    assert "Too many wrong codes" in refused.content.decode()
    assert Event.objects.filter(action="request.copy_refused").count() == TRIES
    assert Client().post("/requests/read/forged/copy/", {"code": code}).status_code == 410


def test_a_link_and_a_code_that_were_used_open_nothing_any_more(case: Case, officer: Actor) -> None:
    """LIFEIMAGE-12.4: a second download is refused; what broke off can be begun anew."""
    package, code = prepare_package(actor=officer, case=case)
    work(package)
    answered(officer, case)
    path = f"/requests/read/{read_token(case)}/copy/"
    broken = Client().post(path, {"code": code})
    # Closing the answer itself would close the database's connection, as at a request's end.
    stream = broken._iterator
    next(stream)
    stream.close()
    assert archive_of(Client().post(path, {"code": code})).testzip() is None
    again = Client().post(path, {"code": code})
    assert again.status_code == 422 and "fetched already" in again.content.decode()
    assert Event.objects.filter(action="request.copy_fetched").count() == 2


def test_a_signed_in_person_proves_again_that_it_is_them(
    cast: Cast, officer: Actor, adler: DataSubject, client_of: Browsers
) -> None:
    """The link of a letter does not open it, and nobody else's session does."""
    link_account(user=cast.patient, subject=adler)
    case = signed_in(actor_of(cast.patient), kind=Kind.COPY)
    link_subjects(actor=officer, case=case, subject_ids=[adler.pk])
    package, code = prepare_package(actor=officer, case=Case.objects.get(pk=case.pk))
    assert code == ""
    work(package)
    answered(officer, case)
    path = f"/requests/mine/{case.number}/copy/"
    patient = client_of(cast.patient)
    assert "Fetch your copy" in patient.get(f"/requests/mine/{case.number}/").content.decode()
    names = archive_of(patient.get(path)).namelist()
    assert "accounts/account.json" in names
    assert client_of(cast.owner).get(path).status_code == 404
    assert client_of(cast.officer).get(path).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert "/sign-in/again/" in patient.get(path)["Location"]
    assert (
        Client().post(f"/requests/read/{read_token(case)}/copy/", {"code": "x"}).status_code == 410
    )


# Its end -----------------------------------------------------------------------------------------
def test_after_its_term_the_copy_is_gone_with_its_key(case: Case, officer: Actor) -> None:
    package, code = prepare_package(actor=officer, case=case)
    name = work(package).blob_name
    answered(officer, case)
    assert end_packages() == 0
    with time_machine.travel(timezone.now() + LASTS + timedelta(minutes=1), tick=False):
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert end_packages() == 1
        assert end_packages() == 0
        path = f"/requests/read/{read_token(case)}/copy/"
        assert Client().post(path, {"code": code}).status_code == 422
        assert name not in set(stored_names(before=timezone.now() + timedelta(days=1)))
    with pytest.raises(KeyDestroyed):
        open_data_key(id=package.key_id)


def test_a_copy_that_is_made_anew_ends_the_one_before(case: Case, officer: Actor) -> None:
    first, _ = prepare_package(actor=officer, case=case)
    work(first)
    second, _ = prepare_package(actor=officer, case=case)
    first.refresh_from_db()
    assert (first.state, second.state) == (Package.State.GONE, Package.State.MAKING)


# Pages -------------------------------------------------------------------------------------------
def test_an_officer_finds_lists_and_copies_by_the_pages(
    cast: Cast, adler: DataSubject, client_of: Browsers
) -> None:
    case = by_form(kind=Kind.COPY)
    browser = client_of(cast.officer)
    path = f"/requests/{case.number}/held/"
    shown = browser.get(f"{path}?name=Adler&identifier=").content.decode()
    assert shown.count(str(adler.pk)) == 1
    browser.post(f"{path}link/", {"subject": [str(adler.pk)]})
    shown = browser.get(path).content.decode()
    assert "Studies, with 3 objects" in shown
    assert "note how it is known who asks" in shown
    browser.post(f"/requests/{case.number}/identify/", {"proof": Proof.KNOWN.value})
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        # The proof leads back to a page, for the act itself cannot be asked for.
        assert browser.post(f"{path}copy/")["Location"].endswith(f"?next={path}")
    assert not Package.objects.exists()
    browser.post(f"{path}copy/")
    shown = browser.get(path).content.decode()
    package = Package.objects.get()
    assert "This code opens the copy" in shown
    assert "This code opens the copy" not in browser.get(path).content.decode()
    work(package)
    assert "once you have answered" in browser.get(path).content.decode()
    browser.post(f"{path}link/", {"unlink": str(adler.pk)})
    assert browser.post(f"{path}link/", {"subject": ["nonsense"]}).status_code == 302
    assert not case.subjects.exists()


def test_the_page_asks_as_much_however_much_was_done(
    cast: Cast, case: Case, adler: DataSubject, client_of: Browsers
) -> None:
    browser, path = client_of(cast.officer), f"/requests/{case.number}/held/"

    def queries() -> int:
        browser.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(path).status_code == 200
        return len(caught)

    before = queries()
    for _ in range(600):
        record(
            action="study.opened", actor=system_ref(), organisation_id=adler.organisation_id,
            subject_id=adler.pk,
        )  # fmt: skip
    assert queries() == before


def test_codes_are_read_out_and_typed_in_many_ways() -> None:
    code = new_code()
    digest = digest_of_code(code)
    for typed in (code.lower(), code.replace("-", ""), f" {code} ", code.replace("-", " ")):
        assert is_code(typed, digest)
    assert is_code(code.replace("0", "O").replace("1", "l"), digest)
    assert not is_code("", digest)
    assert not is_code(code, "")
    assert len({new_code() for _ in range(100)}) == 100
