"""What counts may tell later: of newcomers, of whoever left, of another project's people."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from accounts.rules import Actor
from jobs.services import run_job
from policies.selectors import effective_pack
from releases.models import Link, Project, Snapshot, SnapshotBlock, SnapshotPerson
from releases.rules.states import State
from releases.sealing import link_context
from releases.services.counting import answer, count_people
from releases.services.ending import end_project
from releases.services.projects import (
    ReleaseRefused,
    begin_project,
)
from tests.releases.conftest import wanted
from tests.releases.counting import HEAD_CT, KNEE_MR, MODALITIES, told, went_out
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


# Later people ------------------------------------------------------------------------------------
def test_newcomers_wait_until_they_are_many(
    counted: Project, officer: Actor, clinician: Actor
) -> None:
    went_out(counted, "n", (KNEE_MR, 10))
    count_people(actor=officer, project=counted)
    assert told(clinician, counted, "modality") == MODALITIES
    went_out(counted, "m", (KNEE_MR, 1))
    count_people(actor=officer, project=counted)
    assert told(clinician, counted, "modality")[2:] == [["Any other", "26"], ["All", "76"]]
    count_people(actor=officer, project=counted)
    assert told(clinician, counted, "modality")[-1] == ["All", "76"]


def test_whoever_leaves_cannot_be_told_from_the_counts(
    counted: Project, officer: Actor, clinician: Actor
) -> None:
    counted.outputs.filter(patient="p1").delete()
    count_people(actor=officer, project=counted)
    assert told(clinician, counted, "modality") == MODALITIES


def another(project: Project, clinician: Actor, *kinds: tuple[dict[str, str], int]) -> Project:
    """A second released project of the same organisation."""
    begun = begin_project(actor=clinician, wanted=wanted(project.organisation))
    went_out(begun, "q", *kinds)
    Project.objects.filter(pk=begun.pk).update(state=State.RELEASED, report_note="signed")
    begun.refresh_from_db()
    return begun


def linked(project: Project, prefix: str, people: int, subjects: list[UUID]) -> None:
    """Write lines of the linking table: whose pseudonyms these are."""
    sealer = FieldSealer(open_data_key(id=project.link_key_id))
    Link.objects.bulk_create(
        Link(
            project=project, code=f"{prefix}{n}",
            sealed_subject=sealer.seal(
                str(subjects[n]).encode(), link_context(project.pk, f"{prefix}{n}")
            ),
        )
        for n in range(people)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("same", "others", "may"),
    [(0, 65, True), (65, 0, True), (65, 1, False), (65, 11, True), (60, 15, False), (50, 15, True)],
)
def test_two_projects_with_nearly_the_same_people_are_not_both_counted(
    project: Project, officer: Actor, clinician: Actor, same: int, others: int, may: bool
) -> None:
    """Their difference would tell of the few others, under whatever pseudonyms."""
    subjects = [uuid4() for _ in range(65 + others)]
    linked(project, "p", 65, subjects)
    count_people(actor=officer, project=project, dimensions=["species"])
    second = another(project, clinician, (HEAD_CT, same + others))
    linked(second, "q", same + others, subjects[:same] + subjects[65:])
    if may:
        count_people(actor=officer, project=second, dimensions=["species"])
        assert told(clinician, second, "species")[-1] == ["All", str(same + others)]
    else:
        with pytest.raises(ReleaseRefused, match=r"same people.*fewer than 11"):
            count_people(actor=officer, project=second, dimensions=["species"])
        assert not Snapshot.objects.filter(project=second).exists()


@pytest.mark.parametrize(("first", "later", "strangers"), [(60, 5, 0), (65, 5, 11)])
def test_each_time_that_people_entered_counts_for_another_project(
    project: Project, officer: Actor, clinician: Actor, first: int, later: int, strangers: int
) -> None:
    """Beside the last counts alone, or the first alone, each of these would pass."""
    subjects = [uuid4() for _ in range(76 + strangers)]
    linked(project, "p", 65, subjects)
    count_people(actor=officer, project=project, dimensions=["species"])
    went_out(project, "n", (HEAD_CT, 11))
    linked(project, "n", 11, subjects[65:])
    count_people(actor=officer, project=project)
    assert told(clinician, project, "species")[-1] == ["All", "76"]
    second = another(project, clinician, (HEAD_CT, first + later + strangers))
    same = subjects[:first] + subjects[65 : 65 + later] + subjects[76:]
    linked(second, "q", first + later + strangers, same)
    with pytest.raises(ReleaseRefused, match=r"same people.*fewer than 11"):
        count_people(actor=officer, project=second, dimensions=["species"])


def test_of_a_project_that_has_ended_nobody_can_be_compared(
    counted: Project, officer: Actor, clinician: Actor
) -> None:
    """The limit of it: the way back is destroyed, so the same people cannot be found again."""
    end_project(actor=officer, project=counted)
    second = another(counted, clinician, (HEAD_CT, 66))
    count_people(actor=officer, project=second, dimensions=["species"])
    assert told(clinician, second, "species")[-1] == ["All", "66"]


def test_other_dimensions_are_not_counted_later(
    counted: Project, officer: Actor, clinician: Actor
) -> None:
    count_people(actor=officer, project=counted, dimensions=["species"])
    with pytest.raises(ReleaseRefused, match="counted by: modality, body part"):
        answer(actor=clinician, project=counted, by="species")


def test_a_stricter_policy_is_followed_at_once(
    counted: Project, officer: Actor, clinician: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told under the new size before whole blocks were put together."""
    pack = effective_pack(counted.organisation_id)
    stricter = replace(pack, values={**pack.values, "deid.min_group_size": 20})
    monkeypatch.setattr("releases.services.counting.effective_pack", lambda _: stricter)
    with pytest.raises(ReleaseRefused, match="now asks for 20"):
        answer(actor=clinician, project=counted, by="modality")
    count_people(actor=officer, project=counted)
    assert told(clinician, counted, "modality")[-1] == ["All", "65"]
    sizes = SnapshotBlock.objects.values_list("people", flat=True)
    assert min(sizes) >= 20 and sum(sizes) == 65
    places = Counter(SnapshotPerson.objects.values_list("place", flat=True))
    assert sorted(places.values()) == sorted(sizes)


def test_at_the_end_of_a_project_nobody_is_known_any_more(counted: Project, officer: Actor) -> None:
    end_project(actor=officer, project=counted)
    counted.refresh_from_db()
    run_job(job_id=counted.job_id)
    assert not SnapshotPerson.objects.exists()
    assert Snapshot.objects.exists() == (counted.end != "delete")
