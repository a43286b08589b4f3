"""Telling people: in the portal and by mail, as they chose, once, and without a name in it."""

from __future__ import annotations

from collections.abc import Callable
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ChannelChoice, Notification, User
from accounts.rules.messages import (
    PORTAL,
    Category,
    Channel,
    MessageTemplate,
    register_template,
)
from accounts.services.notifications import notify
from audit.models import Event
from jobs.models import Job
from jobs.rules.states import State
from jobs.services import RunOutcome, run_job
from tests.factories import Cast, deliver

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

UPDATE = register_template(
    MessageTemplate(
        "test-update", Category.SERVICE_UPDATE, "Your request is closed", "It is done.",
        "accounts:account",
    )
)  # fmt: skip
SURVEY = register_template(
    MessageTemplate(
        "test-survey", Category.SURVEY, "How was it?", "Tell us how it went.", "accounts:account"
    )
)
POLICY = register_template(
    MessageTemplate(
        "test-policy", Category.POLICY_CHANGE, "The privacy policy changes", "Read what is new.",
        "accounts:account",
    )
)  # fmt: skip


def told(user: User) -> list[str]:
    return list(notifications(user).values_list("template", flat=True))


def notifications(user: User) -> Any:
    return Notification.objects.filter(user=user, in_portal=True)


def choose(client: Client, *ticked: str) -> None:
    """Tick exactly these on the page of preferences, as a person does, and save."""
    answer = client.post("/account/messages/", dict.fromkeys(ticked, "on"))
    assert answer.status_code == 302


# The way of a message -----------------------------------------------------------------------------
def test_a_message_is_a_row_at_once_and_a_letter_after_the_commit(cast: Cast) -> None:
    notify(users=[cast.clinician], template="test-update")
    row = Notification.objects.get()
    assert (row.in_portal, row.by_email, row.mailed_at) == (True, True, None)
    assert mail.outbox == []
    (letter,) = deliver()
    assert letter.to == [cast.clinician.email]
    row.refresh_from_db()
    assert row.mailed_at is not None
    assert row.mail_failure == ""


def test_a_letter_goes_out_once_however_often_the_job_is_run(cast: Cast) -> None:
    notify(users=[cast.clinician, cast.officer], template="test-update")
    job = Job.objects.get(kind="accounts.mail")
    assert len(deliver()) == 2
    # As if the worker had died before it could say that it was done.
    Job.objects.filter(pk=job.pk).update(state=State.WAITING)
    assert run_job(job_id=job.pk) is RunOutcome.DONE
    assert len(mail.outbox) == 2
    names = [letter.message()["Message-ID"] for letter in mail.outbox]
    assert len(set(names)) == 2, "each under an id of its own, the same if it were sent twice"


def test_a_server_that_fails_is_asked_again_and_the_others_get_their_letters(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(users=[cast.clinician, cast.officer], template="test-update")
    real = EmailMessage.send

    def send(self: EmailMessage, **more: Any) -> int:
        if self.to == [cast.clinician.email]:
            raise SMTPServerDisconnected("gone: clinician@hospital.example")
        return int(real(self, **more))

    monkeypatch.setattr(EmailMessage, "send", send)
    job = Job.objects.get(kind="accounts.mail")
    assert run_job(job_id=job.pk) is RunOutcome.RETRY
    assert [letter.to for letter in mail.outbox] == [[cast.officer.email]]
    assert Notification.objects.get(user=cast.clinician).mail_failure == "server-failed"
    job.refresh_from_db()
    assert "@" not in job.message
    monkeypatch.undo()
    Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
    assert run_job(job_id=job.pk) is RunOutcome.DONE
    assert [letter.to for letter in mail.outbox] == [[cast.officer.email], [cast.clinician.email]]
    assert Notification.objects.get(user=cast.clinician).mail_failure == ""


def test_a_server_that_fails_for_ever_is_given_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", fail)
    notify(users=[cast.clinician], template="test-update")
    job = Job.objects.get(kind="accounts.mail")
    outcomes = []
    for _ in range(job.max_attempts):
        Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
        outcomes.append(run_job(job_id=job.pk))
    assert outcomes[-1] is RunOutcome.FAILED
    assert outcomes[:-1] == [RunOutcome.RETRY] * (job.max_attempts - 1)


def test_an_address_that_is_refused_is_not_tried_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise SMTPRecipientsRefused({"clinician@hospital.example": (550, b"no such person")})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    notify(users=[cast.clinician], template="test-update")
    assert run_job(job_id=Job.objects.get(kind="accounts.mail").pk) is RunOutcome.DONE
    row = Notification.objects.get()
    assert (row.mail_failure, row.mail_given_up, row.mailed_at) == (
        "recipient-refused", True, None,
    )  # fmt: skip


def test_whoever_has_left_is_told_nothing(cast: Cast) -> None:
    cast.clinician.is_active = False
    cast.clinician.save()
    notify(users=[cast.clinician], template="test-update")
    assert not Notification.objects.exists()


# Choices ------------------------------------------------------------------------------------------
def test_updates_by_mail_are_turned_off_and_security_mail_is_not(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """XENRAD-3.11: the update arrives in the portal only; the security alert is still mailed."""
    choose(client_of(cast.clinician), "account.email", "case.email")
    notify(users=[cast.clinician], template="test-update")
    notify(users=[cast.clinician], template="password-changed")
    assert [letter.subject for letter in deliver()] == ["Your password was changed"]
    assert set(told(cast.clinician)) == {"test-update", "password-changed"}


def test_a_muted_survey_is_not_sent_and_the_update_still_is(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """LIFEIMAGE-16.1, VIGILANT-8.1."""
    choose(client_of(cast.clinician), "service-update.email")
    notify(users=[cast.clinician], template="test-survey")
    notify(users=[cast.clinician], template="test-update")
    assert [letter.subject for letter in deliver()] == ["Your request is closed"]
    assert told(cast.clinician) == ["test-update"]
    assert not Notification.objects.filter(template="test-survey").exists()


def test_the_policy_says_on_which_ways_its_changes_go(cast: Cast) -> None:
    notify(users=[cast.clinician], template="test-policy", channels=PORTAL)
    assert deliver() == []
    notify(users=[cast.officer], template="test-policy", channels=frozenset({Channel.EMAIL}))
    assert len(deliver()) == 1
    assert told(cast.clinician) == told(cast.officer) == ["test-policy"]
    # Where a person can choose, nobody chooses for them.
    choice = {"user": cast.owner, "category": Category.CASE, "channel": Channel.EMAIL}
    ChannelChoice.objects.create(**choice, wanted=False)
    notify(users=[cast.owner], template="share-given", target_id="x", channels=frozenset(Channel))
    assert deliver() == []


def test_advertising_cannot_be_sent_as_a_notification(cast: Cast) -> None:
    """MEDDIM-3.2."""
    with pytest.raises(ValueError, match="send_campaign"):
        notify(users=[cast.clinician], template="service-news")


def test_the_table_of_choices_says_what_is_chosen(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """XENRAD-8.9: a matrix of category by channel, kept, with one event for a change."""
    client = client_of(cast.clinician)
    page = client.get("/account/messages/").content.decode()
    assert page.count('type="checkbox"') == 6
    assert 'name="security.email"' not in page
    choose(client, "case.email", "security.email", "survey.portal")
    page = client.get("/account/messages/").content.decode()
    ticked = {name for name in ("case.email", "account.email", "survey.portal", "survey.email")
              if f'name="{name}" id="id_{name}" checked' in page}  # fmt: skip
    assert ticked == {"case.email", "survey.portal"}
    choose(client, "case.email", "survey.portal")
    events = Event.objects.filter(action="preferences.changed")
    assert [one.details for one in events] == [
        {"categories": ["account", "service-update", "survey"]}
    ]


# The centre ---------------------------------------------------------------------------------------
def test_the_centre_lists_counts_and_marks_as_read(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    notify(users=[cast.clinician], template="test-update")
    notify(users=[cast.clinician], template="test-survey")
    client = client_of(cast.clinician)
    page = client.get("/notifications/").content.decode()
    assert "Your request is closed" in page
    assert '2<span class="forced-hidden"> not read' in page
    first = Notification.objects.get(template="test-update")
    answer = client.post(reverse("accounts:notification_open", args=[first.pk]))
    assert answer["Location"] == "/account/"
    assert '1<span class="forced-hidden"> not read' in client.get("/account/").content.decode()
    client.post("/notifications/read/")
    assert "not read" not in client.get("/account/").content.decode()
    first.refresh_from_db()
    assert first.read_at is not None


def test_messages_are_their_readers_alone(cast: Cast, client_of: Callable[[User], Client]) -> None:
    (row,) = notify(users=[cast.clinician], template="test-policy", needs_acknowledgement=True)
    other = client_of(cast.officer)
    for name in ("open", "read", "acknowledge"):
        path = reverse(f"accounts:notification_{name}", args=[row.pk])
        assert other.post(path).status_code == 404
        assert Client().post(path)["Location"].startswith("/sign-in/")
    assert "The privacy policy changes" not in other.get("/notifications/").content.decode()
    row.refresh_from_db()
    assert (row.read_at, row.acknowledged_at) == (None, None)


def test_the_centre_asks_the_database_as_often_for_fifty_as_for_one(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    client = client_of(cast.clinician)
    notify(users=[cast.clinician], template="test-update")
    client.get("/notifications/")  # asks for what is remembered for half a minute
    with CaptureQueriesContext(connection) as one:
        client.get("/notifications/")
    for _ in range(49):
        notify(users=[cast.clinician], template="test-policy", needs_acknowledgement=True)
    with CaptureQueriesContext(connection) as fifty:
        page = client.get("/notifications/")
    assert page.content.count(b"I have taken note") == 49
    assert len(fifty) == len(one)


def test_an_announcement_is_shown_at_home_until_it_is_acknowledged(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    for user, home in ((cast.clinician, "/"), (cast.patient, "/my/"), (cast.auditor, "/audit/")):
        (row,) = notify(users=[user], template="test-policy", needs_acknowledgement=True)
        client = client_of(user)
        shown = client.get(home)
        assert shown.status_code == 200
        assert b"I have taken note" in shown.content
        path = reverse("accounts:notification_acknowledge", args=[row.pk])
        for _ in range(2):
            assert client.post(path, {"next": home})["Location"] == home
        assert b"I have taken note" not in client.get(home).content
        row.refresh_from_db()
        assert row.acknowledged_at is not None
        events = Event.objects.filter(action="notification.acknowledged", target_id=str(row.pk))
        assert events.count() == 1


def test_a_message_whose_template_is_gone_does_not_take_the_page_with_it(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    (row,) = notify(users=[cast.clinician], template="test-update")
    Notification.objects.update(template="gone")
    client = client_of(cast.clinician)
    assert b"no longer known" in client.get("/notifications/").content
    assert client.post(f"/notifications/{row.pk}/open/")["Location"] == "/notifications/"


# Residence ----------------------------------------------------------------------------------------
def test_a_residence_is_given_on_the_page_of_the_account(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    client = client_of(cast.clinician)
    wanted = {"name": "Dr Clara Reyes", "country": "US", "state": "CA", "npi": "1234567893"}
    assert client.post("/account/", wanted | {"country": "DE"}).status_code == 422
    assert client.post("/account/", wanted).status_code == 302
    cast.clinician.refresh_from_db()
    assert cast.clinician.residence == "US-CA"
    assert b'value="CA" selected' in client.get("/account/").content
    event = Event.objects.get(action="profile.changed")
    assert "Clara" not in str(event.details)
    assert event.details["fields"] == ["country", "specialty", "state"]
