"""The pages of release projects: who sees what, and as many queries however much there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, MembershipRole, User
from accounts.rules import Actor, Role
from audit.models import Event
from releases.models import Project
from releases.rules.states import Aside, State
from releases.services.projects import add_study, begin_project
from studies.models import Study
from tests.factories import Cast, small_ct_object, take_in, text_of
from tests.releases.conftest import wanted

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browsers = Callable[[User], Client]


@pytest.fixture
def doctor(cast: Cast, client_of: Browsers) -> Client:
    return client_of(cast.people["clinician@imaging.example"])


@pytest.fixture
def officers(cast: Cast, client_of: Browsers) -> Client:
    return client_of(cast.people["officer@imaging.example"])


@pytest.fixture
def researcher(cast: Cast, client_of: Browsers) -> Client:
    """Somebody who prepares releases and sees no patients."""
    user = cast.people["clinician@imaging.example"]
    membership = Membership.objects.get(user=user)
    membership.roles.all().delete()
    MembershipRole.objects.create(membership=membership, role=Role.RESEARCHER)
    return client_of(user)


def queries(client: Client, path: str) -> int:
    client.get(path)  # policies and keys are remembered from here on
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200
    return len(caught)


def test_a_project_is_begun_and_filled_by_forms(
    doctor: Client, studies: list[Study], officers: Client
) -> None:
    form = {
        "title": "Nodules", "purpose": "ai-training", "ethics_reference": "EK-1",
        "method": "safe-harbor", "ends_on": "2090-01-01",
        "recipient": str(studies[0].organisation_id),
    }  # fmt: skip
    answer = doctor.post("/releases/new/", form)
    project = Project.objects.get()
    assert answer["Location"] == f"/releases/{project.pk}/"
    doctor.post(f"/releases/{project.pk}/studies/", {"study": [one.uid for one in studies[:2]]})
    doctor.post(f"/releases/add/{studies[2].uid}/", {"project": str(project.pk)})
    doctor.post(f"/releases/add/{studies[2].uid}/", {"project": str(project.pk)})
    assert project.studies.count() == 3
    row = project.studies.all()[0]
    doctor.post(f"/releases/{project.pk}/studies/{row.pk}/remove/")
    assert project.studies.count() == 2
    assert officers.post(f"/releases/{project.pk}/studies/{row.pk}/remove/").status_code == 403
    assert officers.post("/releases/new/", form).status_code == 403
    assert Event.objects.filter(action="release.study_added").count() == 4


def test_what_safe_harbor_forbids_is_refused_in_the_form(
    doctor: Client, studies: list[Study]
) -> None:
    form = {
        "title": "Nodules", "purpose": "ai-training", "ethics_reference": "EK-1",
        "method": "safe-harbor", "ends_on": "2090-01-01", "options": ["full-dates"],
        "recipient": str(studies[0].organisation_id),
    }  # fmt: skip
    answer = doctor.post("/releases/new/", form)
    assert answer.status_code == 422
    assert "Safe Harbor does not let dates stay" in text_of(answer)
    assert "research" not in {
        value for value, _ in answer.context["form"].fields["purpose"].choices
    }
    assert not Project.objects.exists()


def test_a_researcher_sees_how_it_stands_and_nobodys_name(
    made: Project, researcher: Client
) -> None:
    shown = text_of(researcher.get(f"/releases/{made.pk}/"))
    assert "4 objects of 2 people" in shown
    assert "Adler" not in shown
    for path in ("review/", "studies/", "links/"):
        assert researcher.get(f"/releases/{made.pk}/{path}").status_code == 403


def test_pages_ask_as_much_however_much_there_is(
    made: Project, doctor: Client, clinician: Actor
) -> None:
    paths = [
        "/releases/", f"/releases/{made.pk}/", f"/releases/{made.pk}/review/?shown=aside",
        f"/releases/{made.pk}/studies/",
    ]  # fmt: skip
    # Whose originals are looked at is written down, study by study: of as many on both pages.
    ids = [made.outputs.filter(study_uid=uid)[0].pk
           for uid in made.outputs.values_list("study_uid", flat=True).distinct()]  # fmt: skip
    made.outputs.filter(pk__in=ids).update(state=Aside.ASIDE, doubts=["broken"])
    before = [queries(doctor, path) for path in paths]
    for number in range(8):
        more = {"AccessionNumber": f"M-{number}", "PatientID": f"M{number}"}
        take_in(clinician, small_ct_object(study=f"more {number}", **more))
    other = begin_project(actor=clinician, wanted=wanted(made.organisation))
    Project.objects.filter(pk=made.pk).update(state=State.DRAFT)
    for study in Study.objects.filter(organisation=made.organisation):
        add_study(actor=clinician, project=made, study=study)
        add_study(actor=clinician, project=other, study=study)
    Project.objects.filter(pk=made.pk).update(state=State.REVIEW)
    made.outputs.update(state=Aside.ASIDE, doubts=["broken"])
    after = [queries(doctor, path) for path in paths]
    assert after == before


def test_before_and_after_are_pictures_for_whoever_may_see_the_original(
    made: Project, doctor: Client, officers: Client
) -> None:
    output = made.outputs.all()[0]
    for side in ("before", "after"):
        answer = doctor.get(f"/releases/{made.pk}/objects/{output.pk}/1/{side}.jpg")
        assert answer.content[:3] == b"\xff\xd8\xff"
        assert "no-store" in answer["Cache-Control"]
        path = f"/releases/{made.pk}/objects/{output.pk}/1/{side}.jpg"
        assert officers.get(path).status_code == 403
    assert doctor.get(f"/releases/{made.pk}/objects/{output.pk}/9/after.jpg").status_code == 404
    assert doctor.get(f"/releases/{made.pk}/objects/{output.pk}/").status_code == 200
    assert Event.objects.filter(action="release.image_seen").count() == 1


def test_acts_are_confirmed_on_a_page_of_their_own(
    draft: Project, doctor: Client, officers: Client
) -> None:
    assert doctor.get(f"/releases/{draft.pk}/approve/").status_code == 200
    assert "Only a privacy officer" in text_of(doctor.post(f"/releases/{draft.pk}/approve/"))
    # Whoever approves reads there what they approve.
    shown = text_of(officers.get(f"/releases/{draft.pk}/approve/"))
    for words in ("Studies 3", "EK-2026-17", "Safe Harbor", "Text that is burned into images"):
        assert words in shown
    draft.refresh_from_db()
    assert draft.state == State.DRAFT
    assert officers.post(f"/releases/{draft.pk}/approve/").status_code == 302
    draft.refresh_from_db()
    assert draft.state == State.BUILDING
    assert "can be approved" in text_of(officers.post(f"/releases/{draft.pk}/approve/"))
    assert officers.get(f"/releases/{draft.pk}/nonsense/").status_code == 404
    # Letting it go out and ending it take a fresh proof.
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        for name in ("release", "end"):
            assert "/sign-in/again/" in officers.post(f"/releases/{draft.pk}/{name}/")["Location"]


def test_judging_takes_what_was_ticked(made: Project, doctor: Client) -> None:
    made.outputs.update(state=Aside.LOOK, pixels={"frames": 1, "boxes": 1, "blacked_share": 0.1})
    ids = list(made.outputs.values_list("pk", flat=True))
    path = f"/releases/{made.pk}/judge/"
    doctor.post(path, {"output": ids[:2], "verdict": "good"})
    doctor.post(path, {"output": ids[2:3], "verdict": "back"})
    doctor.post(path, {"output": ["x", "", "999999999"], "verdict": "good"})
    doctor.post(path, {"output": ids[3:], "verdict": "nonsense"})
    found = dict(made.outputs.values_list("pk", "state"))
    assert [found[pk] for pk in ids] == [Aside.SEEN, Aside.SEEN, Aside.REFUSED, Aside.LOOK]


def test_markup_in_a_title_is_shown_and_never_run(
    clinician: Actor, doctor: Client, imaging: Any
) -> None:
    project = begin_project(actor=clinician, wanted=wanted(imaging, title="<script>x</script>"))
    for path in ("/releases/", f"/releases/{project.pk}/"):
        assert b"<script>x" not in doctor.get(path).content
