"""People see what they did themselves, as the trail has it, and nobody else's acts (XENRAD-8.2)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Event
from audit.selectors import own_acts
from consent.rules.decision import Item
from tests.factories import signed_in_client

from .conftest import CLINICIAN, COLLEAGUE, OFFICER, PATIENT, Portal
from .objects import an_object, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
HERE = "/my/acts/"


@pytest.fixture
def busy(portal: Portal) -> Portal:
    """Two organisations at work, one study shared between them."""
    portal.take(an_object(study="1"))
    portal.take(an_object(study="2", patient="P-2"))
    portal.share(Item(uid("1")))
    portal.take(an_object(study="9", patient="P-9"), email=COLLEAGUE)
    portal.client(COLLEAGUE).get(f"/dicom-web/studies/{uid('1')}/metadata")
    portal.client().get(f"/dicom-web/studies/{uid('2')}/metadata")
    return portal


def page_of(portal: Portal, email: str, query: str = "") -> str:
    return signed_in_client(portal.people[email]).get(HERE + query).content.decode()


def test_one_sees_ones_own_acts_with_what_they_concerned(busy: Portal) -> None:
    page = page_of(busy, CLINICIAN)
    assert "Images received" in page
    assert "Image descriptions read" in page
    assert f"study {uid('2')}" in page
    assert "Signed in" in page, "what concerns no organisation is one's own, too"
    assert "You" in page


def test_nobody_elses_acts_are_there(busy: Portal) -> None:
    """The colleague looked at study 1, the officer at the trail; neither is the clinician's act."""
    signed_in_client(busy.people[OFFICER]).get("/audit/")
    for email in (CLINICIAN, COLLEAGUE, OFFICER, PATIENT):
        person = busy.people[email]
        organisation = person.memberships.values_list("organisation_id", flat=True).first()
        events = own_acts(user_id=person.pk, organisation_id=organisation, limit=500).events
        assert events or email == PATIENT
        assert {event.actor_id for event in events} <= {str(person.pk)}
    page = page_of(busy, CLINICIAN).split("<section", 1)[1]
    assert uid("9") not in page
    assert "Trail read" not in page


def test_looking_at_what_was_shared_is_an_act_of_whoever_looked(busy: Portal) -> None:
    page = page_of(busy, COLLEAGUE)
    assert f"study {uid('1')}" in page
    assert uid("2") not in page


def test_acts_for_another_organisation_stay_there(busy: Portal) -> None:
    """Somebody who works for two sees each one's business where they work for it."""
    both = busy.people[CLINICIAN]
    hospital, imaging = busy.organisation("hospital"), busy.organisation("imaging")
    imaging.memberships.create(user=both).roles.create(role="auditor")
    browser = signed_in_client(both)
    other = both.memberships.get(organisation=imaging)
    browser.post("/account/organisation/", {"membership": str(other.pk)})
    events = own_acts(user_id=both.pk, organisation_id=imaging.pk).events
    assert {event.organisation_id for event in events} <= {"", str(imaging.pk)}
    assert uid("2") not in browser.get(HERE).content.decode()
    here = own_acts(user_id=both.pk, organisation_id=hospital.pk).events
    assert uid("2") in {event.target_uid for event in here}


def test_a_job_with_the_same_number_is_not_me(busy: Portal) -> None:
    me = busy.people[CLINICIAN]
    before = len(own_acts(user_id=me.pk).events)
    event = Event.objects.filter(actor_id=str(me.pk))[0]
    Event.objects.create(
        action="study.viewed", outcome="success", occurred_at=timezone.now(), actor_kind="job",
        actor_id=str(me.pk), organisation_id=event.organisation_id,
    )  # fmt: skip
    assert len(own_acts(user_id=me.pk).events) == before


def test_acts_are_found_by_kind_and_by_day(busy: Portal) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        busy.client().get(f"/dicom-web/studies/{uid('1')}/metadata")
        browser = signed_in_client(busy.people[CLINICIAN])
        tomorrow = (timezone.now() - timedelta(days=1)).date()
        late = browser.get(HERE, {"action": "study.described", "since": tomorrow}).content.decode()
        early = browser.get(HERE, {"action": "study.described", "until": tomorrow}).content.decode()
    assert (uid("1") in late, uid("2") in late) == (True, False)
    assert (uid("1") in early, uid("2") in early) == (False, True)
    assert "Images received" not in late.split("<section", 1)[1]


def test_a_day_that_is_none_is_said_so(busy: Portal) -> None:
    answer = signed_in_client(busy.people[CLINICIAN]).get(HERE, {"since": "yesterday"})
    assert answer.status_code == 422
    assert "Enter a valid date" in answer.content.decode()
    assert signed_in_client(busy.people[CLINICIAN]).get(HERE, {"after": "x"}).status_code == 400


def test_the_file_has_every_act_in_it(busy: Portal) -> None:
    browser = signed_in_client(busy.people[CLINICIAN])
    answer = browser.get(HERE, {"as": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    person = busy.people[CLINICIAN]
    organisation = busy.organisation("hospital").pk
    # The reading itself was written down after the file was made.
    assert len(rows) == len(own_acts(user_id=person.pk, organisation_id=organisation).events) - 1
    assert f"study {uid('2')}" in {row["Concerning"] for row in rows}
    assert uid("9") not in answer.content.decode()


def test_the_page_asks_as_much_for_many_as_for_few(
    busy: Portal, django_assert_max_num_queries: Callable
) -> None:
    counts = []
    browser = signed_in_client(busy.people[CLINICIAN])
    for number in range(3):
        busy.take(an_object(study=f"3{number}", patient=f"P-3{number}"))
        with django_assert_max_num_queries(30) as asked:
            assert browser.get(HERE).status_code == 200
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_pages_go_on_with_earlier_acts(busy: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.views.acts.PER_PAGE", 2)
    page = page_of(busy, CLINICIAN, "?action=study.received")
    assert "Earlier acts" not in page
    assert "Earlier acts" in page_of(busy, CLINICIAN)
