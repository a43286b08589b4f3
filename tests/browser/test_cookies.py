"""What a browser really gets and keeps is what the register says: nothing more, nothing less."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from accounts.rules import PUBLIC_COMPUTER_LIMITS
from policies.rules.cookies import REGISTER, Place, item_named
from tests.browser.conftest import CLINICIAN, Site, Visit, Visitor
from tests.browser.test_pages import PLACES
from tests.browser.test_viewer import lit_pixels, study_named
from tests.running import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.pages]

SIGNED_OUT = ["/sign-in/", "/cookies/", "/leaving/?to=gpc", "/password/forgot/", "/outbox/"]
SIGNED_IN = {
    CLINICIAN: ["/notifications/", "/account/messages/", "/cookies/", "/factors/", "/nowhere/"],
    "admin@hospital.example": [
        "/members/",
        "/members/invite/",
        "/campaigns/",
        "/organisation/use/",
        "/organisation/support/",
        "/consent/account/purposes/",
    ],
    "officer@hospital.example": ["/audit/", "/consent/"],
    "patient@home.example": ["/my/"],
}
STORED = """async () => ({
  // In the viewer the one stands for the other.
  'local storage': localStorage === sessionStorage ? [] : Object.keys(localStorage),
  'session storage': Object.keys(sessionStorage),
  'database of the browser': [
    ...(await indexedDB.databases()).map((one) => one.name), ...(await caches.keys())],
})"""


@dataclass
class Crawl:
    """What came with the answers, and what lay in the browser afterwards."""

    visitor: Visitor
    responses: list[Response] = field(default_factory=list)
    stored: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.visitor.context.on("response", self.keep)

    def keep(self, response: Response) -> None:
        self.responses.append(response)

    def look(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.note(self.visitor.go(path))

    def note(self, page: Page) -> None:
        for place, names in page.evaluate(STORED).items():
            self.stored.setdefault(place, set()).update(names)

    def set_cookies(self) -> list[Morsel[str]]:
        """Every cookie that an answer set, as the header said it; deletions are left out."""
        found: list[Morsel[str]] = []
        for response in self.responses:
            for header in response.header_values("set-cookie"):
                found += SimpleCookie(header).values()
        return [one for one in found if one["max-age"] != "0" and one.value]

    def names(self) -> set[tuple[str, str]]:
        kept = {(Place.COOKIE.value, one["name"]) for one in self.visitor.context.cookies()}
        kept |= {(Place.COOKIE.value, one.key) for one in self.set_cookies()}
        return kept | {(place, name) for place, names in self.stored.items() for name in names}


def test_what_lies_in_the_browser_is_what_the_register_says(visit: Visit) -> None:
    """XENRAD-2.18, LIFEIMAGE-3.7, 15.7, 15.8, 15.9, XENRAD-2.16, MEDDIM-2.12."""
    found: set[tuple[str, str]] = set()
    crawls = [Crawl(visit())]
    crawls[0].look(SIGNED_OUT)
    for email, paths in SIGNED_IN.items():
        crawl = Crawl(visit())
        crawl.visitor.sign_in(email)
        crawl.look(paths)
        crawls.append(crawl)
    clinician = crawls[1]
    clinician.look(where(clinician.visitor) for where in PLACES.values())
    opens_the_viewer(clinician)
    for crawl in crawls:
        found |= crawl.names()
        for cookie in crawl.set_cookies():
            is_as_registered(cookie)
        no_script_sees_the_session(crawl.visitor.page)
        assert crawl.visitor.foreign_requests() == set(), "nothing leaves this host"
    assert found == {(item.place.value, item.name) for item in REGISTER}


def opens_the_viewer(crawl: Crawl) -> None:
    study = study_named(crawl.visitor, "Adler")
    page = crawl.visitor.go(f"/viewer/viewer?StudyInstanceUIDs={study}")
    assert lit_pixels(page) >= 300
    crawl.note(page)
    crawl.look(["/cookies/"])  # where the true local storage is seen


def is_as_registered(cookie: Morsel[str]) -> None:
    item = item_named(cookie.key)
    assert item is not None, f"{cookie.key} is not in the register"
    assert not cookie["domain"], "for this host only"
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert bool(cookie["httponly"]) == item.hidden_from_scripts
    if item.lifetime is None:
        assert (cookie["max-age"], cookie["expires"]) == ("", "")
    else:
        assert timedelta(seconds=int(cookie["max-age"])) == item.lifetime
    says_nothing_of_anybody(cookie.value)


def says_nothing_of_anybody(value: str) -> None:
    """A random number of letters and digits, also if it is taken for an encoding."""
    assert value.isascii() and value.isalnum() and 32 <= len(value) <= 64
    decoded = b""
    with suppress(ValueError):
        decoded = base64.b64decode(value + "=" * (-len(value) % 4))
    for word in (b"hospital", b"example", b"Reyes", b"user", b"email"):
        assert word not in decoded


def no_script_sees_the_session(page: Page) -> None:
    """LIFEIMAGE-15.9."""
    seen = page.evaluate("() => document.cookie")
    names = {one.partition("=")[0].strip() for one in seen.split(";")}
    assert names <= {item.name for item in REGISTER if not item.hidden_from_scripts}


def test_with_all_but_its_own_cookies_refused_the_portal_works(visit: Visit) -> None:
    """MEDDIM-7.3: there are no others, so that signing in and looking need no more."""
    clinician = visit(CLINICIAN)
    assert {one["name"] for one in clinician.context.cookies()} <= {
        item.name for item in REGISTER if item.purpose == "security"
    }
    assert clinician.go("/").locator("tbody th a").count() > 0


def test_a_name_that_was_searched_for_is_kept_nowhere_in_the_browser(visit: Visit) -> None:
    """MEDDIM-2.9."""
    page = visit(CLINICIAN).go("/?name=Adler")
    assert page.locator("tbody th a").count() > 0
    kept = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "Adler" not in kept


# Signing in by hand -------------------------------------------------------------------------------
PASSWORD = "quite a long sentence indeed"
PREPARE = """
import json
from accounts.models import User
from accounts.models import Authenticator
user = User.objects.with_email({email!r}).get()
user.set_password({password!r}); user.save()
device = Authenticator.objects.create(user=user, name="app", confirmed=True)
print(json.dumps(device.seed))
"""


@pytest.fixture(scope="module")
def device_key(site: Site) -> bytes:
    """Give a member of the demonstration a password and an authenticator app."""
    code = PREPARE.format(email="vet@practice.example", password=PASSWORD)
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT, env=site.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return bytes.fromhex(json.loads(done.stdout.strip().splitlines()[-1]))


def sign_in_by_hand(visitor: Visitor, key: bytes, *, shared: bool) -> Page:
    page = visitor.go("/sign-in/")
    page.fill("[name=email]", "vet@practice.example")
    page.fill("[name=password]", PASSWORD)
    if shared:
        page.check("[name=public_computer]")
    page.click("main form button.button")
    for _ in range(3):
        page.fill("[name=code]", f"{totp(key):06d}")
        # A click alone does not wait, and the page that is left has no name of the signed-in.
        with page.expect_navigation():
            page.click("main form.panel button.button")
        if page.locator(".whoami").count():
            return page
        # A code opens once; the next one comes within half a minute.
        time.sleep(30 - time.time() % 30 + 0.5)
    pytest.fail("the code was not taken")


@pytest.mark.slow
def test_a_shared_computer_keeps_nothing(visit: Visit, device_key: bytes) -> None:
    """LIFEIMAGE-15.11: no persistent cookie, a short session, and all of it cleared at the end."""
    crawl = Crawl(visit())
    page = sign_in_by_hand(crawl.visitor, device_key, shared=True)
    for cookie in crawl.set_cookies():
        assert (cookie["max-age"], cookie["expires"]) == ("", ""), cookie.key
    assert {one["expires"] for one in crawl.visitor.context.cookies()} == {-1}
    assert PUBLIC_COMPUTER_LIMITS.idle <= timedelta(minutes=5)
    page.evaluate("() => localStorage.setItem('left', 'behind')")
    with page.expect_response("**/sign-out/") as left:
        page.click(".whoami button")
    assert left.value.header_value("clear-site-data") == '"cache", "cookies", "storage"'
    expect(page.locator("main")).to_contain_text("You are signed out.")
    assert page.evaluate("() => localStorage.length") == 0
    kept = {one["name"] for one in crawl.visitor.context.cookies()}
    assert "collimate_session" not in kept


@pytest.mark.slow
def test_a_computer_of_ones_own_keeps_the_session_as_long_as_the_register_says(
    visit: Visit, device_key: bytes
) -> None:
    """LIFEIMAGE-15.8: the persistent cookie's lifetime equals the register."""
    visitor = visit()
    page = sign_in_by_hand(visitor, device_key, shared=False)
    cookie = next(one for one in visitor.context.cookies() if one["name"] == "collimate_session")
    item = item_named("collimate_session")
    assert item is not None and item.lifetime is not None
    lasts = timedelta(seconds=cookie["expires"] - time.time())
    assert abs(lasts - item.lifetime) < timedelta(minutes=2)
    with page.expect_response("**/sign-out/") as left:
        page.click(".whoami button")
    assert left.value.header_value("clear-site-data") == '"cookies", "storage"'


# Without cookies ----------------------------------------------------------------------------------
@pytest.fixture
def without_cookies(browser: Browser, chromium: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """A Chromium whose owner has refused all cookies in its settings."""
    settings = tmp_path / "profile" / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    refused = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    settings.write_text(json.dumps(refused), encoding="utf-8")
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
    )
    yield context
    context.close()


def test_signing_in_without_cookies_is_explained(
    site: Site, without_cookies: BrowserContext
) -> None:
    """LIFEIMAGE-15.10: an explanation, not an error, and no way round in circles."""
    page = without_cookies.pages[0] if without_cookies.pages else without_cookies.new_page()
    page.goto(f"{site.address}/sign-in/")
    page.fill("[name=email]", "vet@practice.example")
    page.fill("[name=password]", PASSWORD)
    page.click("main form button.button")
    assert without_cookies.cookies() == []
    expect(page.locator("h1")).to_have_text("Your browser sends no cookies")
    page.click("main >> text=Which ones")
    expect(page.locator("main")).to_contain_text("You can remove cookies in your browser")


# Links that lead out ------------------------------------------------------------------------------
def test_a_link_out_is_announced_and_takes_nothing_along(visit: Visit) -> None:
    """MEDDIM-11.1, 11.2, LIFEIMAGE-8.2, 8.3, 8.4: no Referer, no cookie, no id."""
    clinician = visit(CLINICIAN)
    went: list[dict[str, str]] = []

    def answer(route) -> None:
        went.append({"url": route.request.url, **route.request.all_headers()})
        route.fulfill(body="<h1>Elsewhere</h1>", content_type="text/html")

    clinician.context.route("https://support.mozilla.org/**", answer)
    page = clinician.go("/cookies/")
    page.click("main a:has-text('Firefox')")
    expect(page.locator("h1")).to_have_text("You are about to leave this portal")
    main = page.locator("main")
    for said in ("support.mozilla.org", "do not endorse", "Read its own privacy policy"):
        expect(main).to_contain_text(said)
    assert went == [], "the page is shown before anything is asked of the other site"
    page.click("main a.button")
    expect(page.locator("h1")).to_have_text("Elsewhere")
    (request,) = went
    assert {"referer", "cookie", "origin"} & request.keys() == set()
    assert "?" not in request["url"]
    assert page.evaluate("() => window.opener") is None
