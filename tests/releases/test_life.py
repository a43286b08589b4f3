"""A release project from its beginning to its end, by those who may and those who may not."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone
from pydicom import dcmread

from accounts.models import Organisation
from accounts.rules import Actor
from audit.models import Event
from audit.rules.notes import open_note
from audit.services.keys import trusted_keys
from consent.services.decisions import Refused
from jobs.models import Job
from jobs.services import run_job
from releases.models import Link, Output, Project, ProjectStudy
from releases.rules.states import Aside, State
from releases.services import building
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    approve_project,
    begin_project,
    rebuild_project,
    remove_study,
    reopen_project,
)
from releases.services.releasing import release_project
from releases.services.reviewing import clean_bytes, judge
from studies.models import Blob, Instance, Study
from studies.rules.rejecting import Why
from studies.services.rejecting import reject_study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.releases.conftest import wanted, work
from vault.services.blobs import delete_blob, stored_names

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NEEDLES = ("Adler", "Paula", "Brandt", "HVH-1", "RI-9", "19720314", "A-1", "A-3", "20260901")


def events(action: str) -> list[Event]:
    return list(Event.objects.filter(action=action))


def the_study_alone_of_its_person(project: Project) -> ProjectStudy:
    rows = list(project.studies.all())
    people = [row.subject_id for row in rows]
    return next(row for row in rows if people.count(row.subject_id) == 1)


# Making ------------------------------------------------------------------------------------------
def test_what_is_made_has_no_people_in_it_and_keeps_them_apart(made: Project) -> None:
    assert made.state == State.REVIEW
    outputs = list(made.outputs.order_by("pk"))
    assert [one.state for one in outputs] == [Aside.CLEAN] * 4, [one.fault for one in outputs]
    assert len({one.patient for one in outputs}) == 2
    assert len({one.study_uid for one in outputs}) == 3
    for content in clean_bytes(outputs, made):
        for needle in NEEDLES:
            assert needle.encode() not in content
        assert dcmread(io.BytesIO(content)).PatientIdentityRemoved == "YES"
    (event,) = events("release.built")
    assert event.details["clean"] == 4


def test_two_people_with_one_number_stay_two(
    clinician: Actor, officer: Actor, imaging: Organisation
) -> None:
    """Two issuers may give one number; whose a study is, the portal knows better than its files."""
    take_in(
        clinician,
        small_ct_object(study="a", IssuerOfPatientID="NORTH", AccessionNumber="A-1"),
        small_ct_object(
            study="b", IssuerOfPatientID="SOUTH", PatientName="Cole^Ann", AccessionNumber="A-2"
        ),
    )
    project = begin_project(actor=clinician, wanted=wanted(imaging))
    for study in Study.objects.filter(organisation=imaging):
        add_study(actor=clinician, project=project, study=study)
    approve_project(actor=officer, project=project)
    assert work(project).outputs.values("patient").distinct().count() == 2


def test_the_database_does_not_lead_from_a_pseudonym_to_a_person(made: Project) -> None:
    """Without the link key, no column of what was made names the original."""
    instances = Instance.objects.select_related("study", "series")
    originals = {
        text for one in instances
        for text in (one.uid, one.study.uid, one.series.uid, str(one.study.subject_id))
    }  # fmt: skip
    rows = [*made.outputs.values_list(), *Link.objects.filter(project=made).values_list()]
    assert len(rows) == 6
    values = [bytes(one) for row in rows for one in row if isinstance(one, bytes | memoryview)]
    values += [str(one).encode() for row in rows for one in row]
    for original in originals:
        assert not any(original.encode() in value for value in values)


def test_a_project_that_was_killed_in_the_middle_goes_on_where_it_stopped(
    draft: Project, officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step the worker dies in, each object is made once, and none is left out."""
    approve_project(actor=officer, project=draft)
    draft.refresh_from_db()
    calls = 0
    real = building.Maker.keep

    def dies(self: building.Maker, source: object, done: object) -> None:
        nonlocal calls
        calls += 1
        real(self, source, done)  # type: ignore[arg-type]
        if calls % 2:
            raise RuntimeError("as a kill would, before the commit")

    monkeypatch.setattr(building.Maker, "keep", dies)
    for _ in range(12):
        Job.objects.filter(pk=draft.job_id).update(not_before=timezone.now())
        run_job(job_id=draft.job_id)
        draft.refresh_from_db()
        if draft.state == State.REVIEW:
            break
    assert draft.state == State.REVIEW
    assert draft.outputs.count() == 4
    assert draft.outputs.values("blob_name").distinct().count() == 4


def test_a_project_that_cleans_less_than_the_policy_asks_is_not_approved(
    officer: Actor, draft: Project
) -> None:
    """As when the policy became stricter after it was begun."""
    draft.options = []
    draft.save()
    with pytest.raises(ReleaseRefused, match="more cleaning"):
        approve_project(actor=officer, project=draft)


def test_a_study_whose_file_was_damaged_is_put_aside(draft: Project, officer: Actor) -> None:
    delete_blob(name=Blob.objects.order_by("pk")[0].name)
    approve_project(actor=officer, project=draft)
    made = work(draft)
    aside = list(made.outputs.filter(state=Aside.ASIDE))
    assert aside
    assert {one.doubts[0] for one in aside} == {"broken"}
    assert made.outputs.filter(state=Aside.CLEAN).count() == 4 - len(aside)


# Who may -----------------------------------------------------------------------------------------
def test_whoever_began_a_project_does_not_approve_it(
    cast: Cast, imaging: Organisation, draft: Project, clinician: Actor
) -> None:
    with pytest.raises(ReleaseRefused, match="Only a privacy officer"):
        approve_project(actor=clinician, project=draft)
    officer = actor_of(cast.people["officer@imaging.example"], fresh=True)
    draft.created_by_id = officer.user_id
    draft.save()
    with pytest.raises(ReleaseRefused, match="Ask another officer"):
        approve_project(actor=officer, project=draft)


def test_an_organisation_whose_policy_is_against_it_begins_none(cast: Cast) -> None:
    hospital = cast.clinician.memberships.get().organisation
    with pytest.raises(ReleaseRefused, match="does not let images be used"):
        begin_project(actor=actor_of(cast.clinician, fresh=True), wanted=wanted(hospital))
    assert not Project.objects.exists()


def test_a_study_of_another_organisation_cannot_be_put_in(
    cast: Cast, draft: Project, clinician: Actor
) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(study="theirs", AccessionNumber="B-1"))
    theirs = Study.objects.exclude(organisation_id=clinician.organisation_id).get()
    with pytest.raises(ReleaseRefused):
        add_study(actor=clinician, project=draft, study=theirs)
    with pytest.raises((ReleaseRefused, Refused)):
        add_study(actor=actor_of(cast.clinician), project=draft, study=theirs)


def test_a_project_ends_on_a_day_to_come(clinician: Actor, imaging: Organisation) -> None:
    with pytest.raises(ReleaseRefused, match="day to come"):
        begin_project(actor=clinician, wanted=wanted(imaging, ends_on=timezone.localdate()))


def test_projects_of_one_organisation_are_numbered(clinician: Actor, imaging: Organisation) -> None:
    numbers = [begin_project(actor=clinician, wanted=wanted(imaging)).number for _ in range(3)]
    assert numbers == [1, 2, 3]


# Letting it go out -------------------------------------------------------------------------------
def test_it_goes_out_with_a_signed_report_that_names_nobody(made: Project, officer: Actor) -> None:
    released = release_project(actor=officer, project=made)
    assert released.state == State.RELEASED
    report = json.loads(released.report)
    assert report["totals"]["objects"] == 4
    assert report["totals"]["people"] == 2
    assert {one["uid"] for one in report["objects"]} == set(
        made.outputs.values_list("uid", flat=True)
    )
    assert open_note(released.report_note, trusted_keys()).startswith("Collimate release report")
    assert not any(needle in released.report for needle in NEEDLES)
    (event,) = events("release.released")
    assert event.details["objects"] == 4


def test_releasing_takes_a_proof_of_this_moment(made: Project, cast: Cast) -> None:
    stale = actor_of(cast.people["officer@imaging.example"])
    with pytest.raises(ReleaseRefused, match="Prove again"):
        release_project(actor=stale, project=made)
    assert len(events("release.refused")) == 1
    made.refresh_from_db()
    assert made.state == State.REVIEW


def test_nothing_goes_out_before_what_was_blacked_was_looked_at(
    made: Project, officer: Actor, clinician: Actor
) -> None:
    output = made.outputs.all()[0]
    Output.objects.filter(pk=output.pk).update(
        state=Aside.LOOK, pixels={"frames": 1, "boxes": 1, "blacked_share": 0.1}
    )
    with pytest.raises(ReleaseRefused, match="compares before and after"):
        release_project(actor=officer, project=made)
    with pytest.raises(ReleaseRefused, match="may see the originals"):
        judge(actor=officer, project=made, output_ids=[output.pk], good=True)
    assert judge(actor=clinician, project=made, output_ids=[output.pk], good=False) == 1
    report = json.loads(release_project(actor=officer, project=made).report)
    assert report["totals"]["objects"] == 3
    assert report["left_out"]["kept_back_by_a_person"] == 1


def test_who_could_be_told_from_the_rest_does_not_go_out(
    clinician: Actor, officer: Actor, imaging: Organisation, studies: list[Study]
) -> None:
    """MEDDIM-2.24: two people whose sex and age stay, where the policy asks for eleven."""
    project = begin_project(
        actor=clinician, wanted=wanted(imaging, options=("patient-characteristics",))
    )
    for study in studies:
        add_study(actor=clinician, project=project, study=study)
    approve_project(actor=officer, project=project)
    made = work(project)
    with pytest.raises(ReleaseRefused, match="People could be told from what stays"):
        release_project(actor=officer, project=made)


# Going back --------------------------------------------------------------------------------------
def test_pseudonyms_stay_the_same_when_more_is_put_in(
    made: Project, clinician: Actor, officer: Actor
) -> None:
    before = dict(made.outputs.values_list("uid", "patient"))
    reopen_project(actor=clinician, project=made)
    take_in(clinician, small_ct_object(study="later", AccessionNumber="A-7", number=1))
    add_study(actor=clinician, project=made, study=Study.objects.order_by("-pk")[0])
    approve_project(actor=officer, project=made)
    after = dict(work(made).outputs.values_list("uid", "patient"))
    assert len(after) == 5
    assert before.items() <= after.items()
    assert len(set(after.values())) == 2


def test_two_projects_cannot_be_matched(
    made: Project, clinician: Actor, officer: Actor, imaging: Organisation, studies: list[Study]
) -> None:
    other = begin_project(actor=clinician, wanted=wanted(imaging))
    for study in studies:
        add_study(actor=clinician, project=other, study=study)
    approve_project(actor=officer, project=other)
    work(other)
    for column in ("patient", "study_uid", "series_uid", "uid", "digest"):
        one = set(made.outputs.values_list(column, flat=True))
        assert not one & set(other.outputs.values_list(column, flat=True))


def test_what_is_taken_out_is_deleted_with_its_file(made: Project, clinician: Actor) -> None:
    reopen_project(actor=clinician, project=made)
    row = the_study_alone_of_its_person(made)
    names = set(made.outputs.values_list("blob_name", flat=True))
    remove_study(actor=clinician, project=made, row=row)
    kept = set(made.outputs.values_list("blob_name", flat=True))
    assert len(kept) == 3
    assert Link.objects.filter(project=made).count() == 1
    gone = names - kept
    assert len(gone) == 1


def test_a_study_that_was_rejected_since_goes_into_no_release(
    draft: Project, clinician: Actor, officer: Actor
) -> None:
    row = the_study_alone_of_its_person(draft)
    study = Study.objects.get(uid=row.study_uid)
    reject_study(actor=clinician, study=study, why=Why.WRONG_PATIENT, note="")
    approve_project(actor=officer, project=draft)
    made = work(draft)
    assert made.studies.exclude(exclusion="").get().exclusion == "gone"
    assert made.outputs.count() == 3


def test_a_study_that_is_not_settled_is_left_out_and_counted(
    draft: Project, officer: Actor
) -> None:
    row = the_study_alone_of_its_person(draft)
    Study.objects.filter(uid=row.study_uid).update(doubts=["birth-date"])
    approve_project(actor=officer, project=draft)
    made = work(draft)
    assert made.studies.exclude(exclusion="").get().exclusion == "unsettled"
    assert made.outputs.count() == 3
    report = json.loads(release_project(actor=officer, project=made).report)
    assert report["left_out"]["studies_left_out"] == {"unsettled": 1}


def test_making_it_anew_does_not_make_again_what_is_there(made: Project, officer: Actor) -> None:
    before = set(made.outputs.values_list("pk", flat=True))
    rebuild_project(actor=officer, project=made)
    with pytest.raises(ReleaseRefused, match="being made already"):
        rebuild_project(actor=officer, project=made)
    assert set(work(made).outputs.values_list("pk", flat=True)) == before
    assert timezone.now() - made.created_at < timedelta(minutes=5)
    assert set(stored_names(before=timezone.now() + timedelta(days=1)))
