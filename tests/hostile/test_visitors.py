"""Hostile visitors of the pages: whose session it is, where a link leads, who has an account."""

from __future__ import annotations

import re
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import pytest
import requests

from tests.hostile.conftest import CLINICIAN, COLLEAGUE, UPLOADS, Portal, csrf_field

pytestmark = pytest.mark.slow


def test_a_host_that_is_not_ours_is_refused_and_no_letter_names_one(portal: Portal) -> None:
    with requests.Session() as browser:
        page = browser.get(portal.at("/password/forgot/"))
        form = {"csrfmiddlewaretoken": csrf_field(page.text), "email": CLINICIAN}
        refused = browser.post(page.url, form, headers={"Host": "evil.example"})
        assert refused.status_code == 400
        taken = browser.post(
            page.url,
            form,
            headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
        )
        assert taken.status_code == 200
        # The worker's part: this portal has none.
        portal.site.command("shell", "--no-imports", "-c", SEND_LETTERS)
        letters = browser.get(portal.at("/outbox/")).text
    assert "/password/reset/" in letters and "evil.example" not in letters


def test_whoever_was_refused_may_ask_again_on_the_same_connection(portal: Portal) -> None:
    # Nobody reads the body of a refused request. The next one is answered all the same.
    address = urlsplit(portal.at("/"))
    for _ in range(20):
        with closing(HTTPConnection(str(address.hostname), address.port, timeout=20)) as line:
            line.request("POST", "/password/forgot/", "x" * 200, {"Host": "evil.example"})
            with line.getresponse() as refused:
                assert refused.status == 400 and refused.read()
            same = line.sock
            line.request("GET", "/sign-in/")
            with line.getresponse() as answer:
                assert answer.status == 200 and answer.read()
            assert line.sock is same


SEND_LETTERS = """
from jobs.models import Job
from jobs.services import run_job
for job in Job.objects.filter(kind="accounts.send_reset_link"):
    run_job(job_id=job.pk)
"""


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ],
)
def test_the_way_on_from_signing_in_stays_here(portal: Portal, onward: str) -> None:
    with requests.Session() as browser:
        page = browser.get(portal.at(f"/sign-in/?next={quote(onward)}"))
        assert page.status_code == 200 and 'value="/"' in page.text
        link = portal.link_of(COLLEAGUE)
        page = browser.get(f"{link}?next={quote(onward)}", allow_redirects=False)
        assert page.headers["Location"] == "/"
    for path in ("/sign-in/", "/sign-in/again/demo/"):
        answer = portal.person.post(portal.at(path), data={"next": onward}, allow_redirects=False)
        assert answer.headers["Location"] == "/"


def test_a_session_chosen_by_somebody_else_is_not_the_one_that_is_opened(portal: Portal) -> None:
    link = portal.link_of(COLLEAGUE)
    with requests.Session() as browser:
        browser.cookies.set("collimate_session", "attackerchosen0000000000000000000")
        browser.get(link)
        opened = [one.value for one in browser.cookies if one.name == "collimate_session"]
        assert opened and "attackerchosen0000000000000000000" not in opened[-1:]


def test_a_session_gets_another_key_when_it_is_entered_and_at_step_up(portal: Portal) -> None:
    with requests.Session() as browser:
        browser.get(portal.at("/sign-in/?next=/account/"))
        browser.get(portal.link_of(COLLEAGUE))
        first = browser.cookies["collimate_session"]
        page = browser.get(portal.at("/sign-in/again/"))
        token = csrf_field(page.text)
        browser.post(portal.at("/sign-in/again/demo/"), {"csrfmiddlewaretoken": token})
        second = browser.cookies["collimate_session"]
        assert first != second
    for key in (first, "attackerchosen0000000000000000000"):
        answer = requests.get(
            portal.at("/account/"), cookies={"collimate_session": key}, allow_redirects=False
        )
        assert answer.status_code == 302


def test_a_form_sets_what_it_shows_and_nothing_else(portal: Portal) -> None:
    roles = "SELECT count(*) FROM accounts_membershiprole"
    before = portal.site.count(roles)
    page = portal.person.get(portal.at("/account/"))
    more = {"is_superuser": "on", "is_staff": "on", "roles": "administrator", "role": "admin"}
    form = {"csrfmiddlewaretoken": csrf_field(page.text), "name": "Dr Clara Reyes"}
    portal.person.post(portal.at("/account/"), form | more)
    more_json = {"attested": True, "state": "closed", "organisation": 1, "accepted": 9, **more}
    answer = portal.person.post(portal.at(UPLOADS), json=more_json)
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["accepted"]) == ("open", 0)
    assert portal.site.count(roles) == before


def attempt(portal: Portal, path: str, email: str) -> tuple[int, str]:
    """Try once, in a browser of its own; give status and page without what differs by chance."""
    with requests.Session() as browser:
        page = browser.get(portal.at(path))
        form = {
            "csrfmiddlewaretoken": csrf_field(page.text),
            "email": email,
            "password": "not the right one at all",
        }
        answer = browser.post(portal.at(path), form)
    text = re.sub(r"[A-Za-z0-9]{64}|/sign-in/demo/[^\"]+", "", answer.text)
    return answer.status_code, text.replace(f'value="{email}"', "")


@pytest.mark.parametrize("path", ["/sign-in/", "/password/forgot/"])
def test_nobody_learns_who_has_an_account(portal: Portal, path: str) -> None:
    known = attempt(portal, path, "officer@hospital.example")
    assert known[0] in {200, 422}
    assert attempt(portal, path, "nobody.x@hospital.example") == known


def test_too_many_tries_look_the_same_for_everybody(portal: Portal) -> None:
    tries = {
        email: [attempt(portal, "/sign-in/", email) for _ in range(10)]
        for email in ("auditor@hospital.example", "nobody.y@hospital.example")
    }
    first, second = tries.values()
    assert first == second and first[-1][0] == 429
