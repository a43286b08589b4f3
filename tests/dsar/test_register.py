"""The register of requests: figures and files without anybody in them (11 CCR 7102, C29)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation, User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case
from dsar.rules.agents import Relation
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.register import COLUMNS, METRICS, Row, by_kind, figures_of, metrics_of, reasons_of
from dsar.rules.states import Denial, Door, Outcome
from dsar.sealing import Person
from dsar.selectors.register import register_of
from dsar.services.handling import answer_case
from dsar.services.intake import Acting
from dsar.services.repeating import join_case
from tests.dsar.asking import by_form, written_down
from tests.factories import Cast, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting_ = Callable[..., Actor]
Browsers = Callable[[User], Client]
TODAY = date(2026, 11, 26)
WEEK = TODAY + timedelta(days=7)


def row(kind: Kind = Kind.ACCESS, **more: Any) -> Row:
    facts: dict[str, Any] = {
        "kind": kind, "door": Door.FORM, "laws": (Law.CCPA,), "received_on": date(2026, 9, 1),
        "answer_on": date(2026, 10, 1), "acknowledge_on": date(2026, 9, 11),
    }  # fmt: skip
    return Row(**(facts | more))


def answered(days: int, outcome: Outcome = Outcome.GRANTED, **more: Any) -> Row:
    on = date(2026, 9, 1) + timedelta(days=days)
    return row(**{"answered_on": on, "outcome": outcome.value, **more})


# Rules -------------------------------------------------------------------------------------------
def test_what_was_asked_is_counted_by_how_it_ended_and_how_long_it_took() -> None:
    rows = [
        answered(4), answered(10, Outcome.PARTLY), answered(31, Outcome.DENIED),
        row(answer_on=TODAY - timedelta(days=1)), row(answer_on=WEEK),
        row(answer_on=WEEK + timedelta(days=1)), answered(9, Outcome.JOINED),
    ]  # fmt: skip
    found = figures_of("All", rows, TODAY, WEEK)
    assert (found.received, found.open, found.due, found.late) == (6, 3, 1, 1)
    assert (found.complied, found.denied, found.answered, found.in_time) == (2, 1, 3, 2)
    assert (found.median_days, found.mean_days, found.share_in_time) == (10.0, 15.0, 67)


def test_of_nothing_there_are_no_days() -> None:
    found = figures_of("All", [], TODAY, WEEK)
    assert (found.median_days, found.mean_days, found.share_in_time) == (None, None, None)


def test_the_metrics_are_of_people_whom_the_ccpa_protects() -> None:
    rows = [
        answered(4), answered(6, kind=Kind.COPY), answered(2, kind=Kind.ERASURE),
        answered(3, kind=Kind.OPT_OUT), answered(9, laws=(Law.GDPR,)), row(Kind.CORRECTION),
    ]  # fmt: skip
    found = metrics_of(rows, TODAY, WEEK)
    assert {code: one.received for code, one in found.items()} == {
        "delete": 1, "correct": 1, "know": 2, "opt-out": 1, "limit": 0,
    }  # fmt: skip
    assert found["know"].median_days == 5.0
    assert set(found) == set(METRICS)


def test_refusals_are_counted_by_their_reason() -> None:
    rows = [answered(1, Outcome.DENIED, denial=Denial.IDENTITY.value) for _ in range(3)]
    rows += [answered(1, Outcome.DENIED, denial=Denial.NOT_HELD.value), answered(1)]
    assert [number for _, number in reasons_of(rows)] == [3, 1]


_ROWS = st.lists(
    st.builds(
        answered, st.integers(0, 90),
        st.sampled_from([Outcome.GRANTED, Outcome.PARTLY, Outcome.DENIED, Outcome.JOINED]),
        kind=st.sampled_from([Kind.ACCESS, Kind.COPY, Kind.ERASURE]),
    )
    | st.builds(row, answer_on=st.dates(date(2026, 10, 1), date(2027, 1, 1))),
    max_size=30,
)  # fmt: skip


@given(_ROWS)
def test_the_parts_add_up_to_the_whole(rows: list[Row]) -> None:
    whole, parts = figures_of("All", rows, TODAY, WEEK), by_kind(rows, TODAY, WEEK)
    for name in ("received", "open", "due", "late", "complied", "denied", "answered", "in_time"):
        assert sum(getattr(one, name) for one in parts) == getattr(whole, name)
    assert whole.received == whole.open + whole.answered
    assert whole.answered == whole.complied + whole.denied
    assert whole.due + whole.late <= whole.open


# Pages and files ---------------------------------------------------------------------------------
def test_the_register_names_nobody(cast: Cast, actor: Acting_, client_of: Browsers) -> None:
    agent = Acting(Relation.AGENT, Person("Paula Adler", "paula@record.example"))
    case = by_form(kind=Kind.ACCESS, residence="US-CA", acting=agent)
    answer_case(
        actor=actor(cast.officer), case=case, text="MARKER-ANSWER", outcome=Outcome.DENIED,
        denial=Denial.AUTHORITY,
    )  # fmt: skip
    browser = client_of(cast.officer)
    year = case.received_on.year
    page = text_of(browser.get("/requests/register/"))
    assert "It could not be shown that somebody may ask" in page
    files = [
        browser.get(f"/requests/register/{year}/{form}/").content.decode()
        for form in ("csv", "json")
    ]
    for said in (page, *files):
        for secret in ("Greta", "greta", "Adler", "paula", "MARKER", case.number, "US-CA",
                       str(case.pk), "knee"):  # fmt: skip
            assert secret not in said, secret
    (line,) = csv.DictReader(io.StringIO(files[0]))
    assert line["in_somebodys_name"] == "yes" and line["outcome"] == "Refused"
    document = json.loads(files[1])
    assert document["requests"] == [{**line, "days": int(line["days"])}]
    assert document["metrics_11_ccr_7102"].keys() == METRICS.keys()
    record = document["record_of_processing"]
    assert record["controller"] == "Hudson Valley Hospital" and all(record.values())
    assert list(line) == list(COLUMNS)
    exported = Event.objects.filter(action="request.register_exported")
    assert sorted(one.details["form"] for one in exported) == ["csv", "json"]


def test_a_year_is_one_of_where_the_organisation_is(
    cast: Cast, actor: Acting_, client_of: Browsers
) -> None:
    hospital = Organisation.objects.get(slug="hospital")
    with time_machine.travel(datetime(2027, 1, 1, 3, tzinfo=UTC), tick=False):
        by_form(kind=Kind.ACCESS)
    found = {year: len(register_of(actor(cast.officer), hospital, year)) for year in (2026, 2027)}
    assert found == {2026: 1, 2027: 0}


def test_of_other_organisations_and_to_others_it_says_nothing(
    cast: Cast, actor: Acting_, client_of: Browsers
) -> None:
    by_form("imaging", kind=Kind.ACCESS)
    page = text_of(client_of(cast.officer).get("/requests/register/"))
    assert "Nothing came in that year" in page
    hospital = Organisation.objects.get(slug="hospital")
    assert register_of(actor(cast.clinician), hospital, 2026) == []
    for address in ("/requests/register/2026/xml/", "/requests/register/1/csv/"):
        assert client_of(cast.officer).get(address).status_code == 404
    assert client_of(cast.officer).get("/requests/register/?year=<b>").status_code == 200


def test_the_register_takes_as_many_queries_for_many_as_for_few(
    cast: Cast, actor: Acting_, client_of: Browsers
) -> None:
    browser, counts = client_of(cast.officer), []
    for number in (1, 6):
        for _ in range(number):
            written_down(actor(cast.officer), kind=Kind.ACCESS)
        browser.get("/requests/register/")
        with CaptureQueriesContext(connection) as queries:
            browser.get("/requests/register/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_joined_requests_are_counted_once(cast: Cast, actor: Acting_) -> None:
    first, again = by_form(kind=Kind.ACCESS), by_form(kind=Kind.ACCESS)
    join_case(actor=actor(cast.officer), case=again, to=first)
    hospital = Organisation.objects.get(slug="hospital")
    rows = register_of(actor(cast.officer), hospital, first.received_on.year)
    assert len(rows) == 2
    assert figures_of("All", rows, TODAY, WEEK).received == 1
    assert Case.objects.count() == 2
