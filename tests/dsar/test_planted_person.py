"""A person with a mark in every place: found by a collection to the last, and gone when erased."""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import uuid4

import pytest
from django.core import mail
from django.test import TestCase
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Profile, User
from accounts.services.details import change_details
from consent.models import DataSubject
from consent.rules.directives import DirectiveKind, Wanted
from consent.services.directives import set_directive
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.states import Denial, Outcome
from dsar.services.collecting import collect, link_subjects, whose_of
from dsar.services.correcting import disagree, grant_correction
from dsar.services.deleting_account import ask_to_delete_account
from dsar.services.handling import answer_case, note_on_case
from dsar.services.packaging import open_package, prepare_package
from jobs.models import Job
from jobs.services import run_job
from policies.rules.holdings import Whose
from retention.models import Hold
from retention.rules.holds import Scope
from retention.sealing import OpenHold
from studies.models import Study
from tests.consent.test_sharing import share
from tests.disclosures import cases as demands
from tests.dsar.asking import post, signed_in
from tests.dsar.erasures import erased, said
from tests.dsar.raw_search import _members, marks_in, raw_search, transparent
from tests.factories import Cast, actor_of
from tests.retention.cases import held, take_in_old

__all__ = ["transparent"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("transparent", "for_all_rights"),
]

PLANTED = {
    "name": "Quillanther",
    "number": "PLN-5501-Q",
    "description": "Verwachsung Kalmar",
    "comment": "sieht gern Wale",
    "account name": "Paula Eichenrinde",
    "account telephone": "+49 555 0199 7713",
    "account address": "patient@home.example",
    "request": "Bitte um alles Zargo",
    "reply": "Antwort Mirabel",
    "note": "Notiz Fenchel",
    "objection": "Nachbar Oblong",
    "correction": "Korrektur Pomelo",
    "statement": "Widerspruch Tamarind",
    "hold": "Streit Grolux",
    "authority": "Gericht Zinnober",
}
# Said to be there and not handed out, since others are in it too.
WITHHELD = {"note", "hold"}


@pytest.fixture
def planted(cast: Cast, settings: Settings, tmp_path: Path) -> DataSubject:
    """Everything that the portal can know of one person, by the services that pages call."""
    # A store of its own: in the shared one lie files of tests whose rows are taken back.
    head, mark, query = settings.STORAGE_URL.partition("?")
    own = f"{head}/{uuid4().hex}?{query}" if mark else f"file://{tmp_path / 'store'}"
    settings.STORAGE_URL = own
    study = take_in_old(
        cast, "old", PatientID=PLANTED["number"], PatientName=f"{PLANTED['name']}^Kunigunde",
        StudyDescription=PLANTED["description"], PatientComments=PLANTED["comment"],
    )  # fmt: skip
    subject, patient = study.subject, cast.patient
    link_account(user=patient, subject=subject)
    patient.name, patient.phone = PLANTED["account name"], PLANTED["account telephone"]
    profile, _ = Profile.objects.get_or_create(user=patient)
    change_details(actor=actor_of(patient), user=patient, profile=profile, fields=["name"])
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    set_directive(
        actor=actor_of(patient), subject=subject,
        wanted=Wanted(DirectiveKind.RESTRICTION, reason=PLANTED["objection"]),
    )  # fmt: skip
    _corrected(cast, subject)
    _disputed(cast)
    _demanded(cast, study)
    hold = held(cast, Scope.SUBJECT, subject_id=subject.pk)
    _named(hold)
    return subject


def _asked(cast: Cast, kind: Kind) -> Case:
    return signed_in(actor_of(cast.patient), kind=kind, text=PLANTED["request"],
                     name=PLANTED["account name"], email=PLANTED["account address"])  # fmt: skip


def _corrected(cast: Cast, subject: DataSubject) -> None:
    officer, case = actor_of(cast.officer), _asked(cast, Kind.CORRECTION)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    grant_correction(
        actor=officer, case=case, text=PLANTED["reply"], outcome=Outcome.GRANTED,
        values={"00100010": f"{PLANTED['correction']}^Kunigunde"},
    )  # fmt: skip


def _disputed(cast: Cast) -> None:
    officer, case = actor_of(cast.officer), _asked(cast, Kind.CORRECTION)
    subject = DataSubject.objects.get(accounts__user=cast.patient)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    note_on_case(actor=officer, case=case, text=PLANTED["note"])
    answer_case(actor=officer, case=case, text=PLANTED["reply"], outcome=Outcome.DENIED,
                denial=Denial.ACCURATE)  # fmt: skip
    case.refresh_from_db()
    disagree(actor=actor_of(cast.patient), case=case, text=PLANTED["statement"])


def _demanded(cast: Cast, study: Study) -> None:
    """A court demands the study, and the person was told."""
    row = demands.opened(cast, authority=PLANTED["authority"])
    demands.with_paper(cast, row)
    demands.scoped(cast, row, study)
    demands.told(cast, row)


def _named(hold: Hold) -> None:
    """Its matter names the person, as matters do."""
    OpenHold(hold).seal("matter", PLANTED["hold"])
    hold.save()


def _copy(cast: Cast, subject: DataSubject) -> bytes:
    officer, case = actor_of(cast.officer, fresh=True), _asked(cast, Kind.COPY)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    assert collect(whose_of(case)).is_complete
    package, _ = prepare_package(actor=officer, case=case)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    answer_case(actor=officer, case=case, text=PLANTED["reply"], outcome=Outcome.GRANTED)
    case.refresh_from_db()
    _, blob = open_package(case=case, actor=actor_of(cast.patient, fresh=True))
    with blob:
        return _members(blob.read())


def test_a_collection_finds_what_a_search_through_all_rows_and_files_finds(
    cast: Cast, planted: DataSubject, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    there = raw_search(PLANTED)
    assert there.keys() == PLANTED.keys(), "the search misses something that was planted"
    # Neither the trail nor the queue names anybody.
    everywhere = set.union(*there.values())
    assert not {where for where in everywhere if where.startswith(("audit_", "jobs_"))}
    handed_out = marks_in(_copy(cast, planted), PLANTED)
    assert handed_out == PLANTED.keys() - WITHHELD
    parts = collect(Whose(planted.organisation_id, frozenset({planted.pk}), cast.patient.pk)).parts
    withheld = {one.what for part in parts for one in part.holdings or () if one.withheld}
    assert {"Holds that keep the studies", "Notes among privacy officers"} <= withheld
    assert marks_in(caplog.text.encode(), PLANTED) == set()
    post()
    letters = "".join(str(letter.message()) for letter in mail.outbox)
    assert marks_in(letters.encode(), PLANTED) <= {"account address"}


def test_after_an_erasure_nothing_is_there_but_what_the_plan_said(
    cast: Cast, planted: DataSubject
) -> None:
    _copy(cast, planted)
    Hold.objects.update(
        lift_asked_by=cast.officer, lift_asked_at=timezone.now(), lifted_by=cast.administrator,
        lifted_at=timezone.now(),
    )  # fmt: skip
    (case,) = ask_to_delete_account(actor=actor_of(cast.patient, fresh=True))
    with TestCase.captureOnCommitCallbacks(execute=True):
        erased(cast, case)
    left = raw_search(PLANTED)
    stays = {what for fate, what in said(case) if fate == "stays"}
    # Each place that is left belongs to a line of the plan that says it stays, and why.
    places = {
        "dsar_case": "Requests and their answers",
        "consent_grant": "Records of shares that have ended",
        "retention_hold": "Holds on studies",
        "disclosures_disclosure": "Disclosures under law",
    }
    assert set(places.values()) - {"Records of shares that have ended"} <= stays
    for what, found in left.items():
        for where in found:
            (line,) = [line for place, line in places.items() if where.startswith(place)]
            assert line in stays | {"Records of shares that have ended"}, (what, where)
    # Of the images, of the account and of what was said beside a directive nothing is left.
    gone_for_good = {"description", "comment", "account telephone", "objection"}
    assert not gone_for_good & left.keys()
    assert left["hold"] == {"retention_hold.sealed_matter"}
    assert not Study.objects.exists()
    assert not DataSubject.objects.exists()
    gone = User.objects.get(pk=cast.patient.pk)
    assert gone.erased_at is not None
    assert not Job.objects.filter(state="waiting", kind="dsar.erase").exists()


def test_the_search_itself_sees_through_seals(cast: Cast, planted: DataSubject) -> None:
    there = raw_search({"name": PLANTED["name"], "comment": PLANTED["comment"], "no": "Nobody-At"})
    assert "an object" in there["comment"]
    assert "studies_instance.sealed_metadata" in there["comment"] | there["name"]
    assert "no" not in there
