"""The pages of incidents: what officers see and send, and that they cost the same for many."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from incidents.models import Incident
from incidents.rules.states import State
from incidents.services.counting import count_studies
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of
from tests.incidents.cases import TITLE, assessed, opened

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_duty"),
]
Browse = Callable[[User], Client]


def queries(browser: Client, address: str) -> int:
    browser.get(address)
    with (
        CaptureQueriesContext(connections["default"]) as one,
        CaptureQueriesContext(connections["keys"]) as other,
    ):
        assert browser.get(address).status_code == 200
    return len(one) + len(other)


def test_an_incident_goes_from_the_form_to_the_register(cast: Cast, client_of: Browse) -> None:
    browser = client_of(cast.officer)
    assert "No incident yet" in text_of(browser.get("/incidents/"))
    now = f"{timezone.now():%Y-%m-%dT%H:%M}"
    given = {"title": TITLE, "discovered_at": now, "kinds": ["identity", "images"]}
    page = browser.post("/incidents/new/", given, follow=True)
    said = text_of(page)
    for part in (TITLE, "Nobody has counted yet", "It is not assessed", "45 CFR 164.404(b)"):
        assert part in said
    here = f"/incidents/{Incident.objects.get().pk}/"
    assert Event.objects.filter(action="incident.viewed").count() == 1
    browser.post(f"{here}note/", {"text": "Found in a train."})
    browser.post(f"{here}steps/contain/")
    lead = browser.post(f"{here}lead/", {"to": cast.administrator.pk}, follow=True)
    assert "Found in a train." in text_of(lead)
    assert cast.administrator.name in text_of(lead)
    weighed: dict[str, Any] = {
        "is_breach": "no", "risk": "unlikely", "reasons": "It was found sealed.", "nature": "",
        "who": "", "seen": "", "mitigated": "",
    }  # fmt: skip
    browser.post(f"{here}assess/", weighed)
    closed = browser.post(f"{here}close/", {"text": "We lock laptops."}, follow=True)
    assert "Closed" in text_of(closed)
    assert Incident.objects.get().state == State.CLOSED
    rows = list(
        csv.DictReader(io.StringIO(browser.get("/incidents/incidents.csv").content.decode()))
    )
    assert [(one["what"], one["exposed"], one["state"]) for one in rows] == [
        (TITLE, "no", "closed")
    ]
    assert "no data was exposed" in rows[0]["not told, because"]
    assert Event.objects.get(action="incident.exported").details == {"lines": 1}


@pytest.mark.parametrize(
    ("path", "given", "why"),
    [
        ("note/", {"text": ""}, "required"),
        ("assess/", {"is_breach": "yes", "risk": "high", "low_probability": "on"}, "four factors"),
        ("assess/", {"is_breach": "no", "risk": "high"}, "Write why"),
        ("delay/", {"until": "2020-01-01", "text": "x"}, "within a year"),
        ("close/", {"text": "x"}, "Assess it first"),
        ("duties/own.people/", {"done_on": "2020-01-01", "text": "x"}, "between the discovery"),
        ("people/studies/", {"uids": "1.2.3"}, "no study 1.2.3"),
        ("people/studies/", {"uids": "nonsense"}, "is no UID"),
        ("people/account/", {"since": "", "until": ""}, "required"),
        ("people/", {"country": "DE"}, "at least one person"),
        ("letter/", {"happened": "", "doing": "", "advice": ""}, "required"),
    ],
)
def test_what_is_refused_comes_back_with_the_reason_and_changes_nothing(
    cast: Cast, client_of: Browse, path: str, given: dict[str, str], why: str
) -> None:
    row = opened(cast)
    answer = client_of(cast.officer).post(f"/incidents/{row.pk}/{path}", given)
    assert answer.status_code == 422
    assert why in text_of(answer)
    after = Incident.objects.get()
    assert (after.assessed_at, after.counted_at, after.state) == (None, None, State.OPEN)


@pytest.mark.parametrize("path", ["", "note/", "people/", "assess/", "letter/", "steps/contain/"])
def test_another_organisations_officer_finds_no_such_page(
    cast: Cast, client_of: Browse, path: str
) -> None:
    row = opened(cast)
    other = client_of(cast["officer@imaging.example"])
    assert other.get(f"/incidents/{row.pk}/{path}").status_code == 404
    assert "Incident 1" not in text_of(other.get("/incidents/"))


def test_pages_cost_the_same_for_many(cast: Cast, client_of: Browse) -> None:
    for name in ("one", "two", "three", "four"):
        take_in(actor_of(cast.clinician), small_ct_object(study=name, PatientID=f"P-{name}"))
    uids = list(Study.objects.values_list("uid", flat=True))
    row = assessed(cast, opened(cast))
    count_studies(actor=actor_of(cast.officer), incident=row, uids=uids[:1])
    browser = client_of(cast.officer)
    pages = ["/incidents/", f"/incidents/{row.pk}/", f"/incidents/{row.pk}/people/",
             "/incidents/incidents.csv"]  # fmt: skip
    before = [queries(browser, page) for page in pages]
    opened(cast)
    opened(cast)
    count_studies(actor=actor_of(cast.officer), incident=row, uids=uids)
    assert [queries(browser, page) for page in pages] == before


def test_the_menu_leads_those_there_who_handle_them(cast: Cast, client_of: Browse) -> None:
    for user, is_there in ((cast.officer, True), (cast.administrator, True), (cast.auditor, False)):
        assert (
            'href="/incidents/"' in client_of(user).get("/account/").content.decode()
        ) is is_there
