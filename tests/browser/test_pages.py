"""The pages on a small screen, without scripts, and with a keyboard."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
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

pytestmark = [pytest.mark.browser, pytest.mark.pages]


def first_study(visitor: Visitor, name: str, modality: str = "") -> str:
    href = (
        visitor.go(f"/?name={name}&modality={modality}")
        .locator("tbody th a")
        .first.get_attribute("href")
    )
    assert href is not None
    return href


def first_series(visitor: Visitor, name: str, modality: str = "") -> str:
    visitor.go(first_study(visitor, name, modality))
    href = visitor.page.locator(".series a:has-text('Look without')").first.get_attribute("href")
    assert href is not None
    return href


PLACES: dict[str, Callable[[Visitor], str]] = {
    "worklist": lambda _: "/",
    "study": lambda visitor: first_study(visitor, "Adler"),
    "image": lambda visitor: first_series(visitor, "Adler"),
    "images": lambda visitor: first_series(visitor, "Adler") + "?grid=1",
    "report": lambda visitor: first_series(visitor, "Test", "SR"),
    "send": lambda _: "/studies/new/",
    "shares": lambda _: "/consent/",
    "account": lambda _: "/account/",
    "own acts": lambda _: "/my/acts/?since=x",
    "address": lambda _: "/account/email/",
    "notifications": lambda _: "/notifications/",
    "messages": lambda _: "/account/messages/",
    "purposes": lambda _: "/consent/account/purposes/",
    "cookies": lambda _: "/cookies/",
    "leaving": lambda _: "/leaving/?to=cookies-firefox",
}


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, True), (390, False)])
def test_every_page_fits_a_small_screen(visit: Visit, width: int, dark: bool):
    clinician = visit(CLINICIAN, width=width, dark=dark)
    wrong = {}
    for name, where in PLACES.items():
        page = clinician.go(where(clinician))
        expect(page.locator("h1")).not_to_have_text("There is nothing here")
        shoot(page, f"{name}-{width}-{'dark' if dark else 'light'}")
        faults = accessibility_faults(page)
        if overflow(page) > 0:
            faults.append(f"{overflow(page)} px too wide")
        if faults:
            wrong[name] = faults
    assert wrong == {}
    assert clinician.faults == []


def test_the_first_key_press_leads_past_the_navigation(visit: Visit):
    page = visit(CLINICIAN).go("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"


def test_files_are_chosen_with_the_keyboard(visit: Visit):
    clinician = visit(CLINICIAN)
    # Asked for before the page is: told only just before the key, a busy browser misses it.
    clinician.page.on("filechooser", lambda chooser: None)
    page = clinician.go("/studies/new/")
    page.locator("#pick-folder").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "pick-files"
    with page.expect_file_chooser():
        page.keyboard.press("Space")


# Frames -------------------------------------------------------------------------------------------
def loaded(page: Page) -> bool:
    """Are all pictures of the page there, once they have had time to be drawn?"""
    complete = "() => [...document.images].every((one) => one.complete)"
    page.wait_for_function(complete, timeout=30_000)
    found: bool = page.evaluate("() => [...document.images].every((one) => one.naturalWidth > 0)")
    return found


def test_images_are_leafed_through_and_windowed(visit: Visit):
    clinician = visit(CLINICIAN)
    page = clinician.go(first_series(clinician, "Adler"))
    expect(page.locator("figcaption")).to_contain_text("1 of 40")
    page.click("text=Next")
    expect(page.locator("figcaption")).to_contain_text("2 of 40")
    page.click("text=Lung")
    windowed = re.compile(r"window=-600,1500")
    expect(page.locator(".light-box img")).to_have_attribute("src", windowed)
    assert loaded(page)
    page.click("text=Next")
    expect(page).to_have_url(windowed)
    page.fill("#at", "40")
    page.click("text=Show")
    expect(page.locator("figcaption")).to_contain_text("40 of 40")
    assert page.locator("text=Next").count() == 0


def test_a_report_is_read_as_text(visit: Visit):
    clinician = visit(CLINICIAN)
    page = clinician.go(first_series(clinician, "Test", "SR"))
    expect(page.locator(".content-tree")).to_contain_text("Diameter: 3 cm")


# Sending ------------------------------------------------------------------------------------------
def test_a_zip_is_opened_in_the_browser_and_its_files_are_sent(
    visit: Visit, folder_of_files: Path, tmp_path: Path
):
    archive = tmp_path / "scans.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(folder_of_files / "CT_small.dcm", "a/CT_small.dcm")
        packed.write(folder_of_files / "image_dfl.dcm", "a/deflated.dcm")
        packed.write(folder_of_files / "notes.txt", "notes.txt")
    page = visit(CLINICIAN).go("/studies/new/")
    page.locator("#pick-files").set_input_files(archive)
    expect(page.locator(".found")).to_contain_text("CompressedSamples, CT1")
    expect(page.locator("#upload-status")).to_have_text("2 files to send, 1 left out.")


def test_what_is_unticked_is_not_sent_and_a_reload_finds_the_upload(
    visit: Visit, folder_of_files: Path
):
    clinician = visit(CLINICIAN)
    page = clinician.go("/studies/new/")
    chosen = [folder_of_files / name for name in ("CT_small.dcm", "MR_small.dcm")]
    page.locator("#pick-files").set_input_files(chosen)
    expect(page.locator(".found .found-study")).to_have_count(2)
    page.locator(".found input[type=checkbox]").nth(1).uncheck()
    expect(page.locator("#upload-total")).to_contain_text("1 file")
    # One patient is left, so that there is nothing to doubt.
    expect(page.locator("#doubts-seen")).to_have_count(0)
    page.check("#attested")
    sent = []
    page.on("request", lambda one: one.url.endswith("/objects/") and sent.append(one.url))
    page.click("#upload-send")
    expect(page.locator("#upload-result")).to_be_visible(timeout=30_000)
    assert len(sent) == 1
    page.reload()
    expect(page.locator("h1")).to_contain_text("Upload of")
    expect(page.locator(".figures")).to_contain_text("There already")


def test_a_failed_file_is_tried_again_by_a_click(visit: Visit, folder_of_files: Path):
    clinician = visit(CLINICIAN)
    page = clinician.go("/studies/new/")
    page.locator("#pick-files").set_input_files(folder_of_files / "CT_small.dcm")
    page.check("#attested")
    page.route("**/objects/", lambda route: route.abort())
    page.click("#upload-send")
    expect(page.locator("#upload-retry")).to_be_visible(timeout=30_000)
    expect(page.locator("#upload-refused")).to_contain_text("could not be reached")
    page.unroute("**/objects/")
    page.click("#upload-retry")
    expect(page.locator("#sending")).to_have_text("Sent", timeout=30_000)
    expect(page.locator("#upload-refused")).to_be_hidden()


# Without scripts ----------------------------------------------------------------------------------
def test_the_core_journey_needs_no_script(visit: Visit, folder_of_files: Path):
    clinician = visit(CLINICIAN, scripts=False)
    page = clinician.go("/studies/new/")
    page.check("[name=attested]")
    page.locator("[name=files]").set_input_files(
        [folder_of_files / "CT_small.dcm", folder_of_files / "notes.txt"]
    )
    page.click("#upload-plain button")
    expect(page.locator("h1")).to_contain_text("Upload of")
    expect(page.locator("main")).to_contain_text("notes.txt")
    study = first_study(clinician, "CompressedSamples%5ECT1")
    page = clinician.go(first_series(clinician, "Adler"))
    expect(page.locator(".light-box img")).to_be_visible()
    agreed = share_without_script(clinician, study)
    colleague = visit(COLLEAGUE, scripts=False)
    expect(colleague.go(study).locator("main")).to_contain_text("This was shared with you.")
    page = clinician.page
    page.goto(agreed)
    page.click("main >> text=Revoke")
    page.check("[name=reason][value=mistake]")
    page.locator("main form button").last.click()
    expect(colleague.go(study).locator("main")).to_contain_text("The share was revoked.")


def share_without_script(visitor: Visitor, study: str) -> str:
    page = visitor.go(f"{study}share/")
    if "/sign-in/again/" in page.url:
        page.locator("form[action*='demo'] button").click()
    page.locator("select[name=recipient]").wait_for()
    options = page.locator("select[name=recipient] option").all_inner_texts()
    page.select_option(
        "select[name=recipient]", label=next(one for one in options if "Weber" in one)
    )
    page.check("[name=purpose][value=treatment]")
    page.check("[name=items][value=study]")
    page.locator("main form button").click()
    page.locator("main form button").first.click()
    expect(page.locator("[role=status]").first).to_contain_text("Shared with")
    return page.url


def test_a_download_is_an_archive_with_a_directory(visit: Visit):
    clinician = visit(CLINICIAN)
    clinician.go(first_study(clinician, "Adler"))
    with clinician.page.expect_download() as started:
        clinician.page.click("text=Download")
    with zipfile.ZipFile(started.value.path()) as archive:
        assert archive.namelist()[0] == "DICOMDIR"
        assert len(archive.namelist()) > 40


def test_an_officer_sees_that_a_study_exists_and_none_of_its_images(visit: Visit):
    study = first_study(visit(CLINICIAN), "Adler")
    page = visit(OFFICER).go(study)
    assert page.locator("main img").count() == 0
    assert page.locator("text=Open in the viewer").count() == 0
