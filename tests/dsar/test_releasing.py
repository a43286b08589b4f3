"""Archived records go out under an authorization, checked and approved by two, and no other way."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pydicom import dcmread

from audit.models import Event
from dsar.models import ArchiveRelease, Package
from dsar.rules.documents import DocumentKind
from dsar.rules.kinds import Kind
from dsar.rules.releasing import (
    CHECKS,
    Basis,
    Check,
    Ready,
    Stage,
    checks_for,
    covers_only,
    fault_of,
    refusal_to_check,
    refusal_to_make,
)
from dsar.rules.states import Denial, Outcome, denials_for
from dsar.selectors import read_token
from dsar.services.collecting import unlink_subject
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.packaging import open_package, prepare_package
from dsar.services.releasing_archive import (
    approve_release,
    archived_of,
    check_authorization,
    look_in_archive,
    prepare_release,
    release_of,
)
from jobs.services import RunOutcome, run_job
from studies.models import Study
from tests.dsar.released import committed, study
from tests.dsar.releases import approved, asked, authorization, checked, made, with_paper
from tests.factories import Cast, actor_of, signed_in_client
from tests.retention.archives import Committed, archived, young
from vault.rules.errors import KeyArchived
from vault.services.data_keys import open_data_key

__all__ = ["committed", "study"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
TODAY = date(2026, 11, 26)


# The rules ---------------------------------------------------------------------------------------
def test_an_authorization_that_says_all_opens_and_without_one_line_does_not() -> None:
    """45 CFR 164.508(c)(1)."""
    assert fault_of(authorization(), TODAY) == ""
    for basis in Basis:
        whole = authorization(basis=basis, reference="2026-CV-17, County Court")
        assert fault_of(whole, TODAY) == ""
        for one in checks_for(basis):
            fault = fault_of(replace(whole, checks=whole.checks - {one}), TODAY)
            assert CHECKS[one].cites in fault
    assert "which order" in fault_of(authorization(basis=Basis.ORDER), TODAY)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"signed_on": date(2026, 11, 27)}, "in the future"),
        ({"ends_on": date(2026, 11, 25)}, "It held until 25 November 2026"),
        ({"ends_on": date(2026, 10, 31)}, "before the day on which it was signed"),
        ({"ends_on": TODAY}, ""),
        ({"signed_on": TODAY}, ""),
    ],
)
def test_it_holds_between_its_days_and_not_beyond(facts: dict[str, date], told: str) -> None:
    fault = fault_of(authorization(**facts), TODAY)
    assert told in fault
    assert bool(told) is bool(fault)


def test_what_is_missing_is_said_first() -> None:
    ready = Ready(Kind.RECORDS_RELEASE, True, True, True, True)
    assert refusal_to_check(ready) == ""
    lacking = {
        "kind": Kind.COPY, "is_open": False, "is_identified": False, "knows_whom": False,
        "has_paper": False,
    }  # fmt: skip
    told = {refusal_to_check(replace(ready, **{name: value})) for name, value in lacking.items()}
    assert len(told) == len(lacking)
    assert all(told)
    for stage in (Stage.ASKED, Stage.CHECKED):
        assert refusal_to_make(stage, ready)
    assert refusal_to_make(Stage.APPROVED, ready) == ""
    assert "not accepted" in refusal_to_make(Stage.APPROVED, replace(ready, waits_for_quote=True))
    assert covers_only([], ["1.2"])
    assert covers_only(["1.2", "1.3"], ["1.2"])
    assert covers_only(["1.2"], ["1.2", "1.3"]) == ""


def test_only_a_release_is_refused_for_want_of_an_authorization() -> None:
    of = [kind for kind in Kind if Denial.NO_AUTHORIZATION in denials_for(kind)]
    assert of == [Kind.RECORDS_RELEASE]


# Without -----------------------------------------------------------------------------------------
def test_without_an_authorization_nothing_is_released(cast: Cast, study: Study) -> None:
    """LIFEIMAGE-12.10."""
    officer = actor_of(cast.officer, fresh=True)
    case = asked(cast, study)
    with pytest.raises(CaseRefused, match="nothing in the archive is opened without one"):
        check_authorization(
            actor=officer, case=case, given=authorization(), document_id=uuid4(),
            covers=[study.uid],
        )  # fmt: skip
    for attempt in (approve_release, prepare_release):
        with pytest.raises(CaseRefused, match="There is no authorization"):
            attempt(actor=officer, case=case)
    with pytest.raises(CaseRefused, match="Nothing is copied for a request of this kind"):
        prepare_package(actor=officer, case=case)
    with pytest.raises(CaseRefused, match="Nothing is released yet"):
        answer_case(actor=officer, case=case, text="Here.", outcome=Outcome.GRANTED)
    answer_case(
        actor=officer, case=case, text="Send one.", outcome=Outcome.DENIED,
        denial=Denial.NO_AUTHORIZATION,
    )  # fmt: skip
    assert not Package.objects.exists()
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)


def test_a_paper_of_another_kind_is_no_authorization(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    paper = with_paper(cast, case, DocumentKind.IDENTITY)
    with pytest.raises(CaseRefused, match="There is no authorization"):
        check_authorization(
            actor=actor_of(cast.officer, fresh=True), case=case, given=authorization(),
            document_id=paper.pk, covers=[study.uid],
        )  # fmt: skip


def test_nor_is_one_that_belongs_to_another_request(cast: Cast, study: Study) -> None:
    case, other = asked(cast, study), asked(cast, study)
    with_paper(cast, case)
    foreign = with_paper(cast, other)
    with pytest.raises(CaseRefused, match="Choose the paper"):
        check_authorization(
            actor=actor_of(cast.officer, fresh=True), case=case, given=authorization(),
            document_id=foreign.pk, covers=[study.uid],
        )  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"checks": frozenset(checks_for(Basis.AUTHORIZATION)) - {Check.IDENTITY}},
        {"ends_on": date(2026, 11, 2)},
        {"basis": Basis.ORDER},
    ],
)
def test_one_that_does_not_open_is_refused_and_written_down(
    cast: Cast, study: Study, more: dict[str, Any]
) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    with pytest.raises(CaseRefused):
        checked(cast, case, study, **more)
    assert not ArchiveRelease.objects.exists()


def test_it_covers_what_lies_in_the_archive_of_these_people_alone(
    cast: Cast, study: Study, committed: Committed
) -> None:
    other = archived(cast, young(cast, "other"), committed)
    seen = young(cast, "seen", PatientID="HVH-young")
    case = asked(cast, study)
    with_paper(cast, case)
    for foreign in (other, seen):
        with pytest.raises(CaseRefused, match="not among what lies in the archive"):
            checked(cast, case, study, foreign)
    with pytest.raises(CaseRefused, match="Choose what the authorization covers"):
        checked(cast, case)


# With --------------------------------------------------------------------------------------------
def test_with_one_checked_and_approved_the_package_goes_out_once(
    cast: Cast, study: Study, committed: Committed
) -> None:
    """LIFEIMAGE-12.10: package released and logged."""
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    approved(cast, case)
    package, code = made(cast, case)
    assert package.state == Package.State.READY
    answer_case(
        actor=actor_of(cast.officer), case=case, text="By the link.", outcome=Outcome.GRANTED
    )
    case.refresh_from_db()
    page = f"/requests/read/{read_token(case)}/copy/"
    stranger = Client()
    assert stranger.post(page, {"code": "0000-0000-0000"}).status_code == 422
    answer = stranger.post(page, {"code": code})
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as found:
        names = found.namelist()
        objects = [one for one in names if one.endswith(".dcm")]
        assert len(objects) == 2
        assert dcmread(io.BytesIO(found.read(objects[0]))).PatientID == "HVH-young"
        assert {"RELEASE.html", "SHA256SUMS"} <= set(names)
        assert study.uid in found.read("RELEASE.html").decode()
        for line in found.read("SHA256SUMS").decode().splitlines():
            digest, _, path = line.partition("  ")
            assert sha256(found.read(path)).hexdigest() == digest
    # The link again: refused.
    again = stranger.post(page, {"code": code})
    assert again.status_code == 422
    with pytest.raises(CaseRefused, match="fetched already"):
        open_package(case=case, actor=None, code=code)
    (event,) = Event.objects.filter(action="archive.released")
    assert (event.subject_id, event.target_uid) == (str(study.subject_id), study.uid)
    assert event.reason == "authorization"
    acts = ["archive.authorization_checked", "archive.release_approved", "request.copy_fetched"]
    assert all(Event.objects.filter(action=one).count() == 1 for one in acts)
    # It stays in the archive, shut.
    study.refresh_from_db()
    assert study.archived_at is not None
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)
    assert signed_in_client(cast.clinician).get(f"/studies/{study.uid}/").status_code == 404


def test_after_its_term_the_link_opens_nothing(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    approved(cast, case)
    _, code = made(cast, case)
    answer_case(actor=actor_of(cast.officer), case=case, text="It.", outcome=Outcome.GRANTED)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        case.refresh_from_db()
        page = f"/requests/read/{read_token(case)}/copy/"
        assert Client().post(page, {"code": code}).status_code == 422


def test_only_what_is_covered_goes_out(cast: Cast, study: Study, committed: Committed) -> None:
    second = archived(cast, young(cast, "second", PatientID="HVH-young"), committed)
    assert second.subject_id == study.subject_id
    case = asked(cast, study)
    assert len(archived_of(case)) == 2
    with_paper(cast, case)
    checked(cast, case, second)
    approved(cast, case)
    package, _ = made(cast, case)
    # Two objects, a picture of each, the page that shows them, and what says why it was released.
    assert package.files == 6
    released = Event.objects.filter(action="archive.released")
    assert [one.target_uid for one in released] == [second.uid]


def test_whoever_checked_cannot_approve(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    release = checked(cast, case, study)
    with pytest.raises(CaseRefused, match="Somebody else has to approve"):
        approve_release(actor=actor_of(cast.officer, fresh=True), case=case)
    with pytest.raises(CaseRefused, match="a second person has to approve"):
        prepare_release(actor=actor_of(cast.officer, fresh=True), case=case)
    with pytest.raises(IntegrityError), transaction.atomic():
        ArchiveRelease.objects.filter(pk=release.pk).update(approved_by=release.checked_by)
    with pytest.raises(IntegrityError), transaction.atomic():
        ArchiveRelease.objects.filter(pk=release.pk).update(made_at=timezone.now())


def test_each_of_the_two_has_just_proved_who_they_are(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    paper = with_paper(cast, case)
    with pytest.raises(CaseRefused, match="Prove again"):
        check_authorization(
            actor=actor_of(cast.officer), case=case, given=authorization(),
            document_id=paper.pk, covers=[study.uid],
        )  # fmt: skip
    checked(cast, case, study)
    with pytest.raises(CaseRefused, match="Prove again"):
        approve_release(actor=actor_of(cast.administrator), case=case)
    approved(cast, case)
    with pytest.raises(CaseRefused, match="Prove again"):
        prepare_release(actor=actor_of(cast.officer), case=case)


@pytest.mark.parametrize("email", ["clinician@hospital.example", "officer@imaging.example"])
def test_nobody_else_does_any_of_it(cast: Cast, study: Study, email: str) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    other = actor_of(cast[email], fresh=True)
    for attempt in (approve_release, prepare_release):
        with pytest.raises(NotYours):
            attempt(actor=other, case=case)
    with pytest.raises(NotYours):
        look_in_archive(actor=other, case=case, wanted={"name": "Adler"})


def test_checked_anew_it_needs_a_new_approval(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    approved(cast, case)
    checked(cast, case, study, ends_on=date(2027, 1, 1))
    release = release_of(case)
    assert release is not None
    assert release.stage is Stage.CHECKED
    with pytest.raises(CaseRefused, match="a second person"):
        prepare_release(actor=actor_of(cast.officer, fresh=True), case=case)


def test_one_that_ends_before_the_package_is_made_opens_nothing(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study, ends_on=date(2026, 12, 1))
    later, refused = time_machine.travel(timezone.now() + timedelta(days=10)), "It held until"
    with later, pytest.raises(CaseRefused, match=f"{refused} 1 December 2026"):
        approved(cast, case)


def test_whoever_was_found_by_mistake_takes_their_records_out_again(
    cast: Cast, study: Study, committed: Committed
) -> None:
    other = archived(cast, young(cast, "other"), committed)
    case = asked(cast, study, other)
    with_paper(cast, case)
    checked(cast, case, study, other)
    approved(cast, case)
    unlink_subject(actor=actor_of(cast.officer), case=case, subject_id=other.subject_id)
    made(cast, case)
    released = Event.objects.filter(action="archive.released")
    assert [one.target_uid for one in released] == [study.uid]


def test_a_job_that_is_run_again_makes_one_package(cast: Cast, study: Study) -> None:
    case = asked(cast, study)
    with_paper(cast, case)
    checked(cast, case, study)
    approved(cast, case)
    package, _ = made(cast, case)
    assert package.job_id is not None
    assert run_job(job_id=package.job_id) is not RunOutcome.FAILED
    assert Event.objects.filter(action="archive.released").count() == 1
