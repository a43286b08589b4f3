"""What officers see and do: the queue, the case, its acts, handing on (C29)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.states import State
from dsar.selectors import read_token
from dsar.services import handling, intake
from tests.dsar.asking import FORM, WRITTEN, by_form, post, signed_in, written_down
from tests.factories import Cast, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]
Browsers = Callable[[User], Client]


# The queue ----------------------------------------------------------------------------------------
def test_the_queue_shows_what_is_due_first_and_only_ones_own_organisation(
    cast: Cast, client_of: Browsers
) -> None:
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        late = by_form(kind=Kind.QUESTION)
        clock.shift(timedelta(days=20))
        later = by_form(kind=Kind.QUESTION)
        foreign = by_form("imaging", kind=Kind.QUESTION)
        clock.shift(timedelta(days=12))
        officer = client_of(cast.officer)
        said = text_of(officer.get("/requests/"))
        assert said.index(late.number) < said.index(later.number)
        assert "late by 2 days" in said and "due in 18 days" in said
        assert foreign.number not in said
        assert later.number not in text_of(officer.get("/requests/?shown=late"))
        assert officer.get(f"/requests/{foreign.number}/").status_code == 404


def test_a_case_is_found_by_its_number_however_it_is_typed(cast: Cast, client_of: Browsers) -> None:
    case = by_form()
    typed = case.number.lower().replace("-", " ")
    answer = client_of(cast.officer).get("/requests/", {"number": typed})
    assert answer["Location"] == f"/requests/{case.number}/"
    missed = client_of(cast.officer).get("/requests/", {"number": "<script>"})
    assert "No request of your organisation" in text_of(missed)


def test_a_late_acknowledgement_is_shown_as_late(
    cast: Cast, client_of: Browsers, actor: Acting
) -> None:
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = written_down(actor(cast.officer), email="")
        assert "not acknowledged" in text_of(client_of(cast.officer).get("/requests/"))
        clock.shift(timedelta(days=6))
        said = text_of(client_of(cast.officer).get("/requests/?shown=late"))
    assert case.number in said and "acknowledgement late" in said


def test_each_look_of_an_officer_is_written_down(cast: Cast, client_of: Browsers) -> None:
    case = by_form()
    client_of(cast.officer).get(f"/requests/{case.number}/")
    found = Event.objects.get(action="request.viewed")
    assert (found.actor_id, found.target_id) == (str(cast.officer.pk), str(case.pk))


def test_the_queue_names_nobody(cast: Cast, client_of: Browsers) -> None:
    by_form(name="Greta Marker")
    assert "Greta" not in text_of(client_of(cast.officer).get("/requests/"))


@pytest.mark.parametrize("path", ["/requests/", "/requests/mine/"])
def test_a_list_takes_as_many_queries_for_many_as_for_few(
    cast: Cast, client_of: Browsers, actor: Acting, path: str
) -> None:
    browser = client_of(cast.officer)
    counts = []
    for number in (1, 4):
        for _ in range(number):
            signed_in(actor(cast.officer))
        browser.get(path)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(path)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_case_takes_as_many_queries_with_many_steps_as_with_few(
    cast: Cast, client_of: Browsers, actor: Acting
) -> None:
    case, browser, counts = by_form(), client_of(cast.officer), []
    for number in (1, 5):
        for _ in range(number):
            handling.note_on_case(actor=actor(cast.officer), case=case, text="A note.")
        browser.get(f"/requests/{case.number}/")
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"/requests/{case.number}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


# A case -------------------------------------------------------------------------------------------
def test_a_case_shows_what_is_asked_and_every_clock_with_its_paragraph(
    cast: Cast, client_of: Browsers
) -> None:
    case = by_form(residence="FR", kind=Kind.COPY)
    said = text_of(client_of(cast.officer).get(f"/requests/{case.number}/"))
    for part in (
        "examination of my knee", "Greta Marker", "GDPR Art. 12(3)", "45 CFR 164.524",
        "One calendar month from", "own promise", "not known yet: nothing can be handed out",
    ):  # fmt: skip
        assert part in said, part


def test_what_cannot_be_done_is_not_offered_and_is_refused_with_the_reason(
    cast: Cast, client_of: Browsers
) -> None:
    """MEDDIM-7.22: the button is absent, and the address answers 409."""
    case, officer = by_form(kind=Kind.ACCESS), client_of(cast.officer)
    page = f"/requests/{case.number}/"
    html = officer.get(page).content.decode()
    for absent in ("close", "hand-over", "acknowledge", "extend"):
        assert f"{page}{absent}/" not in html
        for answer in (
            officer.get(f"{page}{absent}/"),
            officer.post(f"{page}{absent}/", {"text": "x"}),
        ):
            assert answer.status_code == 409, absent
    assert "Answer first" in text_of(officer.post(f"{page}close/"))
    given = {"text": "All of it.", "outcome": "granted"}
    assert 'value="granted"' not in officer.get(f"{page}answer/").content.decode()
    refused = officer.post(f"{page}answer/", given)
    assert refused.status_code == 409
    assert "who asks" in text_of(refused)
    assert "All of it." in refused.content.decode(), "nothing that was written is lost"
    assert officer.get(f"{page}nonsense/").status_code == 404


def test_each_act_has_its_page(cast: Cast, client_of: Browsers) -> None:
    case, officer = by_form(residence="FR"), client_of(cast.officer)
    page = f"/requests/{case.number}/"
    for act, given in (
        ("assign", {"officer": cast.officer.pk}),
        ("note", {"text": "Ask radiology."}),
        ("identify", {"proof": "document"}),
        ("readdress", {"email": "right@post.example"}),
        ("ask-detail", {"text": "Which knee?"}),
        ("answer", {"text": "Here it is.", "outcome": "granted"}),
        ("close", {}),
    ):
        assert officer.get(f"{page}{act}/").status_code == 200, act
        answer = officer.post(f"{page}{act}/", given)
        assert (answer.status_code, answer["Location"]) == (302, page), act
    assert Case.objects.get().state == State.CLOSED
    assert "Closed" in text_of(officer.get(page))


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("note", {"text": ""}),
        ("identify", {"proof": "account"}),
        ("assign", {"officer": "0"}),
        ("answer", {"text": "", "outcome": "granted"}),
        ("answer", {"text": "Here.", "outcome": "replied"}),
        ("answer", {"text": "Here.", "outcome": ""}),
    ],
)
def test_a_form_of_an_act_that_is_not_right_changes_nothing(
    cast: Cast, client_of: Browsers, act: str, given: dict[str, str]
) -> None:
    case = by_form()
    answer = client_of(cast.officer).post(f"/requests/{case.number}/{act}/", given)
    assert answer.status_code == 422
    assert Case.objects.get().state == State.OPEN
    assert case.entries.count() == 1


def test_a_request_by_post_is_written_down_and_answered_by_letter(
    cast: Cast, client_of: Browsers
) -> None:
    """LIFEIMAGE-17.2."""
    officer = client_of(cast.officer)
    came = (timezone.now() - timedelta(days=9)).date()
    given = WRITTEN | {"door": "post", "email": "", "kind": "correction",
                       "received_on": came.isoformat()}  # fmt: skip
    answer = officer.post("/requests/record/", given, follow=True)
    case = Case.objects.get()
    assert f"Written down as {case.number}" in text_of(answer)
    assert case.received_on == came
    assert "You have our answer by" in text_of(officer.get(f"/requests/{case.number}/letter/"))
    assert officer.post(f"/requests/{case.number}/acknowledge/").status_code == 302
    early = given | {"received_on": (timezone.now() + timedelta(days=2)).date().isoformat()}
    refused = officer.post("/requests/record/", early)
    assert (refused.status_code, Case.objects.count()) == (422, 1)
    assert "future" in text_of(refused)


def test_an_answer_about_safeguards_is_drafted_from_the_policy(
    cast: Cast, client_of: Browsers, actor: Acting
) -> None:
    """MEDDIM-12.5."""
    case = by_form("imaging", kind=Kind.TRANSFER_SAFEGUARDS)
    officer = client_of(cast["officer@imaging.example"])
    html = officer.get(f"/requests/{case.number}/answer/").content.decode()
    assert "which safeguards protect personal data" in html
    assert "Transfers abroad" in html
    officer.post(f"/requests/{case.number}/answer/", {"text": "By clauses.", "outcome": "replied"})
    post()
    said = text_of(officer.get(f"/requests/{case.number}/"))
    assert "By clauses." in said and "mailed" in said


def test_a_request_written_down_is_not_tied_to_an_account(cast: Cast, actor: Acting) -> None:
    """A proven mail address proves no record: who writes as the patient is not the patient."""
    assert written_down(actor(cast.officer), email=cast.patient.email).person is None
    assert by_form(email=cast.patient.email).person is None


# Handing on ---------------------------------------------------------------------------------------
def test_a_request_is_handed_on_by_its_page_and_its_person_sees_where_it_is(
    cast: Cast, client_of: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MEDDIM-7.26."""
    monkeypatch.setattr("dsar.selectors.routes_on", lambda _: True)
    case, officer = by_form(), client_of(cast.officer)
    imaging = Organisation.objects.get(slug="imaging")
    page = f"/requests/{case.number}/"
    assert f"{page}hand-over/" in officer.get(page).content.decode()
    own = {"organisation": str(case.organisation_id), "text": "Ours."}
    assert officer.post(f"{page}hand-over/", own).status_code == 422
    given = {"organisation": str(imaging.pk), "text": "They took the images."}
    assert officer.post(f"{page}hand-over/", given)["Location"] == "/requests/"
    assert officer.get(page).status_code == 404
    theirs = client_of(cast["officer@imaging.example"])
    assert case.number in text_of(theirs.get("/requests/"))
    said = text_of(Client().get(reverse("dsar:read", args=[read_token(case)])))
    assert "Radiologie am Isartor" in said and "They took the images." in said


def test_the_form_says_where_a_patients_request_goes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "hands your request on" not in text_of(Client().get(FORM))
    monkeypatch.setattr("dsar.views.public.VIA_PROVIDER", "direct")
    assert "hands your request on" in text_of(Client().get(FORM))


# Behind a proxy -----------------------------------------------------------------------------------
def test_deployed_forms_are_counted_by_the_senders_network_and_not_by_the_proxys(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEPLOYED = True
    monkeypatch.setattr(intake, "PER_NETWORK", 1)

    def send(email: str, forwarded: str) -> int:
        headers = {"x-forwarded-for": forwarded}
        return Client(headers=headers).post(FORM, WRITTEN | {"email": email}).status_code

    assert send("a@post.example", "198.51.100.7") == 302
    assert send("b@post.example", "198.51.100.9") == 429
    assert send("c@post.example", "203.0.113.5") == 302
    # What a sender writes there themselves stands before what the proxy appends.
    assert send("d@post.example", "192.0.2.1, 203.0.113.6") == 429


def test_without_a_proxy_nobody_chooses_where_they_come_from(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PER_NETWORK", 1)
    for number, expected in ((1, 302), (2, 429)):
        browser = Client(headers={"x-forwarded-for": f"203.0.{number}.1"})
        given = WRITTEN | {"email": f"{number}@post.example"}
        assert browser.post(FORM, given).status_code == expected
