"""A clinician rejects what was sent by mistake, and an administrator restores it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLINICIAN, Visit, check
from tests.running import Site, running_portal

pytestmark = [pytest.mark.browser, pytest.mark.pages]
ADMIN = "admin@hospital.example"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: what is hidden here is missed by no other test."""
    with running_portal() as site:
        yield site


def test_a_wrong_upload_is_rejected_and_restored(visit: Visit) -> None:
    clinician, admin = visit(CLINICIAN), visit(ADMIN, scripts=False)
    page = clinician.go("/studies/rejected/")
    check(page, "rejected-empty")
    page = clinician.go("/")
    check(page, "worklist-with-rejected")
    link = page.locator("main tbody a[href^='/studies/']").first
    address = link.get_attribute("href") or ""
    link.click()
    check(page, "study-with-reject")
    page.get_by_role("link", name="Reject this upload").click()
    name = page.locator("main p.hint a").inner_text().split(",")[0]
    check(page, "reject")
    page.get_by_role("button", name="Reject and hide it").click()
    expect(page.locator("[role=alert]")).to_contain_text("Choose what is wrong with it")
    page.get_by_label("Something else").check()
    page.get_by_role("button", name="Reject and hide it").click()
    expect(page.locator("[role=alert]")).to_contain_text("Say in the note")
    check(page, "reject-wrong")
    page.get_by_label("They show another patient").check()
    page.get_by_role("textbox", name="Note").fill("Belongs to the patient before her on the list.")
    page.get_by_role("button", name="Reject and hide it").click()
    expect(page.locator("[role=status]")).to_contain_text("Nobody sees it any more")
    expect(page.locator("main")).to_contain_text(name)
    check(page, "rejected-clinician")
    answer = page.goto(clinician.site.address + address)
    assert answer is not None
    assert answer.status == 404
    page = admin.go("/studies/rejected/")
    expect(page.locator("main")).not_to_contain_text(name)
    uid = address.strip("/").split("/")[-1]
    expect(page.locator("main")).to_contain_text(uid)
    page.get_by_label("Number of the study").fill(uid)
    page.get_by_role("button", name="Look at what it does").click()
    expect(page.locator("[role=alert]")).to_contain_text("hidden already")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("[role=status]")).to_contain_text("Restored")
    answer = clinician.page.goto(clinician.site.address + address)
    assert answer is not None
    assert answer.status == 200
    assert clinician.faults == []
    check_admin = visit(ADMIN)
    check(check_admin.go("/studies/rejected/"), "rejected-admin-empty")
    check(check_admin.go(f"{address}reject/"), "reject-admin")
