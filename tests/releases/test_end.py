"""A project ends: the way back is destroyed, and the data as the policy says (MEDDIM-5.6)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, TestCase
from django.utils import timezone
from pydicom import dcmread

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from jobs.models import Job
from policies.rules.schema import KEY
from releases.models import Link, Project
from releases.rules.states import State
from releases.rules.terms import Method
from releases.services import ending
from releases.services.ending import end_due_projects, end_project
from releases.services.links import LinkReason, open_link
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    approve_project,
    begin_project,
)
from releases.services.releasing import release_project
from releases.services.reviewing import clean_bytes
from studies.models import Study
from tests.factories import Cast, actor_of
from tests.releases.conftest import wanted, work
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import stored_names
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browsers = Callable[[User], Client]


@pytest.fixture
def released(made: Project, officer: Actor) -> Project:
    return release_project(actor=officer, project=made)


def names_in_store() -> set[str]:
    return set(stored_names(before=timezone.now() + timedelta(days=1)))


def ended(project: Project, officer: Actor) -> Project:
    end_project(actor=officer, project=project)
    with TestCase.captureOnCommitCallbacks(execute=True):
        return work(project)


def by_policy(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """The end that a policy of this organisation would have."""

    class Pack:
        def __getitem__(self, path: str) -> Any:
            assert path in KEY
            return end

    monkeypatch.setattr(ending, "effective_pack", lambda _: Pack())


def test_every_way_back_is_destroyed(released: Project, officer: Actor) -> None:
    code = released.outputs.all()[0].patient
    done = ended(released, officer)
    assert done.state == State.ENDED
    with pytest.raises(KeyDestroyed):
        open_data_key(id=done.link_key_id)
    assert not Link.objects.filter(project=done).exists()
    assert not done.studies.exists()
    assert set(done.outputs.values_list("source_token", "study_token")) == {(None, None)}
    assert {bytes(one) for one in done.outputs.values_list("sealed_source", flat=True)} == {b""}
    with pytest.raises(ReleaseRefused, match="has ended"):
        open_link(actor=officer, project=done, code=code, reason=LinkReason.LAW)


def test_deleted_data_is_gone_with_key_and_file(
    released: Project, officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_policy(monkeypatch, "delete")
    names = set(released.outputs.values_list("blob_name", flat=True))
    assert names <= names_in_store()
    done = ended(released, officer)
    assert not names & names_in_store()
    assert not done.outputs.exists()
    with pytest.raises(KeyDestroyed):
        open_data_key(id=done.key_id)


def test_data_that_is_kept_opens_and_leads_nowhere(
    released: Project, officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_policy(monkeypatch, "keep")
    before = set(released.outputs.values_list("digest", flat=True))
    done = ended(released, officer)
    assert set(done.outputs.values_list("digest", flat=True)) == before
    assert len(list(clean_bytes(list(done.outputs.all()), done))) == 4


def test_data_that_is_stripped_has_other_numbers_and_keeps_its_people_apart(
    clinician: Actor, officer: Actor, studies: list[Study], imaging: Any
) -> None:
    """The centre's policy strips: what options had kept goes, and so do the pseudonyms."""
    options = ("full-dates", "device")
    project = begin_project(
        actor=clinician,
        wanted=wanted(imaging, options=options, method=Method.EXPERT, method_reference="X-1"),
    )
    for study in studies:
        add_study(actor=clinician, project=project, study=study)
    approve_project(actor=officer, project=project)
    released = release_project(actor=officer, project=work(project))
    first = next(clean_bytes([released.outputs.all()[0]], released))
    assert dcmread(io.BytesIO(first)).StudyDate in {"20260901", "20260908"}
    before = {
        value for row in released.outputs.values_list("patient", "uid", "study_uid", "digest")
        for value in row
    }  # fmt: skip
    names = set(released.outputs.values_list("blob_name", flat=True))
    done = ended(released, officer)
    rows = list(done.outputs.values_list("patient", "uid", "study_uid", "digest"))
    assert len(rows) == 4
    assert not before & {value for row in rows for value in row}
    assert len({row[0] for row in rows}) == 2
    assert not names & names_in_store()
    for content in clean_bytes(list(done.outputs.all()), done):
        assert not dcmread(io.BytesIO(content)).get("StudyDate")
    assert bytes(Project.objects.get(pk=done.pk).sealed_pseudonym_key) == b""


@pytest.mark.parametrize("step", range(5))
def test_an_end_that_is_killed_is_ended_by_the_next_run(
    released: Project, officer: Actor, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whatever step dies: in the end every way back is gone, and every object whole or gone."""
    calls = 0
    real = ending.seal_output

    def dies(*arguments: Any) -> str:
        nonlocal calls
        name = real(*arguments)
        if calls == step:
            calls += 1
            raise RuntimeError("as a kill would, before the commit")
        calls += 1
        return name

    monkeypatch.setattr(ending, "seal_output", dies)
    end_project(actor=officer, project=released)

    for _ in range(6):
        Job.objects.filter(kind=ending.END).update(not_before=timezone.now())
        if work(released).state == State.ENDED:
            break
    assert released.state == State.ENDED
    assert released.outputs.count() == 4
    assert len(set(released.outputs.values_list("patient", flat=True))) == 2
    assert all(released.outputs.values_list("stripped", flat=True))


def test_a_project_ends_by_itself_after_its_last_day(released: Project, officer: Actor) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=365), tick=True):
        assert end_due_projects() == 0
    with time_machine.travel(timezone.now() + timedelta(days=366), tick=True):
        assert end_due_projects() == 1
        assert end_due_projects() == 0
        assert work(released).state == State.ENDED
    assert Event.objects.get(action="release.ended").actor_kind == "system"


def test_nothing_can_be_downloaded_then(
    released: Project, officer: Actor, cast: Cast, client_of: Browsers
) -> None:
    ended(released, officer)
    doctor = client_of(cast.people["clinician@imaging.example"])
    answer = doctor.get(f"/releases/{released.pk}/download/")
    assert answer.status_code == 410
    assert doctor.get(f"/releases/{released.pk}/").status_code == 200
    assert doctor.get(f"/releases/{released.pk}/report/").status_code == 200


def test_ending_is_an_officers_act_with_a_fresh_proof(
    released: Project, clinician: Actor, officer: Actor, cast: Cast
) -> None:
    with pytest.raises(ReleaseRefused, match="Only a privacy officer"):
        end_project(actor=clinician, project=released)
    with pytest.raises(ReleaseRefused, match="Prove again"):
        end_project(actor=actor_of(cast.people["officer@imaging.example"]), project=released)
    ended(released, officer)
    with pytest.raises(ReleaseRefused, match="has ended"):
        end_project(actor=officer, project=released)


def test_a_draft_that_ends_leaves_nothing(draft: Project, officer: Actor) -> None:
    done = ended(draft, officer)
    assert (done.state, done.end) == (State.ENDED, "delete")
