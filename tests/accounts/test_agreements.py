"""Agreements: when they hold, who is told of changes, and what ends with them (C11, C12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.gateways.post import MailFailed
from accounts.models import Agreement, AgreementNotice, Notification, Organisation
from accounts.rules.agreements import AgreementKind, AgreementState, Term, has_lapsed
from accounts.selectors.agreements import contacts_of
from accounts.services.agreements import (
    TELL,
    AgreementRefused,
    Terms,
    end_agreement,
    record_agreement,
    store_agreement,
)
from accounts.services.policy import withdraw_version
from audit.models import Event
from jobs.models import Job
from jobs.services import run_job
from policies.models import PolicyVersion
from policies.rules.categories import Category
from policies.rules.gate import PurposeRefused, enter_use, resume_use, using
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

DAY = date(2026, 11, 26)
ONE_DAY = timedelta(days=1)


def terms(**more: object) -> Terms:
    made = Terms(
        kind=AgreementKind.ASSOCIATE,
        party="Isartor GmbH",
        contact="contracts@isartor.example",
        reference="C-2026-14",
        starts_on=timezone.localdate() - timedelta(days=10),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def tell() -> list[str]:
    """Run what tells partners; give the addresses that were written to."""
    before = len(mail.outbox)
    for job in Job.objects.filter(kind=TELL):
        run_job(job_id=job.pk)
    return sorted(letter.to[0] for letter in mail.outbox[before:])


# When an agreement holds -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("term", "state"),
    [
        (Term(DAY), AgreementState.IN_FORCE),
        (Term(DAY, DAY), AgreementState.IN_FORCE),
        (Term(DAY + ONE_DAY), AgreementState.COMING),
        (Term(DAY - ONE_DAY, DAY - ONE_DAY), AgreementState.EXPIRED),
        (Term(DAY - ONE_DAY, None, DAY), AgreementState.ENDED),
        (Term(DAY - ONE_DAY, None, DAY + ONE_DAY), AgreementState.IN_FORCE),
        (Term(DAY + ONE_DAY, None, DAY), AgreementState.ENDED),
    ],
)
def test_an_agreement_holds_from_its_first_to_its_last_day(
    term: Term, state: AgreementState
) -> None:
    assert term.state(DAY) is state


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(st.lists(st.builds(Term, days, st.none() | days, st.none() | days)), days)
def test_nothing_has_lapsed_while_one_agreement_holds(terms_: list[Term], on: date) -> None:
    if any(term.holds(on) for term in terms_) or not terms_:
        assert not has_lapsed(terms_, on)
    if has_lapsed(terms_, on):
        assert any(
            term.state(on) in {AgreementState.EXPIRED, AgreementState.ENDED} for term in terms_
        )


# Who may ------------------------------------------------------------------------------------------
def test_an_administrator_records_and_ends_one(cast: Cast) -> None:
    admin = actor_of(cast.administrator)
    made = record_agreement(acting=admin, terms=terms())
    end_agreement(acting=admin, agreement=made)
    end_agreement(acting=admin, agreement=made)
    made.refresh_from_db()
    assert made.ended_on == timezone.localdate()
    actions = Event.objects.filter(target_id=str(made.pk)).values_list("action", flat=True)
    assert sorted(actions) == ["agreement.ended", "agreement.recorded"]


@pytest.mark.parametrize("who", ["clinician", "officer", "auditor"])
def test_nobody_else_does(cast: Cast, who: str) -> None:
    with pytest.raises(AgreementRefused, match="administrators"):
        record_agreement(acting=actor_of(getattr(cast, who)), terms=terms())
    assert not Agreement.objects.filter(party="Isartor GmbH").exists()


def test_an_agreement_of_another_organisation_is_not_there(cast: Cast) -> None:
    imaging = Organisation.objects.get(slug="imaging")
    other = store_agreement(organisation_id=imaging.pk, terms=terms(), by=None)
    with pytest.raises(AgreementRefused, match="another organisation"):
        end_agreement(acting=actor_of(cast.administrator), agreement=other)
    browser = signed_in_client(cast.administrator)
    assert b"Isartor GmbH" not in browser.get("/agreements/").content
    assert browser.post(f"/agreements/{other.pk}/end/").status_code == 404
    other.refresh_from_db()
    assert other.ended_on is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ends_on", "2020-01-01", "cannot end before it starts"),
        ("contact", "nobody", "valid email"),
        ("starts_on", "soon", "valid date"),
        ("kind", "handshake", "Select a valid choice"),
        ("partner", "00000000-0000-0000-0000-000000000000", "Select a valid choice"),
        ("party", "", "required"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_recorded(
    cast: Cast, field: str, value: str, said: str
) -> None:
    form = {
        "kind": "associate", "party": "Isartor GmbH", "contact": "a@isartor.example",
        "reference": "C-1", "starts_on": "2026-01-01", "ends_on": "", "partner": "",
    }  # fmt: skip
    answer = signed_in_client(cast.administrator).post("/agreements/new/", form | {field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Agreement.objects.filter(reference="C-1").exists()


def test_the_address_is_sealed(cast: Cast) -> None:
    made = record_agreement(acting=actor_of(cast.administrator), terms=terms())
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_agreement")
        rows = cursor.fetchall()
    assert not any(b"isartor.example" in bytes(str(row), "utf8") for row in rows)
    assert b"isartor.example" not in bytes(made.sealed_contact)
    with using(Purpose.LEGAL_OBLIGATION, Category.PROFESSIONAL):
        assert contacts_of([made]) == {made.pk: "contracts@isartor.example"}


# Who is told --------------------------------------------------------------------------------------
def test_parties_of_agreements_in_force_are_told_and_no_others(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """LIFEIMAGE-14.3: each has a delivery record; an expired agreement has none."""
    admin, today = actor_of(cast.administrator), timezone.localdate()
    imaging = Organisation.objects.get(slug="imaging")
    held = record_agreement(acting=admin, terms=terms(partner_id=imaging.pk))
    expired = record_agreement(
        acting=admin, terms=terms(contact="old@isartor.example", ends_on=today - ONE_DAY)
    )
    coming = record_agreement(
        acting=admin, terms=terms(contact="new@isartor.example", starts_on=today + ONE_DAY)
    )
    version = announced({"consent.share_days_at_most": 90})
    assert tell() == ["contracts@collimate.example", "contracts@isartor.example"]
    notice = AgreementNotice.objects.get(agreement=held)
    assert (notice.version_id, notice.mailed_at is None) == (version.pk, False)
    assert not AgreementNotice.objects.filter(agreement__in=[expired, coming]).exists()
    told = Notification.objects.filter(template="partner-policy-changed")
    assert {row.user.email for row in told} == {"officer@imaging.example"}
    assert (
        signed_in_client(cast["officer@imaging.example"])
        .get("/notice/hospital/versions/")
        .status_code
        == 200
    )
    assert tell() == []
    withdraw_version(acting=admin, version=version)
    assert tell() == ["contracts@collimate.example", "contracts@isartor.example"]


def test_nobody_is_told_where_the_policy_does_not_say_so(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    version = announced({"notice.partners": False})
    # What was promised until now still counts for this change.
    assert AgreementNotice.objects.exists()
    AgreementNotice.objects.all().delete()
    with time_machine.travel(version.effective_at + ONE_DAY):
        announced({"consent.share_days_at_most": 80})
    assert not AgreementNotice.objects.exists()


def test_a_letter_that_is_refused_is_shown_as_such(
    cast: Cast, announced: Callable[..., PolicyVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    announced({"consent.share_days_at_most": 90})

    def refuse(**_: object) -> None:
        raise MailFailed("recipient-refused", final=True)

    monkeypatch.setattr("accounts.services.agreements.send_letter", refuse)
    tell()
    assert AgreementNotice.objects.get().mail_given_up
    page = signed_in_client(cast.administrator).get("/agreements/").content.decode()
    assert "not delivered" in page


# What ends with it --------------------------------------------------------------------------------
def test_what_rests_on_the_contract_is_refused_once_it_ended(cast: Cast) -> None:
    """AVMI-4.2: a warning that blocks, and treatment and rights go on."""
    browser = signed_in_client(cast.administrator)
    assert browser.get("/members/").status_code == 200
    service = Agreement.objects.get(organisation__slug="hospital")
    page = browser.get(f"/agreements/{service.pk}/end/").content.decode()
    assert "Running what was asked for, its records and their quality" in page
    assert "Signing people in" not in page
    assert browser.post(f"/agreements/{service.pk}/end/").status_code == 302
    answer = browser.get("/members/")
    assert answer.status_code == 403
    assert "service agreement" in answer.content.decode()
    assert Event.objects.filter(action="purpose.refused", reason="no-agreement").count() == 1
    assert "has ended" in browser.get("/agreements/").content.decode()
    assert signed_in_client(cast.clinician).get("/").status_code == 200
    assert browser.get("/account/data/").status_code == 200
    # Another hospital's agreement is its own.
    assert signed_in_client(cast["admin@practice.example"]).get("/members/").status_code == 200
    record_agreement(acting=actor_of(cast.administrator), terms=terms(kind=AgreementKind.SERVICE))
    assert browser.get("/members/").status_code == 200


def test_without_any_agreement_it_is_said_and_nothing_stops(cast: Cast) -> None:
    AgreementNotice.objects.all().delete()
    Agreement.objects.filter(organisation__slug="hospital").delete()
    browser = signed_in_client(cast.administrator)
    assert browser.get("/members/").status_code == 200
    assert "no service agreement is recorded" in browser.get("/agreements/").content.decode()


def test_the_list_asks_as_often_however_long_it_is(cast: Cast) -> None:
    admin = actor_of(cast.administrator)
    browser = signed_in_client(cast.administrator)
    browser.get("/agreements/")

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            browser.get("/agreements/")
        return len(found)

    few = asked()
    for number in range(5):
        record_agreement(acting=admin, terms=terms(reference=f"C-{number}"))
    browser.get("/agreements/")
    assert asked() == few


def test_opening_addresses_for_no_purpose_is_refused(cast: Cast) -> None:
    made = record_agreement(acting=actor_of(cast.administrator), terms=terms())
    with resume_use():
        enter_use(None)
        with pytest.raises(PurposeRefused):
            contacts_of([made])
