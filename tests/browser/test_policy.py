"""The policy in a browser: changed, announced, acknowledged, read and answered.

And every page of it on a small screen, in light and dark, by axe, and without scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import (
    CLINICIAN,
    Visit,
    Visitor,
    accessibility_faults,
    overflow,
    shoot,
)
from tests.running import Site, running_portal

pytestmark = [pytest.mark.browser, pytest.mark.pages]
ADMINISTRATOR, AUDITOR = "admin@hospital.example", "auditor@hospital.example"
POLICY = "/governance/policy/"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: a change of policy would meet the other journeys half-way."""
    with running_portal() as site:
        yield site


def prove_again(page: Page) -> None:
    """Posting needs a fresh second factor; the demonstration's accounts have a button for it."""
    if "/sign-in/again/" in page.url:
        page.locator("form[action*='demo'] button").click()


def draft(visitor: Visitor, days: int) -> Page:
    """Change the longest share in the draft."""
    page = visitor.go(f"{POLICY}parts/sharing/")
    page.get_by_label("Longest share, in days").fill(str(days))
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.locator("h1")).to_have_text("Privacy policy")
    return page


def review(visitor: Visitor) -> Page:
    page = visitor.go(POLICY)
    page.get_by_role("link", name="Review and post").click()
    prove_again(page)
    expect(page.locator("h1")).to_have_text("Review and post")
    return page


def ask_anew(site: Site) -> None:
    """Put the auditor, at the database, where a new version puts everybody when it takes effect.

    Days cannot be waited for in a real browser. What the policy in force asks of whoever has not
    accepted it is the same.
    """
    script = (
        "from accounts.models import Membership, User\n"
        "user = User.objects.with_email('%s').get()\n"
        "Membership.objects.filter(user=user).update(accepted_version_id=None)\n"
    )
    site.command("shell", "-c", script % AUDITOR)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_change_is_drafted_reviewed_posted_announced_and_acknowledged(
    visit: Visit, scripts: bool
) -> None:
    administrator = visit(ADMINISTRATOR, scripts=scripts)
    days = 100 if scripts else 90
    page = draft(administrator, days)
    expect(page.locator("section:has(#draft)")).to_contain_text("Longest share")
    page = review(administrator)
    expect(page.locator("main table")).to_contain_text(f"{days} days")
    expect(page.locator("main table")).to_contain_text("stricter")
    expect(page.locator(".impacts")).to_contain_text(
        "members will be asked to read and accept the new version"
    )
    page.get_by_label("Why the policy changes").fill("Shares should end sooner")
    page.get_by_role("button", name="Post this version").click()
    expect(page.locator("[role=status]").first).to_contain_text("Posted")
    expect(page.locator("section:has(#announced)")).to_contain_text("not in force yet")

    visitor = visit(scripts=scripts)
    page = visitor.go("/notice/hospital/")
    expect(page.locator(".notice-head")).to_contain_text("A new version is posted")
    page.click("text=See what changes")
    expect(page.locator("main")).to_contain_text("Shares should end sooner")
    expect(page.locator("main table")).to_contain_text(f"{days} days")

    clinician = visit(CLINICIAN, scripts=scripts)
    page = clinician.go("/")
    alerts = page.locator(".announcement")
    expect(alerts.last).to_contain_text("The privacy policy of your organisation will change")
    for left in range(alerts.count() - 1, -1, -1):
        alerts.first.get_by_role("button", name="I have taken note").click()
        expect(alerts).to_have_count(left)
    expect(clinician.go("/").locator(".announcement")).to_have_count(0)

    page = administrator.go(POLICY)
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.locator("[role=status]").first).to_contain_text("Withdrawn")
    expect(visitor.go("/notice/hospital/").locator(".notice-head")).not_to_contain_text(
        "A new version is posted"
    )
    for one in (administrator, visitor, clinician):
        assert one.faults == []
        assert one.foreign_requests() == set()
        if scripts:
            assert one.page.evaluate("() => window.violations") == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_policy_is_read_declined_and_accepted(visit: Visit, site: Site, scripts: bool) -> None:
    ask_anew(site)
    auditor = visit(AUDITOR, scripts=scripts)
    page = auditor.go("/audit/")
    expect(page.locator("h1")).to_contain_text("Privacy statement of Hudson Valley Hospital")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("main")).to_contain_text("Tick this to accept, or decline.")
    page.get_by_role("button", name="Decline").click()
    expect(page).to_have_url(re.compile("/policy/declined/"))
    expect(auditor.go("/audit/")).to_have_url(re.compile("/policy/accept/"))
    page.get_by_label("I have read this policy").check()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_contain_text("Trail of")
    assert auditor.faults == []


# On a small screen --------------------------------------------------------------------------------
OF_ANYBODY = {
    "notices": "/notice/",
    "notice": "/notice/hospital/",
    "versions": "/notice/hospital/versions/",
    "version": "/notice/hospital/1/",
}
OF_AN_ADMINISTRATOR = {
    "changes": "/notice/hospital/{revision}/changes/",
    "policy": POLICY,
    **{
        f"part-{slug}": f"{POLICY}parts/{slug}/"
        for slug in (
            "texts", "contact", "role", "purposes", "sharing", "secondary", "accounts",
            "closing", "messages", "keeping", "requests", "notice",
        )
    },
    "record": f"{POLICY}records/purposes/treatment/",
    "record-add": f"{POLICY}records/purposes/",
    "retention": f"{POLICY}records/retention/images/",
    "review": f"{POLICY}review/",
    "text": f"{POLICY}text/",
    "inventory": "/governance/inventory/",
    "inventory-visitor": "/governance/inventory/?about=visitor",
    "notifications": "/notifications/",
    "preferences": "/account/messages/",
    "campaigns": "/campaigns/",
    "trends": "/organisation/use/",
    "support": "/organisation/support/",
    "support-open": "/organisation/support/new/",
    "own-purposes": "/consent/account/purposes/",
    "accepted": "/policy/accept/",
    "declined": "/policy/declined/",
    "close": "/consent/account/close/",
    "factors": "/factors/",
    "step-up": "/sign-in/again/",
}  # fmt: skip


def faults_of(visitor: Visitor, path: str, name: str) -> list[str]:
    page = visitor.go(path)
    if "/sign-in/again/" not in path:
        prove_again(page)
    expect(page.locator("h1")).not_to_have_text("There is nothing here")
    shoot(page, name)
    faults = accessibility_faults(page)
    if overflow(page) > 0:
        faults.append(f"{overflow(page)} px too wide")
    return faults


@pytest.fixture(scope="module")
def announced(site: Site, browser: Browser) -> int:
    """A posted version, and a draft after it; the revision of the former."""
    script = (
        "from accounts.models import User\n"
        "from accounts.selectors import actor_of_user\n"
        "from accounts.services.policy import post_draft, save_draft\n"
        "from dataclasses import replace\n"
        "from django.utils import timezone\n"
        "from policies.rules.categories import Category\n"
        "from policies.rules.gate import enter_use, use\n"
        "from policies.rules.purposes import Purpose\n"
        "enter_use(use(Purpose.OPERATIONS, Category.ACCOUNT))\n"
        "admin = actor_of_user(User.objects.with_email('%s').get())\n"
        "admin = replace(admin, stepped_up_at=timezone.now(), factor='demo')\n"
        "save_draft(acting=admin, changes={'consent.share_days_at_most': 60},"
        " reason='Shares should end sooner')\n"
        "print('revision', post_draft(acting=admin, effective_at=None).revision)\n"
        "save_draft(acting=admin, changes={'session.idle_minutes': 10})\n"
    )
    said = site.command("shell", "-c", script % ADMINISTRATOR).stdout
    return int(said.rsplit("revision", 1)[1].split()[0])


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, True), (390, False)])
def test_every_page_of_the_policy_is_accessible_and_fits(
    visit: Visit, site: Site, announced: int, width: int, dark: bool
) -> None:
    shade = "dark" if dark else "light"
    wrong = {}
    anybody = visit(width=width, dark=dark)
    for name, path in OF_ANYBODY.items():
        if faults := faults_of(anybody, path, f"policy-{name}-{width}-{shade}"):
            wrong[name] = faults
    administrator = visit(ADMINISTRATOR, width=width, dark=dark)
    for name, path in OF_AN_ADMINISTRATOR.items():
        where = path.format(revision=announced)
        if faults := faults_of(administrator, where, f"policy-{name}-{width}-{shade}"):
            wrong[name] = faults
    clinician = visit(CLINICIAN, width=width, dark=dark)
    if faults := faults_of(clinician, "/", f"policy-alert-{width}-{shade}"):
        wrong["alert"] = faults
    ask_anew(site)
    auditor = visit(AUDITOR, width=width, dark=dark)
    if faults := faults_of(auditor, "/policy/accept/", f"policy-accept-{width}-{shade}"):
        wrong["accept"] = faults
    assert wrong == {}
    for one in (anybody, administrator, clinician, auditor):
        assert one.faults == []


def test_every_page_of_the_policy_works_without_scripts(visit: Visit, announced: int) -> None:
    """Forms save, and say what is wrong, in a browser that runs none."""
    administrator = visit(ADMINISTRATOR, scripts=False)
    for path in OF_AN_ADMINISTRATOR.values():
        page = administrator.go(path.format(revision=announced))
        expect(page.locator("h1")).to_be_visible()
    page = administrator.go(f"{POLICY}parts/sharing/")
    page.get_by_label("Longest share, in days").fill("0")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.locator("main")).to_contain_text("greater than or equal to 1")
    page = administrator.go(f"{POLICY}records/purposes/treatment/")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.locator("h1")).to_have_text("Purposes")
    page = administrator.go(f"{POLICY}text/")
    page.locator("textarea").fill("frobnicate: 1")
    page.locator("main form button").first.click()
    expect(page.locator("main")).to_contain_text("is no key of a policy")
    page = administrator.go("/account/messages/")
    page.locator("main form button").first.click()
    expect(page.locator("[role=status]").first).to_be_visible()
