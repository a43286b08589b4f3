"""Somebody else uses an account: it is locked, the officer counts whom it touched, and writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLINICIAN, OFFICER, Visit, check
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: an account is locked in it."""
    with running_portal() as site:
        yield site


def test_a_locked_account_leads_to_letters(visit: Visit) -> None:
    clinician, officer = visit(CLINICIAN, scripts=False), visit(OFFICER, width=390)
    clinician.go("/").locator("main tbody a[href^='/studies/']").first.click()
    page = clinician.go("/account/")
    page.get_by_role("button", name="Somebody else uses my account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is locked")
    expect(clinician.go("/account/")).to_have_url(
        f"{clinician.site.address}/sign-in/?next=/account/"
    )
    page = officer.go("/incidents/")
    page.get_by_role("link", name="Incident 1").click()
    check(page, "incident-new")
    page.get_by_role("link", name="Count whom it touches").click()
    page.get_by_role("button", name="Count").first.click()
    expect(page.locator("[role=status]")).to_contain_text(re.compile(r"New on the list: [1-9]"))
    check(page, "incident-people")
    page.go_back()
    page.go_back()
    page.reload()
    page.get_by_role("link", name="Letters to people").click()
    page.get_by_label("What happened").fill("Somebody used the account of a colleague.")
    page.get_by_label("What we do").fill("The account was locked at once.")
    page.get_by_role("button", name="Keep it").click()
    check(page, "incident-letter")
    page.get_by_role("button", name="in the portal").click()
    expect(page.locator("[role=status]")).to_contain_text("still to print and post")
    page.get_by_role("link", name="Print all").click()
    page.get_by_role("button", name="These were posted").click()
    expect(page.locator("[role=status]")).to_contain_text("went out")
    assert officer.faults == []
