"""People are told when it is their turn, and of nothing that names anybody (C36)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Notification
from accounts.rules import Actor
from releases.models import Project
from releases.rules.states import Aside
from releases.services.ending import end_project
from releases.services.projects import ReleaseRefused, begin_project
from releases.services.releasing import release_project
from releases.services.reviewing import judge
from releases.services.telling import ask_for_approval
from tests.factories import Cast
from tests.releases.conftest import wanted, work

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def told(actor: Actor) -> list[str]:
    """What somebody was told of projects, the latest last."""
    rows = Notification.objects.filter(user_id=actor.user_id, template__startswith="release-")
    return list(rows.order_by("created_at", "pk").values_list("template", flat=True))


def test_officers_are_told_when_a_project_is_put_together(
    draft: Project, clinician: Actor, officer: Actor, client_of: Any, cast: Cast
) -> None:
    ask_for_approval(actor=clinician, project=draft)
    assert told(officer) == ["release-asked"]
    assert told(clinician) == []
    with pytest.raises(ReleaseRefused, match="Only whoever prepares"):
        ask_for_approval(actor=officer, project=draft)
    browser = client_of(cast.people["officer@imaging.example"])
    note = Notification.objects.get(template="release-asked")
    answer = browser.post(f"/notifications/{note.pk}/open/")
    assert answer["Location"] == f"/releases/{draft.pk}/"


def test_an_empty_project_asks_nobody(clinician: Actor, imaging: Any, officer: Actor) -> None:
    empty = begin_project(actor=clinician, wanted=wanted(imaging))
    with pytest.raises(ReleaseRefused, match="no study in it yet"):
        ask_for_approval(actor=clinician, project=empty)
    assert told(officer) == []


def test_each_is_told_in_turn(made: Project, clinician: Actor, officer: Actor) -> None:
    assert told(officer) == ["release-ready"]
    assert told(clinician) == []
    output = made.outputs.all()[0]
    made.outputs.filter(pk=output.pk).update(state=Aside.LOOK)
    judge(actor=clinician, project=made, output_ids=[output.pk], good=True)
    assert told(officer) == ["release-ready", "release-ready"]
    release_project(actor=officer, project=made)
    assert told(clinician) == ["release-out"]
    end_project(actor=officer, project=made)
    work(made)
    assert told(clinician)[-1] == told(officer)[-1] == "release-ended"
