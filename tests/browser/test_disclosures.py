"""An order of a court: written down, narrowed to one study, approved by two, and told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import OFFICER, Visit, check, work
from tests.dsar.papers import pdf
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
ADMIN, PATIENT = "admin@hospital.example", "patient@home.example"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: what is given out here is held, and missed by no other test."""
    with running_portal() as site:
        yield site


def opened(page: Page) -> str:
    """A case with its document, signed; returns its address."""
    page.get_by_role("link", name="Write down a demand").click()
    page.get_by_label("A court's order").check()
    page.get_by_label("Who demands it").fill("District Court of Marker")
    page.get_by_label("Their reference").fill("24-CV-1138")
    page.get_by_label("Law, order or file").fill("45 CFR 164.512(e)")
    today = timezone.now().date()
    page.get_by_label("Received on").fill((today - timedelta(days=1)).isoformat())
    page.get_by_label("Answer due on").fill((today + timedelta(days=20)).isoformat())
    page.get_by_role("button", name="Open the case").click()
    case = page.url
    expect(page.get_by_role("button", name="Release")).to_be_disabled()
    page.goto(f"{case}papers/")
    order = {"name": "order.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    page.get_by_label("The file").set_input_files(order)  # type: ignore[arg-type]
    page.get_by_role("button", name="Attach it").click()
    page.goto(f"{case}sign/")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("I believe in good faith").fill("The court orders it.")
    page.get_by_role("button", name="Sign", exact=True).click()
    return case


def narrowed(page: Page, case: str) -> None:
    """One study of one clause, ticked; and what was done to give out no more."""
    page.goto(f"{case}scope/")
    page.get_by_label("One clause of the demand").fill("The images of the chest.")
    page.get_by_role("button", name="Add the clause").click()
    page.goto(f"{case}scope/?name=Adler&identifier=")
    page.get_by_role("link", name="Map it").first.click()
    page.get_by_label("The whole study").check()
    page.get_by_label("1. The images").check()
    page.get_by_label("Why it is needed").fill("The clause names it.")
    page.get_by_role("button", name="Put it on the list").click()
    box = page.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("button", name="Give out what I ticked").click()
    check(page, "disclosure-scope")
    page.goto(f"{case}narrow/")
    page.get_by_label("What was asked for").fill("All records since 2010.")
    page.get_by_label("What was objected to").fill("All but the chest.")
    page.get_by_label("What counsel said").fill("Counsel agreed.")
    page.get_by_role("button", name="Write it down").click()


def told(page: Page, case: str) -> None:
    page.goto(f"{case}notices/")
    page.get_by_role("link", name="Tell them").click()
    page.get_by_label("Told in the portal now").check()
    page.get_by_label("Days to object").fill("0")
    page.get_by_label("Why so few days").fill("The court gave two days.")
    page.get_by_role("button", name="Note it").click()


def test_an_order_goes_out_by_two_people_and_its_person_reads_it(visit: Visit) -> None:
    officer, admin = visit(OFFICER, scripts=True), visit(ADMIN, scripts=False)
    page = officer.go("/disclosures/")
    case = opened(page)
    narrowed(page, case)
    told(page, case)
    second = admin.go(f"{case.removeprefix(admin.site.address)}approve/")
    second.get_by_role("button", name="Approve the disclosure").click()
    expect(second.locator("[role=status]")).to_contain_text("Approved")
    page.goto(case)
    page.get_by_role("button", name="Release").click()
    work(officer.site, "disclosures")
    page.goto(case)
    check(page, "disclosure-made")
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Fetch the package").click()
    assert fetched.value.suggested_filename == "disclosure-1.zip"
    mine = visit(PATIENT).go("/disclosures/mine/")
    expect(mine.locator("main")).to_contain_text("District Court of Marker")
    expect(mine.locator("main")).to_contain_text("Given out on")
    assert officer.faults == []
