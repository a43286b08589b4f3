"""Whoever is too young has no account, and nothing of them is kept (C38)."""

from __future__ import annotations

import logging
import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Invitation, User
from accounts.rules import Role
from accounts.rules.ages import age_on, fault_of_birth, is_old_enough
from accounts.services.members import invite_member
from tests.accounts.test_members import age_of
from tests.factories import Cast, actor_of
from tests.policies.packs import under

database = pytest.mark.django_db(databases=["default", "keys"])
TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2013, 11, 26), TODAY, 13),
        (date(2013, 11, 27), TODAY, 12),
        (date(2012, 2, 29), date(2025, 2, 28), 12),
        (date(2012, 2, 29), date(2025, 3, 1), 13),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
    ],
)
def test_years_are_whole(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age
    assert is_old_enough(born, day, youngest=age)
    assert not is_old_enough(born, day, youngest=age + 1)


@given(born=st.dates(date(1901, 1, 1), TODAY), later=st.integers(0, 4000))
def test_nobody_gets_younger(born: date, later: int) -> None:
    day = TODAY + timedelta(days=later)
    assert age_on(born, day) >= age_on(born, TODAY) >= 0


def test_days_that_are_no_birthday_say_why() -> None:
    assert "not come yet" in fault_of_birth(TODAY + timedelta(days=1), TODAY)
    assert "very long ago" in fault_of_birth(date(1900, 1, 1), TODAY)
    assert not fault_of_birth(TODAY, TODAY)


@pytest.fixture
def link(cast: Cast, django_capture_on_commit_callbacks: Any) -> str:
    """An invitation to an organisation with an age for each country."""
    under(cast, "surgical-planning")
    admin = actor_of(cast.administrator)
    assert admin.organisation_id is not None
    with django_capture_on_commit_callbacks(execute=True):
        invite_member(acting=admin, organisation_id=admin.organisation_id,
                      email="young@h.example", roles=[Role.CLINICIAN])  # fmt: skip
    found = re.search(r"/join/\S+", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


def rows() -> dict[str, int]:
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label != "vault"
    }


def years_ago(years: int) -> str:
    today = timezone.localdate()
    return f"{today.year - years}-01-01"


@database
@pytest.mark.parametrize(("age", "country"), [(12, "US"), (12, "DE"), (14, "DE"), (14, "BR")])
def test_of_whoever_is_too_young_nothing_is_kept(
    link: str, caplog: pytest.LogCaptureFixture, age: int, country: str
) -> None:
    """XENRAD-9.2, MEDDIM-10.1, MEDDIM-10.2: 14 is too young in Germany, and not in the US."""
    caplog.set_level(logging.DEBUG)
    client, born, before = Client(), years_ago(age), rows()
    refused = client.post(f"{link}age/", {"born": born, "country": country})
    assert refused.status_code == 403
    said = refused.content.decode()
    assert "You cannot have an account here" in said and born not in said
    assert rows() == before
    assert born not in caplog.text and "collimate_session" not in client.cookies
    assert Invitation.objects.get(accepted_at=None).withdrawn_at is None


@database
def test_fourteen_is_enough_where_the_law_says_thirteen(link: str) -> None:
    assert age_of(Client(), link, years_ago(14), "US")


@database
def test_the_question_is_neutral_and_comes_before_any_field_about_a_person(link: str) -> None:
    client = Client()
    digest = re.search(r'name="read" value="(\w+)"', client.get(link).content.decode())
    assert digest is not None
    page = client.get(link, {"read": digest[1]}).content.decode()
    main = page.partition("<main")[2].partition("</main")[0]
    assert 'name="born"' in main and 'name="name"' not in main
    assert not re.search(r"\b1[3-8]\b|old enough|at least", main)


@database
@pytest.mark.parametrize(
    ("born", "country", "says"),
    [
        ("", "US", "required"), ("2999-01-01", "US", "not come yet"), ("1800-01-01", "US", "Check"),
        ("tomorrow", "US", "valid date"), ("1980-01-01", "", "Choose the country"),
        ("1980-01-01", "XX", "valid choice"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_asked_again(link: str, born: str, country: str, says: str) -> None:
    answer = Client().post(f"{link}age/", {"born": born, "country": country})
    assert answer.status_code == 422 and says in answer.content.decode()
    assert not User.objects.with_email("young@h.example").exists()


@database
def test_a_mark_is_of_one_invitation_and_of_one_hour(link: str) -> None:
    client = Client()
    digest = re.search(r'name="read" value="(\w+)"', client.get(link).content.decode())
    assert digest is not None
    mark = age_of(client, link)
    asked = {"read": digest[1], "age": mark}
    assert 'name="password"' in client.get(link, asked).content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert 'name="password"' not in client.get(link, asked).content.decode()
    assert 'name="password"' not in client.get(link, asked | {"age": f"{mark}x"}).content.decode()
    assert client.post("/join/forged/age/", {"born": "1980-01-01"}).status_code == 410
