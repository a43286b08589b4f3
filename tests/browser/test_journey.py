"""From a folder of files to a colleague who may look, and, after a revocation, may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    CLINICIAN,
    COLLEAGUE,
    OFFICER,
    Visit,
    Visitor,
    accessibility_faults,
    overflow,
    shoot,
)
from tests.browser.test_viewer import lit_pixels

pytestmark = pytest.mark.browser


Look = Callable[[Page, str], None]


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def look(dark: bool) -> Iterator[Look]:
    """Ask of each page on the way: is it accessible, does it fit, what does it look like."""
    found: dict[str, list[str]] = {}

    def look_at(page: Page, name: str) -> None:
        shoot(page, f"{name}-{'dark' if dark else 'light'}")
        faults = accessibility_faults(page)
        if overflow(page) > 0:
            faults.append("the page is wider than its window")
        if faults:
            found[name] = faults

    yield look_at
    assert found == {}


def send_folder(visitor: Visitor, folder: Path, look: Look) -> None:
    page = visitor.go("/studies/new/")
    look(page, "send")
    page.locator("#pick-folder").set_input_files(folder)
    expect(page.locator("#upload-status")).to_contain_text("to send", timeout=60_000)
    expect(page.locator("#upload-skipped summary")).to_contain_text("will not be sent")
    look(page, "send-review")
    # Several patients in one folder must be looked at, and the attestation given.
    page.click("#upload-send")
    expect(page.locator("#upload-why-not")).to_contain_text("doubts")
    page.check("#doubts-seen")
    page.click("#upload-send")
    expect(page.locator("#upload-why-not")).to_contain_text("allowed to send")
    page.check("#attested")
    page.click("#upload-send")
    expect(page.locator("#upload-result")).to_be_visible(timeout=120_000)
    expect(page.locator("#upload-refused")).to_contain_text("identifier")
    look(page, "sent")
    page.click("#upload-result")
    expect(page.locator("h1")).to_contain_text("Upload of")
    look(page, "received")


def share(visitor: Visitor, study: str, look: Look) -> str:
    """Share a study with the colleague; return the address of the share."""
    page = visitor.go(f"/studies/{study}/share/")
    prove_again(visitor)
    look(page, "share")
    options = page.locator("select[name=recipient] option").all_inner_texts()
    page.select_option(
        "select[name=recipient]", label=next(one for one in options if "Weber" in one)
    )
    page.check("[name=purpose][value=treatment]")
    page.check("[name=items][value=study]")
    page.locator("main form button.button").last.click()
    expect(page.locator(".agreed")).to_contain_text("Weber")
    look(page, "share-check")
    page.locator("main form button.button").first.click()
    expect(page.locator("[role=status]").first).to_contain_text("Shared with")
    look(page, "shared")
    return page.url


def prove_again(visitor: Visitor) -> None:
    """A share needs a fresh second factor; the demonstration's accounts have a button for it."""
    if "/sign-in/again/" in visitor.page.url:
        visitor.page.locator("form[action*='demo'] button").click()


def test_send_look_share_revoke_refuse(visit: Visit, folder_of_files: Path, dark: bool, look: Look):
    sender = visit(CLINICIAN, dark=dark)
    send_folder(sender, folder_of_files, look)
    sender.go("/?name=Lestrade").locator("tbody th a").first.click()
    expect(sender.page.locator("section:has(#timeline)")).to_contain_text(
        "Study page opened" if dark else "Images received"  # the second time all was there already
    )
    study = sender.page.url.rstrip("/").split("/")[-1]
    look(sender.page, "study")
    sender.page.click("text=Open in the viewer")
    assert lit_pixels(sender.page, 60) >= 60
    agreed = share(sender, study, look)

    colleague = visit(COLLEAGUE, dark=dark)
    page = colleague.go("/?name=Lestrade")
    look(page, "worklist-shared")
    page.locator("tbody th a").first.click()
    expect(page.locator("main")).to_contain_text("This was shared with you.")
    look(page, "study-shared")
    page.click("text=Open in the viewer")
    assert lit_pixels(page, 60) >= 60

    revoke(sender, agreed, look)
    # The viewer, still open, asks for the next pixels and leads to the reason.
    page.reload()
    refused(page, look)
    picture = f"{colleague.site.address}/dicom-web/studies/{study}/thumbnail"
    assert colleague.page.request.get(picture).status == 403
    refused(colleague.go(f"/studies/{study}/"), look)

    sees_each_step(visit(OFFICER, dark=dark), study, look)


def revoke(visitor: Visitor, agreed: str, look: Look) -> None:
    page = visitor.page
    page.goto(agreed)
    page.click("main >> text=Revoke")
    look(page, "revoke")
    page.check("[name=reason][value=no-longer-needed]")
    page.locator("main form button").last.click()
    expect(page.locator("[role=status]").first).to_contain_text("Revoked")


def refused(page: Page, look: Look) -> None:
    """The page says why, and whom to ask."""
    expect(page.locator("h1")).to_have_text("These images are not released to you")
    expect(page.locator("main")).to_contain_text("The share was revoked.")
    expect(page.locator("main")).to_contain_text("officer@hospital.example")
    expect(page.locator("main")).to_contain_text("Dr Clara Reyes")
    look(page, "refused")


def sees_each_step(officer: Visitor, study: str, look: Look) -> None:
    page = officer.go(f"/studies/{study}/")
    look(page, "study-officer")
    timeline = page.locator("section:has(#timeline)")
    steps = ["Shared under express consent", "Images looked at", "Dr Jonas Weber", "Share revoked"]
    for step in [*steps, "Access refused", "the share had been revoked"]:
        expect(timeline).to_contain_text(step)


def test_a_viewer_that_is_open_leads_to_the_reason_when_the_share_is_revoked(visit: Visit):
    def no_look(page: Page, name: str) -> None:
        """Those pages are looked at above."""

    sender, colleague = visit(CLINICIAN), visit(COLLEAGUE)
    sender.go("/?name=Adler").locator("tbody th a").first.click()
    sender.page.wait_for_url("**/studies/**")
    study = sender.page.url.rstrip("/").split("/")[-1]
    agreed = share(sender, study, no_look)
    page = colleague.go(f"/viewer/viewer?StudyInstanceUIDs={study}")
    assert lit_pixels(page) >= 300
    revoke(sender, agreed, no_look)
    # What the viewer does for the next image: it fetches pixels. It may have asked for some by
    # itself already, and be on its way to the reason.
    with suppress(BrowserError):
        page.evaluate("(uid) => { fetch(`/dicom-web/studies/${uid}/thumbnail`); }", study)
    expect(page.locator("h1")).to_have_text("These images are not released to you", timeout=20_000)
