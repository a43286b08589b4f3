"""Before somebody is told too late, those who work on it hear of it; once it is late, all do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Notification, User
from audit.models import Event
from incidents.models import DutyMark
from incidents.rules.duties import OWN
from incidents.selectors import picture_of
from incidents.services.assessing import mark_done
from incidents.services.opening import hand_lead
from incidents.services.reminders import remind_of_incidents
from incidents.tasks import REMIND
from jobs.rules.kinds import schedules
from tests.factories import Cast, actor_of
from tests.incidents.cases import assessed, opened

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_duty"),
]
NOW = datetime(2027, 6, 1, 12, tzinfo=UTC)


def told(template: str) -> set[User]:
    return {one.user for one in Notification.objects.filter(template=template)}


def at(after: timedelta) -> dict[str, int]:
    with time_machine.travel(NOW + after, tick=False):
        return remind_of_incidents()


def test_each_clock_reminds_once_and_tells_once_that_it_is_late(cast: Cast) -> None:
    """LIFEIMAGE-6.25, VIGILANT-5.3: overdue escalates."""
    with time_machine.travel(NOW, tick=False):
        row = opened(cast, discovered_at=NOW)
        hand_lead(actor=actor_of(cast.officer), incident=row, to=cast.officer)
        hours = picture_of(row).facts.internal_hours
    own = timedelta(hours=hours)
    assert at(own - timedelta(hours=25)) == {"due": 0, "late": 0}
    assert at(own - timedelta(hours=23))["due"] >= 1
    assert told("incident-due") == {cast.officer}
    assert at(own - timedelta(hours=22)) == {"due": 0, "late": 0}
    assert not told("incident-late")
    assert at(own + timedelta(minutes=1))["late"] >= 1
    assert told("incident-late") == {cast.officer, cast.administrator}
    assert at(own + timedelta(minutes=2)) == {"due": 0, "late": 0}
    codes = [one.details["code"] for one in Event.objects.filter(action="incident.escalated")]
    assert OWN in codes
    assert len(codes) == len(set(codes))


def test_clocks_of_days_remind_a_week_before(cast: Cast) -> None:
    with time_machine.travel(NOW, tick=False):
        opened(cast, discovered_at=NOW)
    at(timedelta(days=52))
    assert not DutyMark.objects.filter(code="hipaa.people").exists()
    at(timedelta(days=53))
    assert DutyMark.objects.get(code="hipaa.people").reminded_at == NOW + timedelta(days=53)


def test_what_is_done_or_not_owed_reminds_nobody(cast: Cast) -> None:
    with time_machine.travel(NOW, tick=False):
        row = opened(cast, discovered_at=NOW)
        mark_done(
            actor=actor_of(cast.officer), incident=row, code=OWN, done_on=NOW.date(), text="told"
        )
    at(timedelta(days=4))
    assert OWN not in DutyMark.objects.exclude(escalated_at=None).values_list("code", flat=True)
    with time_machine.travel(NOW + timedelta(days=4), tick=False):
        assessed(cast, row, is_breach=False)
    assert at(timedelta(days=300)) == {"due": 0, "late": 0}


def test_it_is_looked_at_four_times_an_hour() -> None:
    (found,) = [one for one in schedules() if one.kind == REMIND]
    assert found.every == timedelta(minutes=15)
