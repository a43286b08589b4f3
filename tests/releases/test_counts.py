"""Counts over what was released: who may ask, what is read for it, what is written down."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from audit.models import Event
from releases.models import Project, Snapshot, SnapshotBlock, SnapshotPerson
from releases.rules.states import State
from releases.services.counting import answer, count_people
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    approve_project,
    begin_project,
)
from releases.services.releasing import release_project
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under
from tests.releases.conftest import wanted, work
from tests.releases.counting import BY_ALL, HEAD_CT, MODALITIES, told, went_out

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ClientOf = Callable[..., Client]


# Answers -----------------------------------------------------------------------------------------
def test_people_are_counted_from_what_their_clean_objects_say(
    counted: Project, clinician: Actor
) -> None:
    assert told(clinician, counted, "modality") == MODALITIES
    assert told(clinician, counted, "body-part", "modality") == [
        ["Body part", "CT", "Any other", "All"],
        ["Head", "30", "not shown", "not shown"],
        ["Any other", "20", "not shown", "not shown"],
        ["All", "50", "15", "65"],
    ]


def test_real_objects_are_de_identified_released_and_counted(
    clinician: Actor, officer: Actor, imaging: Organisation
) -> None:
    objects = [
        small_ct_object(
            study=f"s{n}", PatientName=f"Quixada^{n}", PatientID=f"RI-{n}",
            AccessionNumber=f"A-{n}",
            BodyPartExamined="HEAD" if n < 12 else "CHEST",
        )
        for n in range(23)
    ]  # fmt: skip
    take_in(clinician, *objects)
    begun = begin_project(actor=clinician, wanted=wanted(imaging))
    for study in Study.objects.filter(organisation_id=imaging.pk):
        add_study(actor=clinician, project=begun, study=study)
    approve_project(actor=officer, project=begun)
    released = release_project(actor=officer, project=work(begun))
    count_people(actor=officer, project=released, dimensions=BY_ALL)
    assert told(clinician, released, "body-part") == [
        ["Body part", "People"], ["Head", "12"], ["Any other", "11"], ["All", "23"],
    ]  # fmt: skip
    kept = str([*SnapshotBlock.objects.values(), *SnapshotPerson.objects.values()])
    for name in ("Quixada", "RI-", "A-1"):
        assert name not in kept


def test_an_answer_reads_the_counts_alone(counted: Project, clinician: Actor) -> None:
    """No study, no object, no person is looked at."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        told(clinician, counted, "modality", "body-part")
    read = [one["sql"] for one in seen.captured_queries if one["sql"].startswith("SELECT")]
    tables = Counter(table for sql in read for table in _tables(sql))
    assert {one for one in tables if one.startswith("releases")} == {
        "releases_snapshot", "releases_snapshotblock",
    }  # fmt: skip
    assert not any(one.startswith(("studies", "consent")) for one in tables)


def _tables(sql: str) -> list[str]:
    words = sql.replace('"', " ").split()
    return [words[at + 1] for at, one in enumerate(words[:-1]) if one in {"FROM", "JOIN"}]


def test_later_objects_change_no_answer(counted: Project, clinician: Actor) -> None:
    """What is told is frozen: it does not follow what is put in or taken out."""
    before = told(clinician, counted, "modality")
    went_out(counted, "n", (HEAD_CT, 40))
    counted.outputs.filter(patient="p1").delete()
    assert told(clinician, counted, "modality") == before


# Who may -----------------------------------------------------------------------------------------
def test_no_other_organisation_is_told_not_even_the_recipient(
    counted: Project, cast: Cast, clinician: Actor, client_of: ClientOf
) -> None:
    """LIFEIMAGE-9.3."""
    recipient = Organisation.objects.get(slug="hospital")
    Project.objects.filter(pk=counted.pk).update(recipient=recipient)
    outside = actor_of(cast.clinician)
    assert outside.can(Capability.PREPARE_RELEASES)
    with pytest.raises(ReleaseRefused, match="within the organisation"):
        answer(actor=outside, project=counted, by="modality")
    assert Event.objects.filter(action="release.counts_refused").count() == 1
    for name in ("counts/", "counts.csv"):
        answered = client_of(cast.clinician).get(f"/releases/{counted.pk}/{name}?by=modality")
        assert answered.status_code == 404


def test_only_an_officer_has_people_counted(project: Project, clinician: Actor) -> None:
    with pytest.raises(ReleaseRefused, match="privacy officer"):
        count_people(actor=clinician, project=project, dimensions=BY_ALL)
    assert not Snapshot.objects.exists()


def test_a_role_without_releases_is_told_nothing(counted: Project, clinician: Actor) -> None:
    nobody = replace(clinician, capabilities=frozenset({Capability.SEE_TRAIL}))
    with pytest.raises(ReleaseRefused):
        answer(actor=nobody, project=counted, by="modality")


def test_each_answer_is_an_event(counted: Project, clinician: Actor) -> None:
    told(clinician, counted, "modality", "body-part")
    event = Event.objects.get(action="release.counts_seen")
    assert event.purpose == "statistics"
    assert event.details == {"by": "modality", "across": "body-part", "at_least": 11}


def test_what_somebody_types_is_not_written_down(counted: Project, clinician: Actor) -> None:
    with pytest.raises(ReleaseRefused, match="no dimension"):
        answer(actor=clinician, project=counted, by="Quixada")
    event = Event.objects.get(action="release.counts_refused")
    assert event.details == {"by": "", "across": ""}


# What is refused ---------------------------------------------------------------------------------
def test_a_small_group_is_not_counted(
    clinician: Actor, officer: Actor, imaging: Organisation
) -> None:
    """LIFEIMAGE-9.1, XENRAD-3.10."""
    few = begin_project(actor=clinician, wanted=wanted(imaging))
    went_out(few, "p", (HEAD_CT, 10))
    Project.objects.filter(pk=few.pk).update(state=State.RELEASED, report_note="signed")
    with pytest.raises(ReleaseRefused, match="fewer than 11 people"):
        count_people(actor=officer, project=few, dimensions=BY_ALL)
    assert Event.objects.filter(action="release.counts_refused").count() == 1


def test_people_are_counted_only_once_they_are_released(project: Project, officer: Actor) -> None:
    for state in set(State) - {State.RELEASED}:
        Project.objects.filter(pk=project.pk).update(state=state)
        with pytest.raises(ReleaseRefused, match="released"):
            count_people(actor=officer, project=project, dimensions=BY_ALL)


def test_nobody_is_counted_while_a_study_may_not_be_used_any_more(
    project: Project, officer: Actor, clinician: Actor
) -> None:
    """MEDDIM-4.8: whoever has withdrawn is taken out first."""
    project.studies.create(study_uid="1.2.3", subject_id=uuid4(), added_by_id=clinician.user_id)
    with pytest.raises(ReleaseRefused, match="may not be used any more"):
        count_people(actor=officer, project=project, dimensions=BY_ALL)


@pytest.mark.parametrize("dimensions", [[], ["sex"], ["hair"], ["modality", "year"]])
def test_only_what_the_project_keeps_is_counted_by(
    project: Project, officer: Actor, dimensions: Sequence[str]
) -> None:
    with pytest.raises(ReleaseRefused, match="what the project keeps"):
        count_people(actor=officer, project=project, dimensions=dimensions)


def test_an_address_in_a_body_part_stops_the_count(project: Project, officer: Actor) -> None:
    """LIFEIMAGE-9.2."""
    went_out(project, "x", ({"modality": "CT", "body_part": "jo.roth@clinic.example"}, 1))
    with pytest.raises(ReleaseRefused, match=r"an e-mail address.*pseudonym x0") as refused:
        count_people(actor=officer, project=project, dimensions=BY_ALL)
    assert "roth" not in str(refused.value)
    assert not Snapshot.objects.exists()


def test_no_row_can_hold_a_small_group(counted: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SnapshotBlock.objects.filter(snapshot__project=counted).update(people=4)


# Pages -------------------------------------------------------------------------------------------
@pytest.fixture
def imaging_client(cast: Cast, client_of: ClientOf) -> Callable[[str], Client]:
    return lambda role: client_of(cast.people[f"{role}@imaging.example"])


def test_the_page_shows_a_table_and_says_what_it_hides(
    counted: Project, imaging_client: Callable[[str], Client]
) -> None:
    page = imaging_client("clinician").get(
        f"/releases/{counted.pk}/counts/?by=body-part&across=modality"
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert "People by body part and modality" in text
    assert '<th scope="row"' in text and '<th scope="col"' in text
    assert ("not shown" in text) == ("fewer than 11 people" in text)


def test_an_officer_counts_by_the_page_and_a_clinician_does_not(
    project: Project, imaging_client: Callable[[str], Client]
) -> None:
    path = f"/releases/{project.pk}/counts/"
    assert "Nobody has been counted yet" in imaging_client("clinician").get(path).content.decode()
    asked: dict[str, Any] = {"dimensions": BY_ALL}
    assert imaging_client("clinician").post(f"{path}make/", asked).status_code == 403
    assert "Count, for good" in imaging_client("officer").get(path).content.decode()
    assert imaging_client("officer").post(f"{path}make/", asked).status_code == 302
    assert Snapshot.objects.get().dimensions == BY_ALL


def test_the_file_says_the_same_as_the_page(
    counted: Project, clinician: Actor, imaging_client: Callable[[str], Client]
) -> None:
    client = imaging_client("clinician")
    file = client.get(f"/releases/{counted.pk}/counts.csv?by=modality")
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert [*csv.reader(file.content.decode().splitlines())] == MODALITIES
    assert Event.objects.filter(action="release.counts_seen").count() == 1
    for wrong in ("", "?by=hair", "?by=modality&across=modality"):
        assert client.get(f"/releases/{counted.pk}/counts.csv{wrong}").status_code == 422


def test_a_wrong_question_is_answered_beside_the_form(
    counted: Project, imaging_client: Callable[[str], Client]
) -> None:
    page = imaging_client("clinician").get(
        f"/releases/{counted.pk}/counts/?by=modality&across=modality"
    )
    assert "Choose two different dimensions." in page.content.decode()


def test_a_policy_without_statistics_lets_nobody_ask(cast: Cast, client_of: ClientOf) -> None:
    """C12: what the policy does not list is refused before anything is looked for."""
    path = f"/releases/{UUID(int=0)}/counts/"
    assert client_of(cast.clinician).get(path).status_code == 404
    under(cast, "image-share")
    assert client_of(cast.clinician).get(path).status_code == 403
    assert Event.objects.filter(action="purpose.refused", purpose="statistics").exists()
