"""A passkey is registered, opens a session after the password, and proves it anew at step-up.

The ceremonies are Chromium's own, with its virtual authenticator; nothing of them is ours to fake.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Visit, Visitor, accessibility_faults, overflow, shoot
from tests.running import Site

pytestmark = [pytest.mark.browser, pytest.mark.pages]

# Nobody else in these tests signs in as these two.
# The hospital's policy has recovery codes, which come with a first factor.
OWNER, OTHER = "auditor@hospital.example", "admin@practice.example"
PASSWORD = "a sentence that nobody else would say"
SEND_LETTERS = (
    "from jobs.models import Job; from jobs.services import run_job; "
    "[run_job(job_id=one.pk) for one in Job.objects.filter(kind='accounts.send_reset_link')]"
)


class Authenticator:
    """The virtual authenticator of one browser."""

    def __init__(self, visitor: Visitor) -> None:
        self._session: CDPSession = visitor.context.new_cdp_session(visitor.page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        answer = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = answer["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        answer = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        found: list[dict[str, Any]] = answer["credentials"]
        return found

    def take(self, credential: dict[str, Any]) -> None:
        self._session.send(
            "WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential}
        )

    def forget(self) -> None:
        self._session.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


def set_password(site: Site, visitor: Visitor, email: str) -> None:
    """Ask for a link, read the letter, set the password: no demonstration account has one."""
    page = visitor.go("/password/forgot/")
    page.fill("#id_email", email)
    page.click("main form button")
    site.command("shell", "--no-imports", "-c", SEND_LETTERS)
    page = visitor.go("/outbox/")
    # The letters of all; the newest stands first.
    letter = page.locator("article, li, section", has_text=email).first.inner_text()
    link = re.search(r"/password/reset/\S+", letter)
    assert link, letter
    page = visitor.go(link[0])
    page.fill("#id_password", PASSWORD)
    page.click("main form button")
    expect(page).to_have_url(re.compile("/sign-in/"))


def give_password(visitor: Visitor, email: str) -> Page:
    page = visitor.go("/sign-in/")
    page.fill("#id_email", email)
    page.fill("#id_password", PASSWORD)
    page.locator("form", has=page.locator("#id_password")).locator("button").click()
    return page


def session_key(visitor: Visitor) -> str:
    cookies = visitor.context.cookies()
    return next(one["value"] for one in cookies if one["name"] == "collimate_session")


def look(page: Page, name: str) -> None:
    shoot(page, name)
    assert accessibility_faults(page) == [] and overflow(page) <= 0


def test_a_passkey_is_set_up_opens_a_session_and_proves_it_anew(visit: Visit, site: Site):
    owner = visit(OWNER)
    authenticator = Authenticator(owner)
    page = owner.go("/factors/")
    look(page, "passkey-set-up")
    page.click("text=Set up a passkey")
    page.wait_for_url("**/factors/recovery/")
    assert len(authenticator.credentials()) == 1
    expect(owner.go("/account/").locator("main")).to_contain_text("asskey")

    # Signing in: the password alone opens nothing, the passkey does.
    set_password(site, owner, OWNER)
    page = give_password(owner, OWNER)
    page.wait_for_url("**/sign-in/second-factor/")
    look(page, "passkey-second-factor")
    assert owner.go("/account/").url.count("/sign-in/") == 1
    page = owner.go("/sign-in/second-factor/")
    uses = authenticator.credentials()[0]["signCount"]
    page.click("text=Use the passkey")
    page.locator(".whoami").wait_for()
    assert authenticator.credentials()[0]["signCount"] > uses

    # Proving it again, for an act with consequences.
    before = session_key(owner)
    page = owner.go("/sign-in/again/?next=/account/tokens/new/")
    look(page, "passkey-step-up")
    page.click("text=Use the passkey")
    page.wait_for_url(f"{site.address}/account/tokens/new/")
    assert session_key(owner) != before
    assert owner.faults == []


def test_the_passkey_of_one_person_does_not_prove_another(visit: Visit, site: Site):
    first, second = visit(OTHER), visit("vet@practice.example")
    mine = Authenticator(first)
    first.go("/factors/").click("text=Set up a passkey")
    first.page.wait_for_url("**/factors/recovery/")
    theirs = Authenticator(second)
    second.go("/factors/").click("text=Set up a passkey")
    second.page.wait_for_url("**/factors/recovery/")
    # An authenticator that answers with another person's key, under the name that is asked for.
    forged = mine.credentials()[0] | {"credentialId": theirs.credentials()[0]["credentialId"]}
    theirs.forget()
    theirs.take(forged)
    before = session_key(second)
    page = second.go("/sign-in/again/")
    page.click("text=Use the passkey")
    expect(page.locator("[data-passkey] [role=alert]")).to_contain_text("not accepted")
    assert page.url.endswith("/sign-in/again/") and session_key(second) == before
