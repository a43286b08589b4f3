"""Technical records hold the declared fields and no others, and go when their time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Authenticator, SignIn, User
from accounts.services.housekeeping import forget_technical_records
from audit.models import EVENT_COLUMNS, Event
from config import gunicorn
from policies.rules.logs import (
    FAILED_TRIES_KEPT,
    LOGS,
    SIGN_INS_KEPT,
    TRAIL,
    TechnicalLog,
)
from tests.accounts.test_sign_in import device, give_password, sign_in, user

__all__ = ["device", "user"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
# The columns of an event that say what was done, by whom, to what: the trail, not the visit.
OF_THE_ACT = set(
    "id occurred_at action outcome actor_kind actor_id actor_role organisation_id subject_id"
    " target_kind target_id target_uid purpose reason details commitments".split()
)


@pytest.mark.parametrize(
    "log", [one for one in LOGS if one is not TRAIL], ids=lambda one: one.table
)
def test_a_table_has_the_declared_fields_and_no_others(log: TechnicalLog) -> None:
    """MEDDIM-2.6, LIFEIMAGE-3.7, LIFEIMAGE-15.2: an undeclared column fails."""
    model = next(one for one in apps.get_models() if one._meta.db_table == log.table)
    in_the_code = {one.column for one in model._meta.concrete_fields}
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, log.table)
    assert in_the_code == {column.name for column in described} == {one.name for one in log.fields}


def test_the_trail_has_three_technical_columns() -> None:
    """LIFEIMAGE-15.2."""
    assert set(EVENT_COLUMNS) - OF_THE_ACT == {one.name for one in TRAIL.fields}


def test_no_other_table_keeps_visits() -> None:
    """AVMI-2.7: libraries that would keep logs of their own are told not to."""
    assert settings.AXES_DISABLE_ACCESS_LOG is True
    assert getattr(settings, "AXES_ENABLE_ACCESS_FAILURE_LOG", False) is False
    assert gunicorn.accesslog is None


def test_a_sign_in_keeps_two_words_of_the_browser_a_cut_network_and_a_last_day(
    user: User, device: Authenticator
) -> None:
    """AVMI-2.7, XENRAD-2.14, XENRAD-2.15, MEDDIM-2.7: device and browser, no place, an expiry."""
    client = Client(headers={"user-agent": CHROME}, REMOTE_ADDR="203.0.113.77")
    sign_in(client, device)
    row = SignIn.objects.get()
    assert row.browser == "Chrome on Linux"
    assert row.keep_until == row.seen_at + timedelta(days=90)
    event = Event.objects.get(action="session.started")
    assert event.network == "203.0.113.0/24"
    kept = str([SignIn.objects.values().get(), Event.objects.values().first()])
    for whole in ("203.0.113.77", "141.0", "AppleWebKit"):
        assert whole not in kept
    assert not AccessAttempt.objects.exists(), "a right password leaves no address"


def test_pages_that_are_visited_leave_no_trace(user: User, device: Authenticator) -> None:
    """MEDDIM-2.10: there is no clickstream, so that none has to be turned off."""
    client = Client()
    sign_in(client, device)
    client.get("/account/")  # makes the empty profile, once

    def rows() -> dict[str, int]:
        return {
            model.__name__: model._default_manager.count()
            for model in apps.get_models()
            if model._meta.app_label not in {"keys", "vault"}
        }

    before = rows()
    for path in ("/account/", "/notifications/", "/cookies/", "/account/messages/"):
        assert client.get(path).status_code == 200
    assert rows() == before


def test_records_go_when_their_time_is_over(user: User, device: Authenticator) -> None:
    """AVMI-2.7: after the configured period the record is gone, and that is written down."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(Client(), device)
        give_password(Client(), "wrong")
        assert AccessAttempt.objects.count() == 1
        assert sum(forget_technical_records().values()) == 0
        clock.shift(FAILED_TRIES_KEPT + timedelta(minutes=1))
        forget_technical_records()
        assert (AccessAttempt.objects.count(), SignIn.objects.count()) == (0, 1)
        assert Session.objects.count() == 0
        clock.shift(SIGN_INS_KEPT)
        assert forget_technical_records()["sign_ins"] == 1
    events = Event.objects.filter(action="records.forgotten").order_by("occurred_at")
    assert [one.details["failed_tries"] for one in events] == [1, 0]


def test_a_failed_try_never_keeps_the_password(user: User) -> None:
    give_password(Client(), "the wrong horse battery")
    kept = str(AccessAttempt.objects.values().get())
    assert "wrong horse" not in kept
