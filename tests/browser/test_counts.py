"""How many people a released project holds, in a browser: counted once, asked, taken along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COLLEAGUE, Visit, accessibility_faults, overflow, shoot
from tests.running import Site, running_portal

pytestmark = [pytest.mark.browser, pytest.mark.pages]
OFFICER = "officer@imaging.example"
# A project as if it had been made and released: what is counted is what its objects say.
RELEASED = """
from datetime import date
from accounts.models import Organisation, User
from accounts.selectors import actor_of_user
from policies.rules.categories import CARE_DATA
from policies.rules.gate import enter_use, use
from policies.rules.purposes import Purpose
from releases.models import Output, Project
from releases.rules.terms import Method
from releases.services.projects import Wanted, begin_project
enter_use(use(Purpose.OPERATIONS, *CARE_DATA))
imaging = Organisation.objects.get(slug="imaging")
who = User.objects.filter(memberships__organisation=imaging).order_by("pk").first()
made = begin_project(actor=actor_of_user(who), wanted=Wanted(
    "Chests and heads", Purpose.AI_TRAINING, imaging.pk, "EK-1", Method.SAFE_HARBOR, "", (),
    date(2090, 1, 1)))
kinds = [("CT", "HEAD")] * 30 + [("CT", "CHEST")] * 20 + [("MR", "KNEE")] * 15 + [("US", "NECK")]
Output.objects.bulk_create(
    Output(project=made, state="clean", patient=str(n), source_token=str(n).encode(),
           facts={"modality": modality, "body_part": part})
    for n, (modality, part) in enumerate(kinds))
Project.objects.filter(pk=made.pk).update(state="released", report="{}", report_note="signed")
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_portal() as site:
        site.command("shell", "-c", RELEASED)
        yield site


def check(page: Page, name: str) -> None:
    for width, scheme in ((1440, "light"), (390, "dark"), (320, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert accessibility_faults(page) == [], name
        assert overflow(page) == 0, name
        shoot(page, f"counts-{name}-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_an_officer_has_people_counted_and_a_clinician_asks(visit: Visit) -> None:
    doctor, officer = visit(COLLEAGUE), visit(OFFICER)
    page = doctor.go("/releases/")
    page.get_by_role("link", name="Chests and heads").click()
    page.get_by_role("link", name="How many people").click()
    expect(page.locator("main")).to_contain_text("Nobody has been counted yet")
    path = page.url.removeprefix(doctor.site.address)
    check(page, "none")

    page = officer.go(path)
    check(page, "make")
    page.get_by_label("Modality").check()
    page.get_by_label("Body part").check()
    page.get_by_role("button", name="Count, for good").click()
    expect(page.locator("[role=status]")).to_contain_text("Counted")

    page = doctor.go(path)
    page.get_by_label("Rows by").select_option(label="Body part")
    page.get_by_label("Columns by").select_option(label="Modality")
    page.get_by_role("button", name="Show").click()
    head = page.get_by_role("row", name="Head")
    expect(head.get_by_role("cell")).to_have_text(["30", "not shown", "not shown"])
    expect(page.get_by_role("row", name="All").last.get_by_role("cell")).to_have_text(
        ["50", "16", "66"]
    )
    # The one ultrasound of a neck is told of nowhere.
    expect(page.locator("main")).not_to_contain_text("Neck")
    expect(page.locator("main")).to_contain_text("would tell of fewer than 11 people")
    check(page, "table")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Take the counts along").click()
    assert "Head,30,not shown,not shown" in waiting.value.path().read_text()

    page.get_by_label("Columns by").select_option(label="Body part")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[role=alert]")).to_contain_text("two different dimensions")
    check(page, "wrong")

    page = visit(COLLEAGUE, scripts=False, width=390).go(path)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="People by modality")).to_be_visible()
    assert not doctor.foreign_requests() | officer.foreign_requests()
