"""A plan for disasters is measured by backups and drills, told to who leads it, and printed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Membership, Notification, User
from audit.models import Event
from backups.models import RecoveryPlan
from backups.rules.recovery import Plan, Seen, hours_of, shortfalls
from backups.services.recovery import PlanRefused, standing_of, write_plan
from jobs.rules.kinds import kind_named
from policies.rules.controls import control_named
from tests.backups.cases import days_later
from tests.backups.test_pages import drilled, entered
from tests.factories import Cast, actor_of, text_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browse = Callable[[User], Client]
PAGE, PAPER = "/retention/backups/plan/", "/retention/backups/plan/document/"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = Seen(NOW - DAY, NOW - 90 * DAY, timedelta(hours=4))
PLAN = Plan(DAY, timedelta(hours=4), 90 * DAY, NOW - 365 * DAY)


def written(cast: Cast, **changes: Any) -> RecoveryPlan:
    given: dict[str, Any] = {
        "owner": cast.administrator, "deputy": cast.officer, "point_hours": 48, "time_hours": 4,
        "drill_days": 60,
    }  # fmt: skip
    return write_plan(actor=actor_of(cast.administrator), **(given | changes))


# Rules --------------------------------------------------------------------------------------------
def test_at_its_limits_a_plan_is_kept() -> None:
    assert list(shortfalls(PLAN, KEPT, NOW)) == []


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("plan", "seen", "says"), [
    (None, KEPT, "no plan"),
    (Plan(DAY, timedelta(hours=4), 90 * DAY, NOW, leading=1), KEPT, "Not both"),
    (Plan(DAY, timedelta(hours=4), 90 * DAY, NOW - 365 * DAY - SECOND), KEPT, "more than a year"),
    (PLAN, Seen(None, KEPT.drill_at, KEPT.drill_took), "no whole backup"),
    (PLAN, Seen(NOW - DAY - SECOND, KEPT.drill_at, KEPT.drill_took), "lose 24 hours at most"),
    (PLAN, Seen(KEPT.backup_at, None, None), "No restore has been practised"),
    (PLAN, Seen(KEPT.backup_at, NOW - 90 * DAY - SECOND, KEPT.drill_took), "more than 90 days"),
    (PLAN, Seen(KEPT.backup_at, KEPT.drill_at, timedelta(hours=5)), "The last drill took 5 hours"),
])  # fmt: skip
def test_each_shortfall_is_said_by_itself(plan: Plan | None, seen: Seen, says: str) -> None:
    (said,) = shortfalls(plan, seen, NOW)
    assert says in said


@pytest.mark.parametrize(("seconds", "words"), [
    (3, "1 minute"), (120, "2 minutes"), (3600, "1 hour"), (86_400, "24 hours"),
])  # fmt: skip
def test_spans_in_words(seconds: int, words: str) -> None:
    assert hours_of(timedelta(seconds=seconds)) == words


# Drills -------------------------------------------------------------------------------------------
def test_a_drill_older_than_its_interval_is_red_and_recording_one_clears_it(cast: Cast) -> None:
    """XENRAD-4.7, LIFEIMAGE-6.5, VIGILANT-4.5."""
    plan = written(cast)
    entered(0.5)
    drilled(61)
    (said,) = standing_of(plan.organisation_id).shortfalls
    assert "more than 60 days" in said
    drilled(0.1, is_good=False)
    assert standing_of(plan.organisation_id).shortfalls == (said,), "a failed drill clears nothing"
    drilled(0)
    assert standing_of(plan.organisation_id).shortfalls == ()


def test_the_portals_own_interval_counts_where_it_is_shorter(cast: Cast, settings: Any) -> None:
    plan = written(cast)
    entered(0.5)
    drilled(40)
    assert standing_of(plan.organisation_id).shortfalls == ()
    settings.BACKUP_DRILL_DAYS = 30
    assert "more than 30 days" in standing_of(plan.organisation_id).shortfalls[0]


def test_those_who_lead_are_reminded_once_a_week_while_it_lasts(cast: Cast) -> None:
    # One that was written anew reminds nobody any more.
    written(cast, owner=cast.auditor)
    written(cast)
    entered(0.5)
    drilled(61)
    told = Notification.objects.filter(template="recovery-plan-due")
    rotate = kind_named("backups.rotate").handler
    rotate(None)
    assert set(told.values_list("user", flat=True)) == {cast.administrator.pk, cast.officer.pk}
    rotate(None)
    assert told.count() == 2
    with days_later(8):
        rotate(None)
        assert told.count() == 4
        drilled(0)
        entered(0.5)
    with days_later(16):
        drilled(0)
        entered(0.5)
        rotate(None)
        assert told.count() == 4


def test_the_control_is_red_while_nobody_practises_and_a_drill_clears_it(
    cast: Cast, settings: Any
) -> None:
    settings.BACKUP_URL, settings.BACKUP_KEYS_URL = "/srv/backups", "/mnt/keys"
    control = control_named("backups.sealed-apart")
    assert control is not None
    entered(1)
    assert control.check({}).passed, "the first drill has the whole interval"
    entered(91)
    assert "for more than 90 days" in control.check({}).says
    drilled(1, is_good=False)
    assert not control.check({}).passed
    drilled(89)
    assert control.check({}).passed


# Writing ------------------------------------------------------------------------------------------
def test_writing_it_anew_keeps_what_was_planned_before(cast: Cast) -> None:
    first, second = written(cast), written(cast, time_hours=8)
    assert (first.number, second.number) == (1, 2)
    assert standing_of(first.organisation_id).plan == second
    assert RecoveryPlan.objects.get(pk=first.pk).time_hours == 4
    events = Event.objects.filter(action="plan.written").order_by("pk")
    assert [one.details["time_hours"] for one in events] == [4, 8]


def test_only_administrators_write_and_two_members_lead(cast: Cast) -> None:
    for one in (cast.officer, cast.auditor, cast.clinician, cast.stranger):
        with pytest.raises(PlanRefused, match="Only administrators"):
            write_plan(
                actor=actor_of(one), owner=cast.administrator, deputy=cast.officer, point_hours=1,
                time_hours=1, drill_days=30,
            )  # fmt: skip
    with pytest.raises(PlanRefused, match="somebody else"):
        written(cast, deputy=cast.administrator)
    with pytest.raises(PlanRefused, match="members"):
        written(cast, deputy=cast.stranger)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecoveryPlan.objects.create(
            organisation_id=actor_of(cast.officer).organisation_id, number=9, owner=cast.officer,
            deputy=cast.officer, point_hours=1, time_hours=1, drill_days=30,
            written_by=cast.officer,
        )  # fmt: skip
    assert not RecoveryPlan.objects.exists()


def test_who_leads_and_has_left_is_missed(cast: Cast) -> None:
    plan = written(cast)
    entered(0.5)
    drilled(1)
    Membership.objects.filter(user=cast.officer).update(is_active=False)
    assert standing_of(plan.organisation_id).shortfalls == (
        "Not both of those who lead are here any more. Name others.",
    )


# The pages ----------------------------------------------------------------------------------------
def given(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "point_hours": 24, "time_hours": 12, "drill_days": 90, "owner": cast.administrator.pk,
        "deputy": cast.officer.pk, **changes,
    }  # fmt: skip


def test_an_administrator_writes_it_and_prints_it(cast: Cast, client_of: Browse) -> None:
    admin = client_of(cast.administrator)
    assert "There is no plan for disasters" in text_of(admin.get(PAGE))
    assert admin.get(PAPER).status_code == 404
    assert admin.post(PAGE, given(cast)).headers["location"] == PAGE
    entered(0.5)
    drilled(91)
    page = text_of(admin.get(PAGE))
    assert "It is not kept" in page
    drilled(1)
    assert "It is kept: backups and drills are as planned" in text_of(admin.get(PAGE))
    paper = text_of(admin.get(PAPER))
    for words in (
        "24 hours of work", "12 hours", "every 90 days", cast.administrator.name,
        cast.officer.name, "manage.py restore PLACE", "it worked", "60 of 1200 sealed files",
        "Backups and drills are as planned", "number 1",
    ):  # fmt: skip
        assert words in paper, words


def test_others_read_it_and_another_organisation_sees_none_of_it(
    cast: Cast, client_of: Browse
) -> None:
    assert "An administrator of your organisation writes it" in text_of(
        client_of(cast.officer).get(PAGE)
    )
    written(cast)
    for one in (cast.officer, cast.auditor):
        page = client_of(one).get(PAGE)
        assert cast.officer.name in text_of(page)
        assert b'<form method="post" class="panel"' not in page.content
        assert client_of(one).post(PAGE, given(cast)).status_code == 403
    other = client_of(cast["admin@practice.example"])
    assert "There is no plan for disasters" in text_of(other.get(PAGE))
    assert other.get(PAPER).status_code == 404
    assert RecoveryPlan.objects.count() == 1


@pytest.mark.parametrize(("changes", "says"), [
    ({"point_hours": 0}, "greater than or equal to 1"),
    ({"time_hours": 337}, "less than or equal to 336"),
    ({"drill_days": 6}, "greater than or equal to 7"),
    ({"drill_days": "often"}, "whole number"),
    ({"owner": ""}, "required"),
    ({"owner": "999999"}, "999999"),
])  # fmt: skip
def test_bad_input_is_said(
    cast: Cast, client_of: Browse, changes: dict[str, Any], says: str
) -> None:
    answer = client_of(cast.administrator).post(PAGE, given(cast, **changes))
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not RecoveryPlan.objects.exists()


def test_the_same_person_twice_is_said_at_the_field(cast: Cast, client_of: Browse) -> None:
    answer = client_of(cast.administrator).post(PAGE, given(cast, deputy=cast.administrator.pk))
    assert answer.status_code == 422
    assert "Name somebody else as deputy" in text_of(answer)


def test_an_empty_form_is_no_plan(cast: Cast, client_of: Browse) -> None:
    assert client_of(cast.administrator).post(PAGE, {}).status_code == 422
