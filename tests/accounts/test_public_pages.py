"""The pages about cookies and records, the signals of browsers, and the way out of the portal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import selectors
from accounts.models import Authenticator, SaleOptOut, User
from accounts.rules.tracking import SignalFlags
from audit.models import Event
from policies.rules.cookies import REGISTER
from policies.rules.links import LINKS
from policies.rules.logs import LOGS
from tests.accounts.test_sign_in import PASSWORD, SIGN_IN, device, sign_in, user
from tests.factories import Cast

__all__ = ["device", "user"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_the_page_lists_everything_that_the_registers_hold(client: Client) -> None:
    """LIFEIMAGE-15.1: each technique with its implication; MEDDIM-2.6: field by field."""
    page = client.get("/cookies/")
    text = page.content.decode().replace("&#x27;", "'")
    for item in REGISTER:
        assert f"<code>{item.name}</code>" in text
        assert item.explanation in text and item.implication in text
    for log in LOGS:
        assert log.technique in text and log.implication in text and log.kept_words in text
        for field in log.fields:
            assert f"<code>{field.name}</code>" in text
    for kind in ("Session cookies", "Persistent cookies", "You can remove cookies"):
        assert kind in text


# Signals ------------------------------------------------------------------------------------------
def test_gpc_of_a_signed_in_person_is_kept_and_shown_and_recorded_once(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """MEDDIM-7.16: stored and shown, without asking who they are again."""
    client = client_of(cast.patient)
    for _ in range(3):
        assert client.get("/account/", headers={"sec-gpc": "1"}).status_code == 200
    row = SaleOptOut.objects.get()
    assert (row.user, row.source) == (cast.patient, "gpc")
    assert Event.objects.filter(action="signal.recorded", reason="gpc").count() == 1
    other = client_of(cast.patient)
    page = other.get("/account/messages/", headers={"sec-gpc": "1"}).content.decode()
    assert "opted out" in page and "Global Privacy Control" in page
    assert Event.objects.filter(action="signal.recorded").count() == 1
    # It lasts when the browser no longer says so.
    assert b"opted out" in client_of(cast.patient).get("/account/messages/").content


def test_dnt_is_read_and_by_default_nothing_follows(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """MEDDIM-7.4: with the flag false, DNT: 1 behaves the same, and the notice says so."""
    client = client_of(cast.patient)
    said = client.get("/cookies/", headers={"dnt": "1"}).content.decode()
    assert "Do Not Track (DNT) signals are not acted on" in said
    assert not SaleOptOut.objects.exists()


def test_dnt_counts_where_the_policy_says_so(
    cast: Cast, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MEDDIM-9.1: the flag turns behaviour and statement together."""
    for place in ("accounts.middleware", "accounts.views.public"):
        monkeypatch.setattr(f"{place}.signal_flags", lambda _: SignalFlags(gpc=True, dnt=True))
    said = client_of(cast.patient).get("/cookies/", headers={"dnt": "1"}).content.decode()
    assert "not acted on" not in said
    assert SaleOptOut.objects.get().source == "dnt"
    assert selectors.signal_flags(None) == SignalFlags(gpc=True, dnt=False), "the default"


def test_a_signal_of_nobody_is_shown_and_not_kept(client: Client) -> None:
    page = client.get("/cookies/", headers={"sec-gpc": "1"}).content.decode()
    assert '<span class="badge badge-good">on</span>' in page
    assert not SaleOptOut.objects.exists()
    assert not Event.objects.exists()


def test_every_answer_forbids_to_ask_for_place_camera_and_microphone(client: Client) -> None:
    """MEDDIM-2.8, XENRAD-2.15."""
    for path in ("/sign-in/", "/nowhere/", "/healthz", "/dicom-web/studies"):
        header = client.get(path)["Permissions-Policy"]
        for feature in ("geolocation=()", "camera=()", "microphone=()", "browsing-topics=()"):
            assert feature in header


# Without cookies, and leaving a computer ----------------------------------------------------------
def test_without_cookies_a_sign_in_is_explained_and_the_password_not_looked_at(
    user: User,
) -> None:
    """LIFEIMAGE-15.10."""
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(SIGN_IN, {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert b"Your browser sends no cookies" in answer.content
    assert b"/cookies/" in answer.content
    assert not Event.objects.exists()


def test_a_form_of_another_visit_is_explained_as_such(user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.get(SIGN_IN)
    answer = browser.post(SIGN_IN, {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert b"This page was open too long" in answer.content


@pytest.mark.parametrize(
    ("more", "cleared"),
    [
        ({"public_computer": "on"}, '"cache", "cookies", "storage"'),
        ({}, '"cookies", "storage"'),
    ],
)
def test_signing_out_has_the_browser_forget(
    client: Client, device: Authenticator, more: dict[str, str], cleared: str
) -> None:
    """LIFEIMAGE-15.11."""
    sign_in(client, device, **more)
    answer = client.post("/sign-out/")
    assert answer["Clear-Site-Data"] == cleared
    assert b"You are signed out." in client.get(answer["Location"]).content
    assert "You are signed out." not in Client().get(SIGN_IN).content.decode()


def test_on_a_shared_computer_no_cookie_lasts_from_the_first_page_on(
    client: Client, device: Authenticator
) -> None:
    """LIFEIMAGE-15.11."""
    client.get(SIGN_IN)
    answer = client.post(
        SIGN_IN, {"email": "c@h.example", "password": PASSWORD, "public_computer": "on"}
    )
    assert answer.status_code == 302
    assert {one["max-age"] for one in client.cookies.values()} == {""}
    assert {one["expires"] for one in client.cookies.values()} == {""}


# Leaving ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("link", LINKS, ids=lambda one: one.code)
def test_the_page_on_the_way_out_names_the_host_and_takes_no_responsibility(
    client: Client, link: object
) -> None:
    """MEDDIM-11.1, MEDDIM-11.2, LIFEIMAGE-8.1, LIFEIMAGE-8.3, LIFEIMAGE-8.4."""
    page = client.get("/leaving/", {"to": link.code})  # type: ignore[attr-defined]
    text = page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    for said in (
        link.host, "do not endorse", "not responsible", "does not apply there",  # type: ignore[attr-defined]
        "Read its own privacy policy",
    ):  # fmt: skip
        assert said in text
    outside = [line for line in text.splitlines() if 'href="https://' in line]
    assert outside
    for line in outside:
        assert line.count('rel="noopener noreferrer external"') == line.count('href="https://')
    assert (link.privacy_url in text) is True  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "to", ["", "nowhere", "https://evil.example/", "//evil.example", LINKS[0].url]
)
def test_only_what_is_registered_can_be_gone_to(client: Client, to: str) -> None:
    """No open redirect."""
    assert client.get("/leaving/", {"to": to}).status_code == 404
