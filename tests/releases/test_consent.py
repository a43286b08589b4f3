"""Research and training ask each person where the policy says so, at making and at releasing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Organisation
from accounts.rules import Actor
from consent.models import DataSubject, PurposeConsent
from consent.rules.directives import DirectiveKind, Wanted
from consent.selectors import purposes_for
from consent.services.directives import set_directive
from consent.services.purposes import give_purpose_consent, withdraw_purpose_consent
from consent.services.subjects import link_account
from policies.rules.purposes import Purpose
from releases.models import Project
from releases.rules.states import State
from releases.selectors import exclusions_of
from releases.services.exporting import open_archive
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    approve_project,
    begin_project,
    rebuild_project,
)
from releases.services.releasing import release_project
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under
from tests.releases.conftest import wanted, work

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def hospital(cast: Cast) -> Organisation:
    """The hospital, under a policy that lets images be used for research of those who agreed."""
    under(cast, "surgical-planning")
    return cast.clinician.memberships.get().organisation


@pytest.fixture
def doctor(cast: Cast, hospital: Organisation) -> Actor:
    return actor_of(cast.clinician, fresh=True)


@pytest.fixture
def signs(cast: Cast, hospital: Organisation) -> Actor:
    return actor_of(cast.officer, fresh=True)


@pytest.fixture
def project(doctor: Actor, hospital: Organisation) -> Project:
    take_in(
        doctor,
        # That policy lets no heads out, nor what does not say what it shows.
        small_ct_object(study="one", BodyPartExamined="CHEST"),
        small_ct_object(
            study="two",
            PatientName="Cole^Ann",
            PatientID="HVH-2",
            AccessionNumber="A-2",
            BodyPartExamined="CHEST",
        ),
    )
    made = begin_project(actor=doctor, wanted=wanted(hospital, purpose=Purpose.RESEARCH))
    for study in Study.objects.filter(organisation=hospital):
        add_study(actor=doctor, project=made, study=study)
    return made


def consent(doctor: Actor, purpose: Purpose, study: Study) -> PurposeConsent:
    return give_purpose_consent(
        actor=doctor, subject=study.subject, purpose=purpose, document="C-2026-1"
    )


def test_only_those_who_consented_are_in_it_and_the_others_are_counted(
    project: Project, doctor: Actor, signs: Actor
) -> None:
    """MEDDIM-3.10, XENRAD-3.9."""
    one, other = Study.objects.order_by("pk")
    consent(doctor, Purpose.RESEARCH, one)
    approve_project(actor=signs, project=project)
    made = work(project)
    assert made.outputs.count() == 1
    assert made.studies.get(study_uid=other.uid).exclusion == "no-consent"
    report = json.loads(release_project(actor=signs, project=made).report)
    assert report["left_out"]["studies_left_out"] == {"no-consent": 1}


def test_consent_to_research_is_none_to_the_training_of_software(
    project: Project, doctor: Actor, signs: Actor, hospital: Organisation
) -> None:
    """MEDDIM-3.12."""
    for study in Study.objects.all():
        consent(doctor, Purpose.RESEARCH, study)
    training = begin_project(actor=doctor, wanted=wanted(hospital, purpose=Purpose.AI_TRAINING))
    for study in Study.objects.all():
        add_study(actor=doctor, project=training, study=study)
    approve_project(actor=signs, project=training)
    assert work(training).outputs.count() == 0
    with pytest.raises(ReleaseRefused, match="nothing that could go out"):
        release_project(actor=signs, project=training)


def test_who_withdraws_between_making_and_releasing_stops_the_release(
    project: Project, doctor: Actor, signs: Actor
) -> None:
    """MEDDIM-4.8: it fails until it is made anew, and then goes out without them."""
    given = [consent(doctor, Purpose.RESEARCH, study) for study in Study.objects.all()]
    approve_project(actor=signs, project=project)
    made = work(project)
    assert made.outputs.count() == 2
    withdraw_purpose_consent(actor=doctor, given=given[0])
    with pytest.raises(ReleaseRefused, match="1 of its studies may not be used any more"):
        release_project(actor=signs, project=made)
    rebuild_project(actor=signs, project=made)
    assert work(made).outputs.count() == 1
    assert release_project(actor=signs, project=made).state == State.RELEASED


def test_who_withdraws_after_the_release_stops_every_download(
    project: Project, doctor: Actor, signs: Actor
) -> None:
    given = [consent(doctor, Purpose.RESEARCH, study) for study in Study.objects.all()]
    approve_project(actor=signs, project=project)
    made = release_project(actor=signs, project=work(project))
    assert open_archive(actor=doctor, project=made).objects == 2
    withdraw_purpose_consent(actor=doctor, given=given[0])
    with pytest.raises(ReleaseRefused, match="made anew without them"):
        open_archive(actor=doctor, project=made)
    rebuild_project(actor=signs, project=made)
    again = release_project(actor=signs, project=work(made))
    assert open_archive(actor=doctor, project=again).objects == 1


def test_the_page_of_purposes_asks_for_each_of_them_apart(
    project: Project, doctor: Actor, client_of: Any, cast: Cast
) -> None:
    subject = DataSubject.objects.order_by("created_at")[0]
    lines = {line.purpose.code: line for line in purposes_for(subject)}
    assert lines["research"].always_asked
    assert lines["ai-training"].always_asked
    assert not lines["treatment"].asks
    page = client_of(cast.clinician).get(f"/consent/subjects/{subject.pk}/").content.decode()
    assert page.count("Record consent") == 2


def test_where_nobody_has_to_be_asked_the_page_says_so(cast: Cast, clinician: Actor) -> None:
    take_in(clinician, small_ct_object())
    lines = {line.purpose.code: line for line in purposes_for(DataSubject.objects.get())}
    assert lines["ai-training"].without_people
    assert not lines["ai-training"].asks
    assert "research" not in lines


@pytest.mark.parametrize(
    "kind", [DirectiveKind.RESTRICTION, DirectiveKind.LIMIT_SENSITIVE, DirectiveKind.OBJECTION]
)
def test_who_says_no_between_making_and_releasing_stops_the_release(
    project: Project, doctor: Actor, signs: Actor, cast: Cast, kind: DirectiveKind
) -> None:
    """MEDDIM-7.10, MEDDIM-7.18: stronger than consent of before, at once and in the making."""
    for study in Study.objects.all():
        consent(doctor, Purpose.RESEARCH, study)
    approve_project(actor=signs, project=project)
    made = work(project)
    assert made.outputs.count() == 2
    one = Study.objects.order_by("pk")[0]
    link_account(user=cast.patient, subject=one.subject)
    set_directive(actor=actor_of(cast.patient), subject=one.subject, wanted=Wanted(kind))
    with pytest.raises(ReleaseRefused, match="1 of its studies may not be used any more"):
        release_project(actor=signs, project=made)
    rebuild_project(actor=signs, project=made)
    assert work(made).outputs.count() == 1
    assert made.studies.get(study_uid=one.uid).exclusion == "directive"


def test_an_opt_out_keeps_others_from_getting_it_and_not_the_holder(
    project: Project, doctor: Actor, cast: Cast
) -> None:
    """MEDDIM-4.17: it is about sale and sharing."""
    one = Study.objects.order_by("pk")[0]
    consent(doctor, Purpose.RESEARCH, one)
    link_account(user=cast.patient, subject=one.subject)
    set_directive(
        actor=actor_of(cast.patient), subject=one.subject, wanted=Wanted(DirectiveKind.OPT_OUT)
    )
    row = project.studies.filter(study_uid=one.uid)
    assert exclusions_of(project, row) == {}
    project.recipient = Organisation.objects.get(slug="imaging")
    found = exclusions_of(project, row)
    assert [why.value for why in found.values()] == ["directive"]
