"""An operator sets up an organisation; its first people come in by their mail and go on alone."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client, TestCase
from django_otp.oath import totp

from accounts.models import (
    Agreement,
    Authenticator,
    Invitation,
    Membership,
    Organisation,
    User,
)
from accounts.rules import Role
from accounts.services.members import MembershipRefused, invite_first
from audit.models import Event
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from tests.factories import Cast

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ANSWERS = {
    "name": "St Mary's", "kind": "hospital", "country": "us", "state": "ny", "region": "us",
    "pack": "image-exchange", "address": "St Mary's, 1 Hill Road, Ossining, NY 10562",
    "administrator": "ada@st-mary.example", "officer": "ola@st-mary.example",
    "officer_name": "Ola Ng", "agreement": "RUN-1", "agreement_with": "Whoever runs it",
    "agreement_contact": "contracts@runner.example",
}  # fmt: skip
PASSWORD = "a long enough sentence"


def found(**changes: Any) -> str:
    said = io.StringIO()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in (ANSWERS | changes).items()]
    with TestCase.captureOnCommitCallbacks(execute=True):
        call_command("create_organisation", "st-mary", *options, stdout=said)
    return said.getvalue()


@pytest.fixture(autouse=True)
def mailed(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def join(email: str, name: str) -> Client:
    """Do what the mail asks for: read, say one's age, set a password, set up a second factor."""
    (letter,) = [one for one in mail.outbox if one.to == [email]]
    link, browser = re.search(r"/join/\S+", str(letter.body))[0], Client()
    digest = re.search(r'name="read" value="(\w+)"', browser.get(link).content.decode())[1]
    went_on = browser.post(f"{link}age/", {"born": "1980-05-01", "country": "US"})
    age = dict(parse_qsl(urlsplit(went_on["Location"]).query))["age"]
    data = {"name": name, "password": PASSWORD, "digest": digest, "age": age, "accepts": "on"}
    assert browser.post(link, data)["Location"] == "/sign-in/"
    browser.post("/sign-in/", {"email": email, "password": PASSWORD})
    assert browser.get("/sign-in/second-factor/")["Location"] == "/factors/"
    browser.get("/factors/app/")
    device = Authenticator.objects.get(user=User.objects.with_email(email).get())
    with using(Purpose.AUTHENTICATION, Category.CREDENTIALS):
        code = f"{totp(device.bin_key):06d}"
    assert browser.post("/factors/app/", {"code": code})["Location"] == "/factors/recovery/"
    return browser


def test_two_people_come_in_by_their_mail_and_invite_a_clinician() -> None:
    said = found()
    assert "ada@st-mary.example, as administrator" in said
    assert "ola@st-mary.example, as officer" in said
    organisation = Organisation.objects.get(slug="st-mary")
    assert (organisation.country, organisation.state) == ("US", "NY")
    pack = effective_pack(organisation.pk)
    assert pack["contact.officer"] == "Ola Ng"
    assert pack["contact.email"] == "ola@st-mary.example"
    assert Agreement.objects.get(organisation=organisation).reference == "RUN-1"
    assert Event.objects.get(action="organisation.founded").details["pack"] == "image-exchange"
    assert "Ola Ng" in Client().get("/notice/st-mary/").content.decode()

    administrator = join("ada@st-mary.example", "Ada Park")
    join("ola@st-mary.example", "Ola Ng")
    roles = {row.role for one in Membership.objects.all() for row in one.roles.all()}
    assert roles == {Role.ADMINISTRATOR, Role.OFFICER}
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = administrator.post(
            "/members/invite/", {"email": "cleo@st-mary.example", "roles": ["clinician"]}
        )
    assert answer.status_code == 302
    clinician = join("cleo@st-mary.example", "Dr Cleo Wu")
    assert clinician.get("/").status_code == 200
    assert clinician.get("/studies/new/").status_code == 200


def test_one_person_can_be_both() -> None:
    found(officer="Ada@st-mary.example")
    assert [one.to for one in mail.outbox] == [["ada@st-mary.example"]]
    assert Invitation.objects.get().roles == ["administrator", "officer"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"country": "usa"}, "country: "),
        ({"officer": "ola@"}, "ola@: this is no e-mail address"),
        ({"address": "[address of the hospital]"}, "contact.address: "),
        ({"name": ""}, "name: This field cannot be blank"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_set_up(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(CommandError) as refused:
        found(**wrong)
    assert str(refused.value).startswith("Nothing was set up.")
    assert says in str(refused.value)
    assert not Organisation.objects.exists()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_a_second_one_of_the_name_is_refused_and_the_first_stays() -> None:
    found()
    with pytest.raises(CommandError, match="already exists"):
        found(name="Another")
    assert Organisation.objects.get().name == "St Mary's"
    assert len(mail.outbox) == 2


def test_nobody_is_invited_past_those_who_are_there(cast: Cast) -> None:
    hospital = Organisation.objects.get(slug="hospital")
    with pytest.raises(MembershipRefused, match="can invite others"):
        invite_first(organisation=hospital, email="x@y.example", roles=[Role.ADMINISTRATOR])
    assert not Invitation.objects.exists()
