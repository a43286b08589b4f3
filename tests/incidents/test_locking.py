"""Somebody else uses an account: one press, and it opens nothing any more (LIFEIMAGE-11.5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import EmailChange, Notification, SignIn, User
from accounts.rules import Scope
from accounts.services.email_change import ask_for_address
from accounts.services.password_reset import SEND_LINK
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from incidents.models import Incident
from incidents.services.locking import report_account_use
from jobs.models import Job
from jobs.services import run_job
from policies.rules.categories import Category
from policies.rules.gate import enter_use, use
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of, token_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_duty"),
]
Browse = Callable[[User], Client]
BUTTON = "/incidents/my-account/"


def test_one_press_ends_all_sessions_and_tokens_takes_the_password_and_opens_an_incident(
    cast: Cast, client_of: Browse, mailoutbox: list[object]
) -> None:
    cast.clinician.set_password("the old one that somebody knows")
    cast.clinician.save()
    here, elsewhere = client_of(cast.clinician), client_of(cast.clinician)
    program = token_client(cast.clinician, Scope.READ)
    assert "Somebody else uses my account" in text_of(here.get("/account/"))
    page = here.post(BUTTON, follow=True)
    assert page.status_code == 200
    assert "Your account is locked" in text_of(page)
    for browser in (here, elsewhere):
        assert browser.get("/account/").status_code == 302
    assert program.get("/dicom-web/studies").status_code == 401
    assert not SignIn.objects.filter(user=cast.clinician, ended_at=None).exists()
    enter_use(use(Purpose.AUTHENTICATION, Category.ACCOUNT))
    user = User.objects.get(pk=cast.clinician.pk)
    assert not user.has_usable_password()
    # The way back is a link to the address that the account has.
    run_job(job_id=Job.objects.get(kind=SEND_LINK).pk)
    assert [one.to for one in mailoutbox] == [[user.email]]  # type: ignore[attr-defined]
    incident = Incident.objects.get()
    assert (incident.account, incident.source) == (user, "account")
    queue = text_of(client_of(cast.officer).get("/incidents/"))
    assert "Incident 1" in queue
    assert "somebody else used an account" in queue
    told = Notification.objects.filter(template="incident-opened").values_list("user", flat=True)
    assert set(told) == {cast.officer.pk, cast.administrator.pk}
    assert Event.objects.filter(action="incident.reported").count() == 1


def test_pressed_again_it_opens_no_second_incident(cast: Cast) -> None:
    for _ in range(2):
        report_account_use(actor=actor_of(cast.clinician))
    assert Incident.objects.count() == 1


def test_a_wish_for_another_address_goes_too(cast: Cast) -> None:
    """Whoever uses the account may have asked for it, to keep it for good."""
    actor = actor_of(cast.clinician, fresh=True)
    ask_for_address(actor=actor, user=cast.clinician, email="thief@post.example")
    report_account_use(actor=actor)
    assert not EmailChange.objects.exists()


def test_a_patients_incident_is_where_their_data_is(cast: Cast) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    link_account(user=cast.patient, subject=DataSubject.objects.get())
    (incident,) = report_account_use(actor=actor_of(cast.patient))
    assert incident.organisation == cast.clinician.memberships.get().organisation


def test_it_is_pressed_by_whoever_is_signed_in_and_by_nobody_for_another(
    cast: Cast, client_of: Browse
) -> None:
    assert Client().post(BUTTON).status_code == 302
    assert client_of(cast.clinician).get(BUTTON).status_code == 405
    client_of(cast.stranger).post(BUTTON)
    assert SignIn.objects.filter(user=cast.clinician, ended_at=None).exists()
    assert Incident.objects.get().organisation == cast.stranger.memberships.get().organisation


def test_it_works_before_a_policy_is_accepted(cast: Cast, client_of: Browse) -> None:
    browser = client_of(cast.clinician)
    cast.clinician.memberships.update(accepted_version_id=None)
    answer = browser.post(BUTTON)
    assert answer["Location"] == "/incidents/my-account/locked/"
    assert Incident.objects.count() == 1


def test_the_page_after_it_says_the_same_to_everybody(client: Client, db: None) -> None:
    assert "Your account is locked" in text_of(client.get("/incidents/my-account/locked/"))
