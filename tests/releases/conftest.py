"""A project of the imaging centre, whose policy lets software be trained with clean images."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor
from jobs.services import run_job
from policies.rules.purposes import Purpose
from releases.models import Project
from releases.rules.states import State
from releases.rules.terms import Method
from releases.services.counting import count_people
from releases.services.projects import Wanted, add_study, approve_project, begin_project
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.releases.counting import BY_ALL, CHEST_CT, HEAD_CT, KNEE_MR, went_out


@pytest.fixture
def clinician(cast: Cast) -> Actor:
    return actor_of(cast.people["clinician@imaging.example"], fresh=True)


@pytest.fixture
def officer(cast: Cast) -> Actor:
    return actor_of(cast.people["officer@imaging.example"], fresh=True)


@pytest.fixture
def imaging(cast: Cast) -> Organisation:
    return Organisation.objects.get(slug="imaging")


def wanted(recipient: Organisation, **changes: Any) -> Wanted:
    made = Wanted(
        title="Nodules of the lung",
        purpose=Purpose.AI_TRAINING,
        recipient_id=recipient.pk,
        ethics_reference="EK-2026-17",
        method=Method.SAFE_HARBOR,
        method_reference="",
        options=(),
        ends_on=timezone.localdate() + timedelta(days=365),
    )
    return replace(made, **changes)


@pytest.fixture
def studies(clinician: Actor) -> list[Study]:
    """Two studies of one patient, and one of another."""
    objects = [
        small_ct_object(study="one", number=1), small_ct_object(study="one", number=2),
        small_ct_object(study="two", AccessionNumber="A-2", StudyDate="20260908"),
        small_ct_object(
            study="three", PatientName="Brandt^Jörg", PatientID="RI-9", AccessionNumber="A-3"
        ),
    ]  # fmt: skip
    results = take_in(clinician, *objects)
    assert {one.status.value for one in results} == {"stored"}
    return list(Study.objects.filter(organisation_id=clinician.organisation_id).order_by("pk"))


@pytest.fixture
def draft(clinician: Actor, imaging: Organisation, studies: list[Study]) -> Project:
    project = begin_project(actor=clinician, wanted=wanted(imaging))
    for study in studies:
        add_study(actor=clinician, project=project, study=study)
    return project


def work(project: Project) -> Project:
    """Run the job that a project waits for."""
    project.refresh_from_db()
    assert project.job_id is not None
    run_job(job_id=project.job_id)
    project.refresh_from_db()
    return project


@pytest.fixture
def made(draft: Project, officer: Actor) -> Project:
    """A project that was de-identified."""
    approve_project(actor=officer, project=draft)
    return work(draft)


@pytest.fixture
def project(clinician: Actor, imaging: Organisation) -> Project:
    """Thirty people with a CT of the head, twenty of the chest, fifteen with an MR of the knee."""
    begun = begin_project(actor=clinician, wanted=wanted(imaging))
    went_out(begun, "p", (HEAD_CT, 30), (CHEST_CT, 20), (KNEE_MR, 15))
    Project.objects.filter(pk=begun.pk).update(
        state=State.RELEASED, report_note="signed", report="{}", build=1
    )
    begun.refresh_from_db()
    return begun


@pytest.fixture
def counted(project: Project, officer: Actor) -> Project:
    count_people(actor=officer, project=project, dimensions=BY_ALL)
    return project
