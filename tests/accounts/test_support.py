"""A member's technical records are joined with their account under a ticket, and for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, SupportWindow
from accounts.rules.support import fault_of_ticket
from accounts.services.support import (
    SupportRefused,
    close_support_window,
    open_support_window,
    read_joined_records,
)
from audit.models import Event
from tests.factories import Cast, actor_of, token_client
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ClientOf = Callable[..., Client]


def form(cast: Cast, **more: Any) -> dict[str, Any]:
    member = cast.clinician.memberships.get()
    facts = {"member": member.pk, "ticket": "CASE-2026-17", "reason": "page-fails", "hours": 1}
    return {name: value for name, value in (facts | more).items() if value is not None}


def opened(cast: Cast, **more: Any) -> SupportWindow:
    facts: dict[str, Any] = {
        "acting": actor_of(cast.officer, fresh=True),
        "membership": cast.clinician.memberships.get(),
        "ticket": "CASE-2026-17",
        "reason": "page-fails",
        "hours": 1,
    }
    return open_support_window(**(facts | more))


def test_with_a_ticket_it_is_recorded_told_and_seen_by_the_member(
    cast: Cast, client_of: ClientOf
) -> None:
    """LIFEIMAGE-15.5."""
    client_of(cast.clinician).get("/consent/")
    officer = client_of(cast.officer)
    answer = officer.post("/organisation/support/new/", form(cast), follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200 and "Dr Clara Reyes" in page
    assert "consent:shares" in page and "personal" in page
    joined, read = Event.objects.filter(action__startswith="records.").order_by("occurred_at")
    assert (joined.action, joined.reason, joined.target_id) == (
        "records.joined", "page-fails", str(cast.clinician.pk),
    )  # fmt: skip
    assert joined.details["ticket"] == "case-2026-17"
    assert (read.action, read.purpose) == ("records.read", "support")
    assert Notification.objects.get(user=cast.clinician, template="records-joined").by_email
    seen = client_of(cast.clinician).get("/consent/account/purposes/").content.decode()
    assert "CASE-2026-17" in seen and "Owen Hart" in seen
    assert (
        "CASE-2026-17"
        not in client_of(cast.auditor).get("/consent/account/purposes/").content.decode()
    )


@pytest.mark.parametrize(
    "lacking",
    [{"ticket": ""}, {"ticket": "Clara Reyes"}, {"ticket": "nonumber"}, {"reason": None},
     {"reason": "curious"}, {"hours": None}, {"hours": 9999}, {"member": None}],
    ids=str,
)  # fmt: skip
def test_without_a_ticket_a_reason_or_an_end_it_is_refused(
    cast: Cast, client_of: ClientOf, lacking: dict[str, Any]
) -> None:
    """LIFEIMAGE-15.5."""
    answer = client_of(cast.officer).post("/organisation/support/new/", form(cast, **lacking))
    assert answer.status_code == 422
    assert "Please look at this again" in answer.content.decode()
    assert SupportWindow.objects.count() == 0
    assert not Event.objects.filter(action__startswith="records.").exists()
    assert not Notification.objects.filter(template="records-joined").exists()


def test_the_service_refuses_what_the_form_would(cast: Cast) -> None:
    stranger = cast.stranger.memberships.get()
    for wrong in (
        {"ticket": "no"}, {"reason": "curious"}, {"hours": 2}, {"membership": stranger},
        {"acting": actor_of(cast.officer)}, {"acting": actor_of(cast.clinician, fresh=True)},
        {"acting": actor_of(cast.auditor, fresh=True)},
    ):  # fmt: skip
        with pytest.raises(SupportRefused):
            opened(cast, **wrong)
    assert SupportWindow.objects.count() == 0


def test_the_window_ends_and_the_next_request_is_refused(cast: Cast, client_of: ClientOf) -> None:
    """XENRAD-3.7."""
    under(cast, "radiology-information-system")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        officer = client_of(cast.officer)
        window = opened(cast)
        address = f"/organisation/support/{window.pk}/"
        clock.shift(timedelta(minutes=10))
        assert officer.get(address).status_code == 200
        for minutes in (10, 10, 10, 10, 9):
            clock.shift(timedelta(minutes=minutes))
            assert officer.get(address).status_code == 200
        clock.shift(timedelta(minutes=1))
        answer = officer.get(address)
        assert answer.status_code == 403
        assert "time of this window is over" in answer.content.decode()
    assert Event.objects.filter(action="records.read").count() == 6


def test_it_is_closed_before_its_time_by_anyone_who_could_open_one(
    cast: Cast, client_of: ClientOf
) -> None:
    window = opened(cast)
    address = f"/organisation/support/{window.pk}/"
    assert client_of(cast.administrator).post(f"{address}close/").status_code == 302
    assert client_of(cast.administrator).post(f"{address}close/").status_code == 302
    assert client_of(cast.officer).get(address).status_code == 403
    assert Event.objects.filter(action="records.closed").count() == 1


def test_nobody_looks_through_somebody_elses_window(cast: Cast, client_of: ClientOf) -> None:
    window = opened(cast)
    address = f"/organisation/support/{window.pk}/"
    assert client_of(cast.administrator).get(address).status_code == 403
    assert client_of(cast.clinician).get(address).status_code == 403
    assert client_of(cast["officer@imaging.example"]).get(address).status_code == 404
    with pytest.raises(SupportRefused):
        read_joined_records(acting=actor_of(cast.administrator), window=window)
    assert not Event.objects.filter(action="records.read").exists()


def test_acting_for_another_organisation_it_is_neither_read_nor_closed(cast: Cast) -> None:
    window = opened(cast)
    elsewhere = replace(
        actor_of(cast.officer),
        organisation_id=cast.stranger.memberships.get().organisation_id,
    )
    with pytest.raises(SupportRefused):
        read_joined_records(acting=elsewhere, window=window)
    with pytest.raises(SupportRefused):
        close_support_window(acting=elsewhere, window=window)
    assert read_joined_records(acting=actor_of(cast.officer), window=window)


def test_it_asks_for_a_fresh_proof_first(cast: Cast, client_of: ClientOf) -> None:
    officer = client_of(cast.officer)
    session = officer.session
    session["stepped_up_at"] = (timezone.now() - timedelta(minutes=6)).isoformat()
    session.save()
    assert Session.objects.exists()
    for answer in (
        officer.get("/organisation/support/new/"),
        officer.post("/organisation/support/new/", form(cast)),
    ):
        assert answer["Location"].startswith("/sign-in/again/")
    assert SupportWindow.objects.count() == 0


def test_a_policy_without_support_has_no_windows(cast: Cast, client_of: ClientOf) -> None:
    under(cast, "veterinary-teleradiology")
    answer = client_of(cast.officer).get("/organisation/support/")
    assert answer.status_code == 403
    assert Event.objects.filter(action="purpose.refused").last().purpose == "support"


def test_a_program_cannot_open_one(cast: Cast) -> None:
    answer = token_client(cast.officer).post("/organisation/support/new/", form(cast))
    assert answer.status_code in {302, 403}
    assert SupportWindow.objects.count() == 0


@pytest.mark.parametrize(
    ("ticket", "fits"),
    [("CASE-2026-17", True), ("4711", True), ("a1", False), ("Reyes", False), ("", False),
     ("CASE 17", False), ("1972-03-14", False), ("19720314", False), ("-17", False),
     ("1" * 41, False)],
)  # fmt: skip
def test_a_ticket_is_a_number_and_no_name(ticket: str, fits: bool) -> None:
    assert (fault_of_ticket(ticket) == "") is fits
