"""A patient closes their account; their images go to the archive, and come out by a release."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import OFFICER, Visit, Visitor, check, work
from tests.dsar.papers import pdf
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
ADMIN, CLINICIAN = "admin@hospital.example", "clinician@hospital.example"
PATIENT = "patient@home.example"
ADDRESS = "later@home.example"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A portal of its own: whose images go out of sight here are missed by no other test."""
    with running_portal() as site:
        yield site


def study_of(clinician: Visitor, name: str) -> str:
    """The address of a study that the clinician sees."""
    page = clinician.go(f"/?name={name}")
    href = (
        page.locator("main a[href^='/studies/']:not([href$='/new/'])").first.get_attribute("href")
        or ""
    )
    found = re.search(r"/studies/[0-9.]+/", href)
    assert found is not None, href
    answer = page.goto(clinician.site.address + found[0])
    assert answer is not None
    assert answer.status == 200
    return found[0]


def close(patient: Visitor) -> None:
    page = patient.go("/consent/account/close/")
    expect(page.locator("main")).to_contain_text("will not be shown to anybody any more")
    check(page, "archive-account-close")
    page.get_by_role("button", name="Close my account").click()
    expect(page.locator("[role=status]")).to_contain_text("Your account is closed")


def written_down(officer: Visitor) -> str:
    page = officer.go("/retention/archive/")
    expect(page.locator("main")).to_contain_text("A-1")
    check(page, "archive-list")
    page.get_by_role("link", name="Write down a request for release").click()
    page.get_by_label("E-mail", exact=True).check()
    came = (timezone.now() - timedelta(days=1)).date()
    page.get_by_label("On which day did it come?").fill(came.isoformat())
    assert page.get_by_label("What is asked for?").input_value() == "records-release"
    page.get_by_label("Name of the person").fill("Later Self")
    page.get_by_label("E-mail address of the person").fill(ADDRESS)
    page.get_by_label("What was written or said").fill("I need my old images for my new doctor.")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("[role=status]")).to_contain_text("Written down as")
    found = re.search(r"/requests/[^/]+/", page.url)
    assert found is not None
    return found[0]


def identified(page: Page) -> None:
    page.get_by_role("link", name="note how you saw it").click()
    page.get_by_label("I saw an identity document").check()
    page.get_by_role("button", name="Note it").click()
    expect(page.locator("[role=status]")).to_contain_text("Noted")


def found(page: Page, name: str) -> None:
    page.get_by_label("Name begins with").fill(name)
    page.get_by_role("button", name="Look in the archive").click()
    check(page, "archive-found")
    page.locator("fieldset input[type=checkbox]").first.check()
    page.get_by_role("button", name="It is about whom I ticked").click()
    expect(page.locator("[role=status]")).to_contain_text("Noted whose records")


def with_paper(officer: Visitor, case: str, folder: Path) -> None:
    paper = folder / "signed.pdf"
    paper.write_bytes(pdf())
    page = officer.go(f"{case}documents/")
    page.get_by_label("Authorization to release records").check()
    page.locator("input[type=file]").set_input_files(paper)
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("[role=status]")).to_contain_text("The paper is kept")


def checked(page: Page) -> None:
    page.get_by_role("link", name="Check the authorization").click()
    today = date.today()  # noqa: DTZ011 - as the officer reads a calendar
    page.get_by_label("Authorization to release records").first.check()
    page.get_by_label("Signed on").fill((today - timedelta(days=3)).isoformat())
    page.get_by_label("Holds until").fill((today + timedelta(days=90)).isoformat())
    page.locator("input[name=studies]").first.check()
    page.get_by_role("button", name="I have seen this").click()
    # Nothing is ticked of what it has to say: the archive stays shut.
    expect(page.locator("main")).to_contain_text("This does not open the archive")
    check(page, "archive-check-refused")
    for box in page.locator("input[name=checks]").all():
        box.check()
    check(page, "archive-check")
    page.get_by_role("button", name="I have seen this").click()
    expect(page.locator("[role=status]")).to_contain_text("A second person has to approve it")


def fetched(stranger: Visitor, code: str, folder: Path) -> list[str]:
    page = stranger.go("/outbox/")
    letter = page.locator("article", has_text=ADDRESS).first.inner_text()
    links = re.findall(r"/requests/read/[^/\s]+/", letter)
    page = stranger.go(links[0])
    check(page, "archive-answer")
    page = stranger.go(f"{links[0]}copy/")
    page.get_by_label("Code").fill(code)
    with page.expect_download() as loading:
        page.get_by_role("button").last.click()
    path = folder / "release.zip"
    loading.value.save_as(path)
    # The same link again.
    page = stranger.go(f"{links[0]}copy/")
    expect(page.locator("main")).not_to_contain_text("RELEASE")
    check(page, "archive-fetched-before")
    with zipfile.ZipFile(path) as held:
        return held.namelist()


def test_from_the_closed_account_to_the_released_copy(visit: Visit, tmp_path: Path) -> None:
    clinician, patient, officer = visit(CLINICIAN), visit(PATIENT), visit(OFFICER)
    site = officer.site
    own = study_of(clinician, "Adler")
    close(patient)
    gone = clinician.page.goto(site.address + own)
    assert gone is not None
    assert gone.status == 404
    assert site.count("SELECT count(*) FROM retention_archivedstudy") >= 1
    case = written_down(officer)
    page = officer.go(f"{case}release/")
    expect(page.locator("main")).to_contain_text("nothing is opened")
    check(page, "archive-asked")
    identified(page)
    page = officer.go(f"{case}release/")
    found(page, "Adler")
    with_paper(officer, case, tmp_path)
    page = officer.go(f"{case}release/")
    check(page, "archive-to-check")
    checked(page)
    check(page, "archive-checked")
    admin = visit(ADMIN)
    approving = admin.go(f"{case}release/approve/")
    check(approving, "archive-approve")
    approving.get_by_role("button", name="Approve the release").click()
    expect(approving.locator("[role=status]")).to_contain_text("Approved")
    page = officer.go(f"{case}release/")
    page.get_by_role("button", name="Make the package").click()
    code = page.locator(".alert strong").inner_text()
    work(site, "dsar")
    page = officer.go(f"{case}release/")
    expect(page.locator("main")).to_contain_text("The package is made")
    check(page, "archive-made")
    page.get_by_role("link", name="Answer the request").click()
    page.get_by_label("Done as asked").check()
    page.locator("textarea").fill("It is behind the link. The code you get on the telephone.")
    page.get_by_role("button", name="Give this answer").click()
    expect(page.locator("[role=status]")).to_contain_text("Answered")
    work(site, "dsar")
    names = fetched(visit(), code, tmp_path)
    assert "RELEASE.html" in names
    assert any(name.endswith(".dcm") for name in names)
    assert not officer.faults
