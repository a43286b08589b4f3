"""A letter asks for everything to be deleted: from the post to the answer, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import OFFICER, Visit, Visitor, check, work
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
ADMIN, PATIENT = "admin@hospital.example", "patient@home.example"
# Somebody of the demonstration whose examination is so old that no law asks for it.
NAME = "CompressedSamples"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: whoever is erased here is missed by no other test."""
    with running_portal() as site:
        yield site


def written_down(officer: Visitor) -> str:
    """Write the letter down and note who asks; give the path of its page."""
    page = officer.go("/requests/record/")
    page.get_by_label("Post").check()
    came = (timezone.now() - timedelta(days=2)).date()
    page.get_by_label("On which day did it come?").fill(came.isoformat())
    page.get_by_label("What is asked for?").select_option("erasure")
    page.get_by_label("Name of whoever asks").fill("Hans Brief")
    page.get_by_label("What was written or said").fill("Please delete all there is about me.")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("[role=status]")).to_contain_text("Written down as")
    page.get_by_role("link", name="Note who asks").click()
    page.get_by_label("I saw an identity document").check()
    page.get_by_role("button", name="Note it").click()
    expect(page.locator("[role=status]")).to_contain_text("Noted")
    found = re.search(r"/requests/[^/]+/", page.url)
    assert found is not None
    return found[0]


def find_person(officer: Visitor) -> None:
    page = officer.page
    page.get_by_role("link", name="Find what is held").click()
    page.get_by_label("Name begins with").fill(NAME)
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="The request is about the ticked ones").click()
    expect(page.locator("[role=status]")).to_contain_text("Noted whom")


def approve(page: Page, name: str) -> None:
    check(page, f"erasure-run-{name}")
    page.locator("main").get_by_role("link", name="Approve").click()
    expect(page.locator("main")).to_contain_text("Beside the studies")
    check(page, f"erasure-approve-{name}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("[role=status]")).to_contain_text("Approved")


def test_from_the_letter_to_what_is_gone_and_what_stays(visit: Visit) -> None:
    officer, admin = visit(OFFICER), visit(ADMIN)
    site = officer.site
    studies = site.count("SELECT count(*) FROM studies_study")
    case = written_down(officer)
    officer.page.get_by_role("link", name="Erase", exact=True).click()
    expect(officer.page.locator("main")).to_contain_text("Find first whom the request is about")
    check(officer.page, "erasure-of-nobody")
    officer.go(case)
    find_person(officer)
    page = officer.go(f"{case}erasure/")
    check(page, "erasure-before")
    page.get_by_role("button", name="Plan the erasure").click()
    expect(page.locator("[role=status]")).to_contain_text("Planned")
    check(page, "erasure-planned")
    assert site.count("SELECT count(*) FROM studies_study") == studies

    page.get_by_role("link", name="Look study by study, and approve").click()
    run = page.url.removeprefix(site.address)
    approve(page, "first")
    approve(admin.go(run), "second")
    site.command("run_disposal")
    work(site, "dsar.")
    assert site.count("SELECT count(*) FROM studies_study") == studies - 1

    page = officer.go(f"{case}erasure/")
    expect(page.locator("main")).to_contain_text("Carried out")
    check(page, "erasure-done")
    page.get_by_role("link", name="Answer the request").click()
    expect(page.get_by_label("The answer")).to_have_value(re.compile("cannot be brought back"))
    page.get_by_label("Done as asked").check()
    page.get_by_role("button", name="Give this answer").click()
    expect(page.locator("main")).to_contain_text("What was erased, and what stays")
    check(page, "erasure-answered")
    page = officer.go(f"{case}letter/")
    expect(page.locator("main")).to_contain_text("cannot be brought back")
    check(page, "erasure-letter")
    for one in (officer, admin):
        assert one.faults == []
        assert one.foreign_requests() == set()


def test_a_patient_has_their_account_deleted_and_reads_the_answer_without_it(visit: Visit) -> None:
    patient, officer, admin = visit(PATIENT), visit(OFFICER), visit(ADMIN)
    site, page = officer.site, patient.go("/consent/account/close/")
    expect(page.locator("main")).to_contain_text("what is known of you")
    check(page, "account-close")
    page.get_by_role("link", name="ask for your account to be deleted").click()
    expect(page.locator("main")).to_contain_text("What becomes of it")
    check(page, "account-delete")
    page.get_by_role("button", name="Ask for my account to be deleted").click()
    expect(page.locator("[role=status]")).to_contain_text("Your request was received")
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_be_visible()
    number = page.url.rstrip("/").rpartition("/")[2]
    check(page, "account-delete-case")

    page = officer.go(f"/requests/{number}/erasure/")
    check(page, "account-delete-plan")
    page.get_by_role("button", name="Plan the erasure").click()
    page.get_by_role("link", name="Look study by study, and approve").click()
    expect(page.locator("h1")).to_contain_text("Disposal, run")
    run = page.url.removeprefix(site.address)
    approve(page, "account-first")
    approve(admin.go(run), "account-second")
    site.command("run_disposal")
    work(site, "dsar.")
    assert site.count("SELECT count(*) FROM accounts_user WHERE erased_at IS NOT NULL") == 1
    patient.go("/my/")
    expect(patient.page).to_have_url(re.compile("/sign-in/"))
    page = officer.go(f"/requests/{number}/")
    check(page, "account-deleted-case")
    page = admin.go("/retention/records/")
    expect(page.locator("main")).to_contain_text("Closed accounts")
    check(page, "records")
    for one in (officer, admin):
        assert one.faults == []
