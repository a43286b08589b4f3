"""Releasing archived records on the pages: finding, the forms, what it costs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from dsar.models import ArchiveRelease, Case, Package
from dsar.rules.fees import Asked, Cost, Item, refusal_to_charge
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.releasing import (
    Basis,
    checks_for,
)
from dsar.services.charging import decide_fee, quote_fee
from dsar.services.entries import CaseRefused
from dsar.services.releasing_archive import (
    archived_of,
    look_in_archive,
    prepare_release,
)
from jobs.services import run_job
from studies.models import Study
from tests.dsar.asking import by_form
from tests.dsar.papers import pdf
from tests.dsar.released import committed, study
from tests.dsar.releases import approved, asked, checked, made, with_paper
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in, text_of
from tests.retention.archives import Committed, archived, young

__all__ = ["committed", "study"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
TODAY = date(2026, 11, 26)


# Finding -----------------------------------------------------------------------------------------
def test_people_are_found_in_the_archive_by_name_and_number(
    cast: Cast, study: Study, committed: Committed
) -> None:
    archived(cast, young(cast, "cole", PatientName="Cole^Ann", PatientID="HVH-2"), committed)
    young(cast, "seen", PatientName="Adler^Max", PatientID="HVH-3")
    case, officer = asked(cast), actor_of(cast.officer)
    found = look_in_archive(actor=officer, case=case, wanted={"name": "adl", "identifier": ""})
    assert [one.subject_id for one in found] == [study.subject_id]
    by_number = look_in_archive(
        actor=officer, case=case, wanted={"name": "", "identifier": "HVH-2"}
    )
    assert len(by_number) == 1
    assert look_in_archive(actor=officer, case=case, wanted={"name": "", "identifier": ""}) == []
    searched = Event.objects.filter(action="archive.searched")
    assert sorted(one.details["found"] for one in searched) == [0, 1, 1]


# Pages -------------------------------------------------------------------------------------------
def form_of(case: Case, study: Study, **more: Any) -> dict[str, Any]:
    paper = case.documents.get()
    given = {
        "document": str(paper.pk), "basis": "authorization", "reference": "",
        "signed_on": "2026-11-01", "ends_on": "2027-11-01",
        "checks": [one.value for one in checks_for(Basis.AUTHORIZATION)], "studies": [study.uid],
    }  # fmt: skip
    return given | more


def test_the_pages_lead_from_the_request_to_the_package(cast: Cast, study: Study) -> None:
    case = by_form(kind=Kind.RECORDS_RELEASE)
    officer, admin = signed_in_client(cast.officer), signed_in_client(cast.administrator)
    page = f"/requests/{case.number}/release/"
    assert "It is not known who asks" in text_of(officer.get(page))
    assert "/release/" in officer.get(f"/requests/{case.number}/").content.decode()
    officer.post(f"/requests/{case.number}/identify/", {"proof": "document", "passed": "yes"})
    found = officer.get(page, {"name": "Adler", "identifier": ""})
    assert "1 study in the archive" in text_of(found)
    officer.post(page, {"subject": str(study.subject_id)})
    assert "There is no authorization" in text_of(officer.get(page))
    assert officer.get(f"{page}check/").status_code == 409
    with_paper(cast, case)
    check = officer.get(f"{page}check/")
    assert "A-1: CT of 1 September 2026, 2 objects" in text_of(check)
    refused = officer.post(f"{page}check/", form_of(case, study, checks=["what"]))
    assert refused.status_code == 409
    assert "This does not open the archive" in text_of(refused)
    assert officer.post(f"{page}check/", form_of(case, study)).status_code == 302
    own = officer.get(f"{page}approve/")
    assert "You checked it" in text_of(own)
    assert officer.post(f"{page}approve/").status_code == 409
    shown = text_of(admin.get(f"{page}approve/"))
    assert "A-1: CT of 1 September 2026, 2 objects" in shown
    for private in ("Greta", "Adler", "MARKER"):
        assert private not in shown
    assert admin.post(f"{page}approve/")["Location"] == "/retention/archive/"
    assert officer.post(f"{page}prepare/").status_code == 302
    package = Package.objects.get()
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    ready = text_of(officer.get(page))
    assert "This code opens the package" in ready
    assert "The package is made: 6 files" in ready
    assert "This code opens the package" not in text_of(officer.get(page))


@pytest.mark.parametrize(
    "more",
    [
        {"document": "00000000-0000-0000-0000-000000000000"},
        {"document": "x"},
        {"basis": "friendship"},
        {"signed_on": "yesterday"},
        {"studies": ["1.2.3"]},
        {"studies": []},
        {"checks": ["everything"]},
    ],
    ids=str,
)
def test_what_the_form_cannot_mean_is_refused(
    cast: Cast, study: Study, more: dict[str, Any]
) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    officer = signed_in_client(cast.officer)
    page = f"/requests/{case.number}/release/check/"
    assert officer.post(page, form_of(case, study, **more)).status_code == 422
    assert not ArchiveRelease.objects.exists()


def test_a_file_that_is_two_things_at_once_is_taken_for_none(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    officer = signed_in_client(cast.officer)
    page = f"/requests/{case.number}/documents/"
    for content in (b"PK\3\4" + pdf(), b"<html><script>alert(1)</script>", pdf() + b"<script>"):
        upload = SimpleUploadedFile("a.pdf", content, "application/pdf")
        answer = officer.post(page, {"kind": "release", "file": upload})
        assert answer.status_code == 422
    assert not case.documents.exists()


def test_the_page_takes_as_many_queries_for_many_studies(
    cast: Cast, study: Study, committed: Committed
) -> None:
    case = asked(cast, study)
    officer = signed_in_client(cast.officer)
    page = f"/requests/{case.number}/release/"

    def queries() -> int:
        with CaptureQueriesContext(connections["default"]) as seen:
            assert officer.get(page).status_code == 200
        return len(seen)

    queries()
    one = queries()
    for number in range(3):
        archived(cast, young(cast, f"n{number}", PatientID="HVH-young"), committed)
    assert len(archived_of(case)) == 4
    assert queries() == one


def test_a_new_examination_of_the_person_is_no_record_of_the_archive(
    cast: Cast, study: Study
) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(study="new", PatientID="HVH-young"))
    case = asked(cast, study)
    assert [one.study_id for one in archived_of(case)] == [study.pk]


# What it costs -----------------------------------------------------------------------------------
LINES = [
    Item(Cost.ADMINISTRATIVE, "Half an hour of fetching", 1200),
    Item(Cost.COPYING, "A disc", 300),
]


def test_what_was_quoted_is_accepted_before_anything_is_prepared(cast: Cast, study: Study) -> None:
    """LIFEIMAGE-12.11."""
    officer = actor_of(cast.officer, fresh=True)
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    approved(cast, case)
    quote = {"actor": officer, "case": case, "currency": "USD", "text": "By the hour."}
    quote_fee(**quote, items=LINES)
    for says in ("quoted", "declined"):
        with pytest.raises(CaseRefused, match="not accepted yet"):
            prepare_release(actor=officer, case=case)
        if says == "quoted":
            decide_fee(case=case, accepts=False)
    assert not Package.objects.exists()
    quote_fee(**quote, items=LINES[1:])
    assert "3.00 USD was quoted and is not accepted" in text_of(
        signed_in_client(cast.officer).get(f"/requests/{case.number}/release/")
    )
    decide_fee(case=case, accepts=True)
    package, _ = made(cast, case)
    assert package.state == Package.State.READY


def test_whoever_has_a_free_copy_by_law_is_not_charged_for_it_here() -> None:
    facts = {"kind": Kind.RECORDS_RELEASE, "day": TODAY, "charged": "cost-based"}
    assert refusal_to_charge(Asked(**facts, laws=())) == ""
    assert refusal_to_charge(Asked(**facts, laws=(Law.HIPAA,))) == ""
    for law in (Law.GDPR, Law.CCPA):
        assert "free" in refusal_to_charge(Asked(**facts, laws=(Law.HIPAA, law)))
    none = {**facts, "charged": "none"}
    assert "nothing is charged" in refusal_to_charge(Asked(**none, laws=()))
