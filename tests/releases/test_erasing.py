"""What projects made of a person's images goes when the person is erased, with the way back."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from django.test import TestCase

from accounts.models import Notification
from accounts.rules import Actor
from audit.models import Event
from policies.rules.erasing import Erased, Eraser, Fate, erasers
from policies.rules.holdings import Whose
from releases.models import Link, Project
from releases.rules.states import State
from releases.services.exporting import open_archive
from releases.services.projects import ReleaseRefused
from releases.services.releasing import release_project
from studies.models import Study
from vault.services.blobs import is_stored

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
REQUEST = UUID(int=7)


def eraser() -> Eraser:
    return next(one for one in erasers() if one.code == "releases")


def person(studies: list[Study]) -> Whose:
    """Whose two studies they are; the third is somebody else's."""
    ((subject_id, _),) = Counter(one.subject_id for one in studies).most_common(1)
    return Whose(studies[0].organisation_id, frozenset({subject_id}))


def erase(whose: Whose) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        eraser().carry_out(Erased(whose, REQUEST, frozenset()))


def test_of_two_people_only_the_other_stays(
    made: Project, officer: Actor, studies: list[Study]
) -> None:
    whose = person(studies)
    before = {one.blob_name for one in made.outputs.all()}
    (line,) = eraser().plan(whose)
    assert (line.fate, line.number) == (Fate.GOES, 1)
    assert (made.outputs.count(), Link.objects.count()) == (4, 2)
    erase(whose)
    stays = made.outputs.get()
    assert Link.objects.get().code == stays.patient
    assert not {one.subject_id for one in made.studies.all()} & whose.subject_ids
    assert made.studies.count() == 1
    assert {name for name in before if is_stored(name=name)} == {stays.blob_name}
    assert list(eraser().plan(whose)) == []
    event = Event.objects.get(action="release.discarded")
    assert (event.details["studies"], event.details["objects"]) == (2, 3)


def test_what_was_released_waits_for_a_report_that_is_true(
    made: Project, officer: Actor, clinician: Actor, studies: list[Study]
) -> None:
    released = release_project(actor=officer, project=made)
    report = released.report
    erase(person(studies))
    released.refresh_from_db()
    assert released.state == State.REVIEW
    assert Notification.objects.filter(template="release-ready").exists()
    with pytest.raises(ReleaseRefused):
        open_archive(actor=clinician, project=released)
    again = release_project(actor=officer, project=released)
    assert open_archive(actor=clinician, project=again).objects == 1
    assert again.report != report


def test_erasing_again_changes_nothing(made: Project, officer: Actor, studies: list[Study]) -> None:
    erase(person(studies))
    released = release_project(actor=officer, project=made)
    erase(person(studies))
    released.refresh_from_db()
    assert (released.state, released.outputs.count()) == (State.RELEASED, 1)
