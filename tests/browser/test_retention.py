"""Retention in a browser: why a study is kept, a hold, a plan, two approvals, the certificate.

And every page of it on a small screen, in light and dark, by axe; the way itself without scripts.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OFFICER, Visit, Visitor, accessibility_faults, overflow, shoot
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
ADMIN, AUDITOR = "admin@hospital.example", "auditor@hospital.example"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: what is destroyed here is missed by no other test."""
    with running_portal() as site:
        site.command("plan_disposal")
        yield site


def number_of_latest_run(visitor: Visitor) -> str:
    href = visitor.go("/retention/").locator("tbody th a").first.get_attribute("href")
    assert href is not None
    return href


def held_study(visitor: Visitor) -> str:
    """Hold the first study that the plan would destroy; give its number."""
    visitor.go(number_of_latest_run(visitor))
    link = visitor.page.locator("tbody a.uid").first
    uid = link.inner_text()
    link.click()
    visitor.page.get_by_role("link", name="Place a hold").click()
    visitor.page.get_by_label("Matter").fill("File 12, against the hospital")
    visitor.page.get_by_label("Why these records have to stay").fill("A claim was announced.")
    visitor.page.get_by_role("button", name="Place the hold").click()
    expect(visitor.page.locator("main")).to_contain_text("It covers 1 study now")
    return uid


def approve(visitor: Visitor) -> None:
    visitor.go(number_of_latest_run(visitor))
    visitor.page.locator("main").get_by_role("link", name="Approve").click()
    expect(visitor.page.locator("main")).to_contain_text("nobody can open it again")
    visitor.page.get_by_role("button", name="Approve").click()
    expect(visitor.page.locator("[role=status]")).not_to_be_empty()


def test_from_the_plan_to_the_certificate_without_scripts(visit: Visit) -> None:
    officer, admin = visit(OFFICER, scripts=False), visit(ADMIN, scripts=False)
    due = officer.site.count("SELECT count(*) FROM retention_disposalitem WHERE step = 'planned'")
    studies = officer.site.count("SELECT count(*) FROM studies_study")
    assert due > 2
    uid = held_study(officer)
    approve(officer)
    expect(officer.page.locator("main")).to_contain_text("Somebody else has to as well.")
    approve(admin)
    assert "1 run(s)" not in officer.site.command("run_disposal").stdout
    page = officer.go(number_of_latest_run(officer))
    expect(page.locator("main")).to_contain_text("certificate 1")
    expect(page.locator("main")).to_contain_text("1 study: a hold is on it")
    assert officer.site.count("SELECT count(*) FROM studies_study") == studies - due + 1
    assert officer.go(f"/studies/{uid}/").locator("h1").inner_text()
    certificate = visit(AUDITOR, scripts=False).go("/retention/certificates/1/")
    expect(certificate.locator("main")).to_contain_text("the signature is good")


def begin_draft(admin: Visitor) -> None:
    """Of the policy, so that there is something to compare."""
    page = admin.go("/governance/policy/")
    begin = page.get_by_role("button", name="Start a new version")
    if begin.count():
        begin.click()
    expect(page.get_by_role("link", name="Review and post")).to_be_visible()


def _has_certificate(visit: Visit) -> bool:
    """Has a test before this one, by the same worker, gone all the way?"""
    page = visit(OFFICER).go("/retention/certificates/1/")
    return page.locator("h1").inner_text() != "There is nothing here"


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, True), (1440, False)])
def test_every_page_of_retention_fits_and_is_accessible(
    visit: Visit, width: int, dark: bool
) -> None:
    if not _has_certificate(visit):
        held_study(officer := visit(OFFICER, scripts=False))
        approve(officer)
        approve(visit(ADMIN, scripts=False))
        officer.site.command("run_disposal")
    officer = visit(OFFICER, width=width, dark=dark)
    study = officer.go("/").locator("tbody th a").first.get_attribute("href")
    run = number_of_latest_run(officer)
    begin_draft(visit(ADMIN, scripts=False))
    places = {
        "overview": "/retention/", "simulation": "/retention/simulation/",
        "schedule": "/retention/schedule/", "holds": "/retention/holds/",
        "hold": "/retention/holds/1/", "lift": "/retention/holds/1/ask/",
        "place": "/retention/holds/new/", "clock": "/retention/clock/",
        "study": f"/retention{study}", "run": run, "staying": f"{run}?shown=kept",
        "reject": f"{run}reject/", "certificate": "/retention/certificates/1/",
    }  # fmt: skip
    wrong = {}
    for name, path in places.items():
        page = officer.go(path)
        expect(page.locator("h1")).not_to_have_text("There is nothing here")
        shoot(page, f"retention-{name}-{width}-{'dark' if dark else 'light'}")
        faults = accessibility_faults(page)
        if overflow(page) > 0:
            faults.append(f"{overflow(page)} px too wide")
        if faults:
            wrong[name] = faults
    assert wrong == {}
    assert officer.faults == []
