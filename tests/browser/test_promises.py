"""The board of promises in a browser: on a small screen, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OFFICER, Visit, accessibility_faults, overflow, shoot

pytestmark = [pytest.mark.browser, pytest.mark.pages]
BOARD = "/governance/promises/"


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, True), (1440, False)])
def test_the_board_fits_the_screen_and_whoever_reads_it(
    visit: Visit, width: int, dark: bool
) -> None:
    officer = visit(OFFICER, width=width, dark=dark)
    page = officer.go(f"{BOARD}?state=kept")
    expect(page.locator("h1")).to_contain_text("promises")
    shoot(page, f"promises-{width}-{'dark' if dark else 'light'}")
    assert accessibility_faults(page) == []
    assert overflow(page) <= 0
    assert officer.faults == []


def test_the_board_needs_no_script(visit: Visit) -> None:
    page = visit(OFFICER, scripts=False).go("/")
    page.get_by_role("link", name="Policy", exact=True).click()
    expect(page.get_by_role("link", name="Promises")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="kept").click()
    expect(page.locator("details[open]").first).to_be_visible()
    assert page.url.endswith(f"{BOARD}?state=kept")
    expect(page.locator(".badge", has_text="To come")).to_have_count(0)
    page.get_by_role("link", name="Show all").click()
    # In the running portal all that is said to be built is kept, the viewer included.
    expect(page.get_by_role("link", name="0 failing")).to_be_visible()
    page.locator("summary", has_text="Taking consent back").click()
    expect(page.get_by_text("A revoked share is over at once.").first).to_be_visible()
