"""Images released without their patient, in a browser: from the worklist to the signed report."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COLLEAGUE, Visit, Visitor, check, work
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
OFFICER = "officer@imaging.example"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_portal() as site:
        yield site


def begin(visitor: Visitor, title: str) -> Page:
    """Begin a project; returns its page."""
    page = visitor.go("/releases/")
    page.get_by_role("link", name="Begin a project").click()
    check(page, "release-new")
    page.get_by_label("Title").fill(title)
    page.get_by_text("Training that makes").or_(page.get_by_text("Training of software")).check()
    page.get_by_label("Ethics review").fill("EK-2026-17")
    page.get_by_label("Last day").fill("2090-01-01")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[role=status]")).to_contain_text("Begun")
    return page


def test_from_the_worklist_to_the_signed_report(visit: Visit) -> None:
    doctor, officer = visit(COLLEAGUE), visit(OFFICER)
    page = begin(doctor, "Carotid arteries")
    project = page.url.removeprefix(doctor.site.address)

    # Into the project, from the worklist.
    doctor.go("/?modality=US")
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Release without the patient").click()
    check(page, "release-add")
    page.get_by_role("button", name="Put it in").click()
    expect(page.locator("[role=status]")).to_contain_text("1 study is in the project now")
    check(page, "release-draft")
    page.get_by_role("link", name="Ask for approval").click()
    page.get_by_role("button", name="Ask the privacy officers").click()
    expect(page.locator("[role=status]")).to_contain_text("Asked.")

    # Signed off by an officer; made by a worker.
    page = officer.go("/notifications/")
    expect(page.locator(".unread")).to_contain_text("A release project waits for approval")
    page.locator(".unread").get_by_role("button", name="Open").click()
    page.get_by_role("link", name="Approve").click()
    check(page, "release-approve")
    page.get_by_role("button", name="Approve and de-identify").click()
    check(page, "release-building")
    work(officer.site, "releases.")
    page = officer.go(project)
    expect(page.locator("main")).to_contain_text("A clinician compares before and after first")
    expect(page.get_by_role("link", name="Release", exact=True)).to_have_count(0)

    # Looked at by a clinician: what stood in the pixels is black.
    page = doctor.go(project)
    page.get_by_role("link", name="Compare before and after").click()
    page.wait_for_function("() => [...document.images].every((one) => one.naturalWidth > 0)")
    check(page, "release-review")
    page.locator(".pair a").first.click()
    expect(page.locator("figure img")).to_have_count(24)
    check(page, "release-compare")
    page.get_by_role("button", name="It may go out").click()
    expect(page.locator("[role=status]")).to_contain_text("1 object: may go out")

    # Released, with a report that anybody can check.
    page = officer.go(project)
    check(page, "release-ready")
    page.locator("main").get_by_role("link", name="Release", exact=True).click()
    check(page, "release-release")
    page.get_by_role("button", name="Release").click()
    expect(page.locator("[role=status]")).to_contain_text("Released, with a signed report")
    page = doctor.go(project)
    page.get_by_role("link", name="Report and download").click()
    expect(page.locator("main")).to_contain_text("The portal's key signed exactly this report.")
    check(page, "release-report")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download all").click()
    archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
    names = [name for name in archive.namelist() if name.endswith(".dcm")]
    assert len(names) == 1
    assert b"Brandt" not in archive.read(names[0])
    pseudonym = names[0].partition("/")[0]

    # The way back, and its end.
    page = officer.go(f"{project}links/")
    page.get_by_label("Pseudonym").fill(pseudonym)
    page.get_by_text("A finding that the patient should know of").click()
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("#found")).to_contain_text("Brandt")
    check(page, "release-link")
    page = officer.go(f"{project}end/")
    check(page, "release-end")
    page.get_by_role("button", name="End the project").click()
    expect(page.locator("[role=status]")).to_contain_text("Ended.")
    work(officer.site, "releases.")
    page = officer.go(project)
    expect(page.locator("main")).to_contain_text("The way back to the people is destroyed")
    check(page, "release-ended")
    assert re.search(r"Ended", officer.go("/releases/").locator("main").inner_text())
    assert not doctor.faults + officer.faults
    assert not doctor.foreign_requests() | officer.foreign_requests()


def test_a_project_is_put_together_without_scripts(visit: Visit) -> None:
    doctor = visit(COLLEAGUE, scripts=False, width=390)
    page = doctor.go("/releases/new/")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[role=alert]")).to_contain_text("Please look at this again")
    page.get_by_label("Title").fill("Heads")
    page.locator("[name=purpose]").first.check()
    page.get_by_label("Ethics review").fill("EK-2026-18")
    page.get_by_label("Last day").fill("2090-01-01")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="Put studies in").click()
    page.get_by_role("button", name="Put the ticked ones in").click()
    expect(page.locator(".messages, [role=status], [role=alert]").first).to_contain_text("Tick")
    page.locator("[name=study]").first.check()
    page.get_by_role("button", name="Put the ticked ones in").click()
    expect(page.locator("main")).to_contain_text("1 study is in it")
    page.get_by_role("button", name="Take out").click()
    expect(page.locator("main")).to_contain_text("Put studies in")
