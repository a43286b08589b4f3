"""Records of use: as the policy lists them, without names, and gone when they have to be (C37)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import SignIn, UsageEvent, User
from accounts.rules.use import Outcome, first_day_of, outcome_of, period_of, quantile
from accounts.services.housekeeping import forget_technical_records
from accounts.services.own_data import export_own_data
from accounts.services.usage import use_of
from audit.models import Event
from consent.services.closing import close_account
from consent.services.purposes import object_to_purpose, withdraw_objection
from policies.rules.categories import Category, DataClass
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ClientOf = Callable[..., Client]
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari"
)
# Three pages, the second of them with a search for somebody in its address.
PAGES = ("/", "/?name=Adler&identifier=HVH-1", "/consent/")


def browse(client: Client, *pages: str, **headers: str) -> None:
    for page in pages or PAGES:
        given = {"user-agent": CHROME, **{k.replace("_", "-"): v for k, v in headers.items()}}
        assert client.get(page, headers=given).status_code == 200


def uses_of(user: User) -> list[UsageEvent]:
    return list(UsageEvent.objects.filter(use_of(user.pk)))


# What is written ---------------------------------------------------------------------------------
def test_pages_that_were_seen_are_in_the_members_own_file_with_their_end(
    cast: Cast, client_of: ClientOf
) -> None:
    """AVMI-2.8, MEDDIM-2.5, LIFEIMAGE-3.8: entries, in one's own export, with an expiry."""
    browse(client_of(cast.clinician))
    rows = uses_of(cast.clinician)
    assert [one.feature for one in rows].count("Worklist") == 2
    assert {one.forget_on - one.day for one in rows} == {timedelta(days=90)}
    exported = exported_use(cast.clinician)
    assert len(exported) == 3
    assert {one["Deleted on"] for one in exported} == {str(rows[0].forget_on)}
    assert exported_use(cast.officer) == []


def exported_use(user: User) -> list[dict[str, str]]:
    with using(Purpose.RIGHTS, Category.ACCOUNT):
        data = export_own_data(actor=actor_of(user))["data"]
    rows: list[dict[str, str]] = data["Technical data"]["usage event"]["rows"]
    return rows


def test_a_line_holds_no_address_no_search_no_name_and_no_network(
    cast: Cast, client_of: ClientOf
) -> None:
    """MEDDIM-3.7, LIFEIMAGE-15.4: the tables are searched after use by somebody known."""
    browse(client_of(cast.clinician))
    kept = str(list(UsageEvent.objects.values())).lower()
    marks = (cast.clinician.email, "reyes", "adler", "hvh-1", "127.0.0.1", "?", "mozilla", "141.0")
    for mark in marks:
        assert mark not in kept, mark
    assert str(cast.clinician.pk) not in {one.pseudonym for one in uses_of(cast.clinician)}
    assert {one.browser for one in uses_of(cast.clinician)} == {"Chrome on Linux"}


def test_how_long_a_page_took_is_noted_only_where_the_policy_lists_it(
    cast: Cast, client_of: ClientOf
) -> None:
    browse(client_of(cast.clinician))
    assert {one.took_ms for one in uses_of(cast.clinician)} == {None}
    browse(client_of(cast.stranger))
    assert all(one.took_ms is not None for one in uses_of(cast.stranger))


def test_errors_are_noted_by_class_where_the_policy_lists_them(
    cast: Cast, client_of: ClientOf
) -> None:
    doctor = client_of(cast.clinician)
    assert doctor.get("/members/").status_code == 403
    assert doctor.get("/studies/1.2.3/").status_code == 404
    assert sorted(one.outcome for one in uses_of(cast.clinician)) == ["missing", "refused"]
    vet = cast["vet@practice.example"]
    assert client_of(vet).get("/members/").status_code == 403
    assert uses_of(vet) == []


def test_the_page_before_is_noted_only_where_the_policy_lists_clicks(
    cast: Cast, client_of: ClientOf
) -> None:
    """MEDDIM-2.10: off in every pack that ships."""
    came = {"referer": "http://testserver/consent/?direction=received"}
    browse(client_of(cast.clinician), "/", **came)
    assert {one.from_page for one in uses_of(cast.clinician)} == {""}
    under(cast, "image-exchange", optional_events=["usage", "clicks"])
    browse(client_of(cast.clinician), "/", **came)
    browse(client_of(cast.clinician), "/", referer="https://elsewhere.example/consent/")
    found = [one.from_page for one in uses_of(cast.clinician)]
    assert sorted(found) == ["", "", "consent:shares"]


def test_a_line_costs_one_insert_and_no_other_query(cast: Cast, client_of: ClientOf) -> None:
    doctor = client_of(cast.clinician)
    doctor.get("/notifications/")

    def queries(**headers: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            doctor.get("/notifications/", headers=headers)
        return [one["sql"] for one in captured]

    signalled = len(queries(sec_gpc="1")), len(queries(sec_gpc="1"))
    noted = queries()
    more = [one for one in noted if "accounts_usageevent" in one]
    assert len(more) == 1 and more[0].startswith("INSERT")
    assert len(noted) == signalled[1] + 1


def test_a_page_does_not_fail_with_its_record(
    cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(UsageEvent, "save", full)
    browse(client_of(cast.clinician))
    assert UsageEvent.objects.count() == 0


# What is not -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [{"optional_events": []}, {"pack": "image-share"}],
    ids=["lists none", "a pack without"],
)
def test_nothing_is_noted_under_a_policy_that_lists_nothing(
    cast: Cast, client_of: ClientOf, changes: dict[str, Any]
) -> None:
    """MEDDIM-2.10: with the category off, following links makes no rows."""
    under(cast, changes.pop("pack", "image-exchange"), **changes)
    browse(client_of(cast.clinician))
    assert UsageEvent.objects.count() == 0
    notice = Client().get("/notice/hospital/").content.decode()
    assert "pseudonym" not in notice
    page = client_of(cast.clinician).get("/cookies/").content.decode()
    assert "Which pages you visit" in page and "accounts_usageevent" not in page


def test_nothing_is_noted_against_a_signal_that_the_policy_honours(
    cast: Cast, client_of: ClientOf
) -> None:
    browse(client_of(cast.clinician), sec_gpc="1")
    assert uses_of(cast.clinician) == []
    browse(client_of(cast.clinician), dnt="1")
    assert len(uses_of(cast.clinician)) == 3, (
        "the exchange's policy does not act on DNT, and says so"
    )
    browse(client_of(cast.stranger), dnt="1")
    assert uses_of(cast.stranger) == [], "this one honours DNT"


def test_nothing_is_noted_on_a_computer_that_others_use(cast: Cast, client_of: ClientOf) -> None:
    shared = client_of(cast.clinician)
    SignIn.objects.filter(user=cast.clinician).update(public_computer=True)
    browse(shared)
    assert uses_of(cast.clinician) == []


def test_nothing_is_noted_of_who_has_not_accepted_the_policy(
    cast: Cast, client_of: ClientOf
) -> None:
    cast.clinician.memberships.update(accepted_version_id=None)
    doctor = client_of(cast.clinician)
    assert doctor.get("/").status_code == 302
    browse(doctor, "/account/")
    assert uses_of(cast.clinician) == []


def test_patients_and_programs_are_never_noted(cast: Cast, client_of: ClientOf) -> None:
    browse(client_of(cast.patient), "/my/", "/account/", "/notice/hospital/")
    client_of(cast.clinician).get("/dicom-web/studies")
    assert UsageEvent.objects.count() == 0


def test_parts_of_pages_and_redirects_are_not_noted(cast: Cast, client_of: ClientOf) -> None:
    admin = client_of(cast.administrator)
    assert admin.get("/").status_code == 302
    admin.get("/account/", headers={"HX-Request": "true"})
    assert uses_of(cast.administrator) == []


# Visitors ----------------------------------------------------------------------------------------
def test_a_visitor_is_counted_without_a_pseudonym_and_a_member_is_personal(
    cast: Cast, client_of: ClientOf
) -> None:
    """LIFEIMAGE-1.2: the anonymous line is technical; the same after signing in is personal."""
    browse(Client(), "/notice/hospital/", "/cookies/", "/sign-in/")
    (visit,) = UsageEvent.objects.all()
    assert (visit.pseudonym, visit.data_class) == ("", DataClass.TECHNICAL)
    browse(client_of(cast.clinician), "/notice/hospital/")
    (mine,) = uses_of(cast.clinician)
    assert mine.page == visit.page
    assert mine.data_class is DataClass.PERSONAL


def test_a_visitors_signal_is_honoured_as_the_notice_they_read_says(cast: Cast) -> None:
    browse(Client(), "/notice/hospital/", sec_gpc="1")
    browse(Client(), "/notice/imaging/", dnt="1")
    assert UsageEvent.objects.count() == 0
    browse(Client(), "/notice/imaging/")
    assert UsageEvent.objects.get().organisation.slug == "imaging"


# Objection, closing, age -------------------------------------------------------------------------
def test_who_objects_has_no_lines_and_gets_none(cast: Cast, client_of: ClientOf) -> None:
    """MEDDIM-2.5, AVMI-3.4, XENRAD-3.6: at once, in the same session, and service goes on."""
    doctor, officer = client_of(cast.clinician), client_of(cast.officer)
    browse(doctor)
    browse(officer, "/")
    answer = doctor.post("/consent/account/purposes/analytics/", {"act": "object"}, follow=True)
    assert "You objected" in answer.content.decode()
    assert uses_of(cast.clinician) == []
    assert len(uses_of(cast.officer)) == 1, "nobody else's are touched"
    browse(doctor)
    assert uses_of(cast.clinician) == []
    withdraw_objection(actor=actor_of(cast.clinician), purpose="analytics")
    browse(doctor, "/")
    assert len(uses_of(cast.clinician)) == 1


def test_either_purpose_of_use_ends_it_all(cast: Cast, client_of: ClientOf) -> None:
    """One record serves both, so an objection to one is an objection to the record."""
    browse(client_of(cast.stranger))
    object_to_purpose(actor=actor_of(cast.stranger), purpose="service-improvement")
    browse(client_of(cast.stranger))
    assert uses_of(cast.stranger) == []


def test_closing_the_account_removes_the_tie(cast: Cast, client_of: ClientOf) -> None:
    """LIFEIMAGE-3.8."""
    browse(client_of(cast.clinician))
    browse(Client(), "/notice/hospital/")
    close_account(actor=actor_of(cast.clinician, fresh=True))
    assert uses_of(cast.clinician) == []
    assert UsageEvent.objects.get().pseudonym == ""


def test_lines_go_on_their_day_and_sooner_if_the_policy_gets_stricter(
    cast: Cast, client_of: ClientOf
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browse(client_of(cast.clinician), "/")
        clock.shift(timedelta(days=89))
        assert forget_technical_records()["records_of_use"] == 0
        clock.shift(timedelta(days=1))
        assert forget_technical_records()["records_of_use"] == 1
        assert (
            Event.objects.filter(action="records.forgotten").last().details["records_of_use"] == 1
        )
    browse(client_of(cast.clinician), "/")
    with time_machine.travel(timezone.now() + timedelta(days=30), tick=False):
        under(cast, "image-exchange", **{"logs.keep_days": 30})
        assert forget_technical_records()["records_of_use"] == 1


def test_a_policy_that_lists_none_any_more_keeps_none(cast: Cast, client_of: ClientOf) -> None:
    browse(client_of(cast.clinician), "/")
    browse(client_of(cast.stranger), "/")
    under(cast, "image-exchange", optional_events=[])
    assert forget_technical_records()["records_of_use"] == 1
    assert len(uses_of(cast.stranger)) == 1, "another organisation's stay"


def test_a_pseudonym_lasts_four_weeks_and_is_found_again_for_its_owner(
    cast: Cast, client_of: ClientOf
) -> None:
    for later in (0, 28, 56):
        with time_machine.travel(timezone.now() + timedelta(days=later), tick=False):
            browse(client_of(cast.clinician), "/")
            browse(client_of(cast.clinician), "/")
    with time_machine.travel(timezone.now() + timedelta(days=56), tick=False):
        rows = uses_of(cast.clinician)
    assert len(rows) == 6
    assert len({one.pseudonym for one in rows}) == 3


def test_no_week_lies_in_two_periods() -> None:
    for number in range(1, 30):
        first = first_day_of(number)
        assert first.weekday() == 0
        assert {period_of(first + timedelta(days=n)) for n in range(28)} == {number}
        assert period_of(first + timedelta(days=28)) == number + 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "done"), (302, "done"), (400, "input"), (422, "input"), (403, "refused"),
     (404, "missing"), (500, "fault"), (503, "fault")],
)  # fmt: skip
def test_an_answer_is_noted_by_its_class_alone(status: int, outcome: str) -> None:
    assert outcome_of(status) is Outcome(outcome)


def test_quantiles_are_by_nearest_rank() -> None:
    assert quantile([5], 95) == 5
    assert [quantile(list(range(1, 101)), one) for one in (50, 95, 100)] == [50, 95, 100]
    assert quantile([1, 2, 3, 4], 50) == 2
