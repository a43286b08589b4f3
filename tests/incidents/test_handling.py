"""An incident from its opening to its end: who does what, and what is refused with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Notification
from audit.models import Event
from incidents.models import DutyMark, Incident, IncidentEntry, PlanStep
from incidents.rules.duties import OWN
from incidents.rules.states import PLAN, Factors, Risk, State
from incidents.sealing import OpenIncident
from incidents.selectors import incidents_of, picture_of, today_at
from incidents.services.assessing import mark_done, note_delay
from incidents.services.counting import count_studies
from incidents.services.entries import IncidentRefused
from incidents.services.opening import (
    assign_step,
    close_incident,
    finish_step,
    hand_lead,
    note_on_incident,
)
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.incidents.cases import FACTORS, TITLE, assessed, opened
from tests.policies.packs import under

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_duty"),
]


def test_an_incident_is_opened_sealed_and_told(cast: Cast) -> None:
    row = opened(cast)
    assert (row.number, row.state, row.assessed_at) == (1, State.OPEN, None)
    assert OpenIncident(row).title == TITLE
    assert b"MARKER-TITLE" not in bytes(row.sealed_title)
    assert Event.objects.get(action="incident.opened").target_id == str(row.pk)
    assert "MARKER" not in str(Event.objects.get(action="incident.opened").details)
    told = Notification.objects.filter(template="incident-opened")
    assert {one.user_id for one in told} == {cast.administrator.pk}
    assert opened(cast).number == 2


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"title": "  "}, "empty text"),
        ({"discovered_at": timezone.now() + timedelta(days=1)}, "later than now"),
        ({"kinds": []}, "Choose the kinds"),
        ({"kinds": ["shoes"]}, "Choose the kinds"),
    ],
)
def test_what_says_too_little_opens_nothing(cast: Cast, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(IncidentRefused, match=why):
        opened(cast, **changed)
    assert not Incident.objects.exists()


@pytest.mark.parametrize("who", ["clinician", "auditor", "stranger", "patient"])
def test_nobody_else_opens_sees_or_changes_one(cast: Cast, who: str) -> None:
    row = opened(cast)
    actor = actor_of(getattr(cast, who))
    assert not incidents_of(actor).exists()
    with pytest.raises(IncidentRefused, match="Only officers and administrators"):
        note_on_incident(actor=actor, incident=row, text="anything")


def test_officers_of_another_organisation_see_nothing(cast: Cast) -> None:
    row = opened(cast)
    other = actor_of(cast["officer@imaging.example"])
    assert not incidents_of(other).exists()
    with pytest.raises(IncidentRefused, match="Only officers"):
        finish_step(actor=other, incident=row, step="contain")


# Lead, plan, log ----------------------------------------------------------------------------------
def test_one_of_them_leads_and_steps_have_owners_and_deadlines(cast: Cast) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    hand_lead(actor=officer, incident=row, to=cast.administrator)
    row.refresh_from_db()
    assert row.lead == cast.administrator
    assert Notification.objects.filter(user=cast.administrator).count() == 2
    with pytest.raises(IncidentRefused, match="Choose an officer or administrator"):
        hand_lead(actor=officer, incident=row, to=cast.clinician)
    assert {one.step for one in row.steps.all()} == set(PLAN)
    step = row.steps.get(step="contain")
    assert step.due_at == row.discovered_at + timedelta(hours=4)
    assign_step(actor=officer, incident=row, step="contain", to=cast.administrator)
    for _ in range(2):
        finish_step(actor=officer, incident=row, step="contain")
    step.refresh_from_db()
    assert (step.owner, step.done_by) == (cast.administrator, cast.officer)
    assert Event.objects.filter(action="incident.step_done").count() == 1
    with pytest.raises(IncidentRefused, match="done"):
        assign_step(actor=officer, incident=row, step="contain", to=cast.officer)
    with pytest.raises(IncidentRefused, match="no such step"):
        finish_step(actor=officer, incident=row, step="dance")
    assert PlanStep.objects.filter(done_at=None).count() == len(PLAN) - 1


def test_notes_are_sealed_and_safe_to_show(cast: Cast) -> None:
    row = opened(cast)
    note_on_incident(actor=actor_of(cast.officer), incident=row, text="Found in a train\u202e.")
    entry = IncidentEntry.objects.get(act="noted")
    assert OpenIncident(row).text_of(entry) == "Found in a train."
    assert b"train" not in bytes(entry.sealed_text or b"")
    with pytest.raises(IncidentRefused, match="empty text"):
        note_on_incident(actor=actor_of(cast.officer), incident=row, text="\u202e ")


# The assessment -----------------------------------------------------------------------------------
def test_without_an_assessment_people_are_told(cast: Cast) -> None:
    """45 CFR 164.402(2), 164.414(b)."""
    owed = {one.duty.code for one in picture_of(opened(cast)).open}
    assert {"hipaa.people", OWN} <= owed


def test_a_low_probability_has_to_be_shown_by_four_factors(cast: Cast) -> None:
    row = opened(cast)
    for missing in range(4):
        words = ["words"] * 4
        words[missing] = ""
        with pytest.raises(IncidentRefused, match="each of the four factors"):
            assessed(cast, row, low_probability=True, factors=Factors(*words))
    assessed(cast, row, low_probability=True)
    picture = picture_of(row)
    assert "hipaa.people" not in {one.duty.code for one in picture.open}
    assert any("164.402(2)" in one.duty.away for one in picture.away)
    assert OpenIncident(row).factors == FACTORS
    assert b"colleague" not in bytes(row.sealed_factors or b"")
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=row.pk).update(sealed_factors=None)


@pytest.mark.parametrize(
    "lighter", [{"is_breach": False}, {"unreadable": True}, {"risk": Risk.LIKELY}]
)
def test_what_takes_a_duty_away_needs_a_reason(cast: Cast, lighter: dict[str, Any]) -> None:
    row = opened(cast)
    with pytest.raises(IncidentRefused, match="Write why"):
        assessed(cast, row, reasons=" ", **lighter)
    assert assessed(cast, row, **lighter).state == State.ASSESSED


def test_it_can_be_assessed_anew_and_duties_come_back(cast: Cast) -> None:
    row = assessed(cast, opened(cast), is_breach=False)
    assert not picture_of(row).open
    assert picture_of(assessed(cast, row)).open
    assert Event.objects.filter(action="incident.assessed").count() == 2


def test_the_police_make_it_wait(cast: Cast) -> None:
    row = opened(cast)
    today = today_at(row.organisation)
    until = today + timedelta(days=90)
    note_delay(
        actor=actor_of(cast.officer), incident=row, until=until, in_writing=True, text="By letter."
    )
    row.refresh_from_db()
    duty = next(one.duty for one in picture_of(row).owed if one.duty.code == "hipaa.people")
    assert duty.due_on == until
    for wrong in (today - timedelta(days=1), today + timedelta(days=400)):
        with pytest.raises(IncidentRefused, match="within a year"):
            note_delay(
                actor=actor_of(cast.officer), incident=row, until=wrong, in_writing=True, text="x"
            )


# Done, and closed ---------------------------------------------------------------------------------
def test_a_duty_is_marked_with_when_and_how(cast: Cast) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    today = today_at(row.organisation)
    given = {"actor": officer, "incident": row, "done_on": today, "text": "Form 4711."}
    mark_done(code="hipaa.hhs_small", **given)
    mark = DutyMark.objects.get(code="hipaa.hhs_small")
    assert (mark.done_on, mark.done_by) == (today, cast.officer)
    assert Event.objects.get(action="incident.duty_done").details["code"] == "hipaa.hhs_small"
    with pytest.raises(IncidentRefused, match="already"):
        mark_done(code="hipaa.hhs_small", **given)
    with pytest.raises(IncidentRefused, match="not owed"):
        mark_done(code="tx.people", **given)
    with pytest.raises(IncidentRefused, match="between the discovery and today"):
        mark_done(code=OWN, **(given | {"done_on": today + timedelta(days=1)}))
    with pytest.raises(IncidentRefused, match="between the discovery and today"):
        mark_done(code=OWN, **(given | {"done_on": today - timedelta(days=9)}))


def test_it_is_closed_once_it_was_assessed_and_everybody_was_told(cast: Cast) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    closing = {"actor": officer, "incident": row, "text": "We lock laptops now."}
    with pytest.raises(IncidentRefused, match="Assess it first"):
        close_incident(**closing)
    assessed(cast, row)
    with pytest.raises(IncidentRefused, match="still to be told"):
        close_incident(**closing)
    assessed(cast, row, is_breach=False)
    close_incident(**closing)
    row.refresh_from_db()
    assert row.state == State.CLOSED
    with pytest.raises(IncidentRefused, match="is closed"):
        note_on_incident(actor=officer, incident=row, text="more")


def test_the_policy_in_force_says_within_which_hours(cast: Cast) -> None:
    """VIGILANT-5.3: 48 hours in that pack; LIFEIMAGE-6.25: 72."""
    take_in(actor_of(cast.clinician), small_ct_object())
    for code, hours in (("image-share", 48), ("image-exchange", 72)):
        under(cast, code)
        row = opened(cast)
        count_studies(actor=actor_of(cast.officer), incident=row, uids=[Study.objects.get().uid])
        row.refresh_from_db()
        duty = next(one.duty for one in picture_of(row).owed if one.duty.code == OWN)
        assert duty.moment == row.discovered_at + timedelta(hours=hours)
        assert duty.number == 1
