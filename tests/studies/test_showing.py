"""What a person without a program for DICOM sees of their images: pages in a folder of files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import sync_playwright

from studies.holdings import files_of_studies
from studies.models import Study
from studies.services.reels import spread
from tests.factories import small_ct_object
from tests.studies.conftest import Portal

from .hostile import ENCAPSULATED_PDF
from .objects import PDF, encapsulated, undecodable
from .reports import BASIC_TEXT, structured_report

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def shown(*, of: str = "") -> dict[str, bytes]:
    """Every file beside the objects, in their order, by its path in the folder of the study that
    has objects of this class."""
    (study,) = Study.objects.filter(instances__sop_class_uid__endswith=of).distinct()
    files = {
        one.path.removeprefix(f"images/{study.uid}/"): b"".join(one.pieces())
        for one in files_of_studies([study])
    }
    return {path: content for path, content in files.items() if not path.endswith(".dcm")}


def test_every_image_is_a_picture_on_one_page(portal: Portal) -> None:
    portal.take(*(small_ct_object(number=number, size=64) for number in (2, 1, 3)))
    files = shown()
    assert list(files) == [*(f"pictures/001-{at:05}.jpg" for at in (1, 2, 3)), "LOOK.html"]
    page = files.pop("LOOK.html").decode()
    for path, content in files.items():
        picture = np.asarray(Image.open(io.BytesIO(content)))
        assert picture.shape == (64, 64)
        assert picture.std() > 10, "a ramp is no single shade"
        assert f'src="{path}"' in page
    assert "Adler, Paula, born 14 March 1972" in page
    assert "examined 1 September 2026" in page
    assert "3 images" in page


def test_of_a_long_series_some_are_shown_and_the_page_says_so(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.services.showing.MOST_PICTURES", 3)
    portal.take(*(small_ct_object(number=number) for number in range(1, 8)))
    files = shown()
    assert [one for one in files if one.endswith("jpg")] == [
        f"pictures/001-{at:05}.jpg" for at in (1, 4, 7)
    ]
    assert "3 of 7 images, from the first to the last" in files["LOOK.html"].decode()


@given(st.integers(0, 10_000), st.integers(2, 200))
def test_what_is_chosen_of_many_is_spread_evenly(count: int, most: int) -> None:
    chosen = spread(count, most)
    assert len(chosen) == min(count, most)
    if chosen:
        assert (chosen[0], chosen[-1]) == (1, count)
        steps = set(np.diff(chosen).tolist())
        assert not steps or max(steps) - min(steps) <= 1, "as evenly as whole numbers allow"


def test_reports_are_words_and_documents_are_files(portal: Portal) -> None:
    portal.take(structured_report(), encapsulated(PDF))
    files = shown(of=ENCAPSULATED_PDF)
    assert files["documents/001.pdf"].startswith(PDF)
    assert b'href="documents/001.pdf"' in files["LOOK.html"]
    page = shown(of=BASIC_TEXT)["LOOK.html"].decode()
    assert "Radiology Report" in page
    assert "Nothing unusual." in page


def test_what_is_no_document_is_not_offered_as_one(portal: Portal) -> None:
    portal.take(encapsulated(b"<html><script>alert(1)</script></html>"))
    files = shown()
    assert files["documents/001.pdf"] == b""
    page = files["LOOK.html"].decode()
    assert "documents/001.pdf" not in page


def test_an_image_that_cannot_be_drawn_is_said_to_be_one(portal: Portal) -> None:
    portal.take(undecodable())
    files = shown()
    assert Image.open(io.BytesIO(files["pictures/001-00001.jpg"])).size == (512, 160)
    assert "cannot be drawn" in files["LOOK.html"].decode()


def test_markup_of_a_name_is_letters_on_the_page(portal: Portal) -> None:
    portal.take(small_ct_object(PatientName="<script>alert(1)</script>^A", StudyDescription="a<b>"))
    page = shown()["LOOK.html"].decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<title>a&lt;b&gt;, 1 September 2026</title>" in page


def test_the_page_works_from_a_folder_without_any_server(
    portal: Portal, tmp_path: Path, chromium: str
) -> None:
    portal.take(*(small_ct_object(number=number, size=64) for number in (1, 2, 3)))
    for path, content in shown().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 900})
        faults: list[object] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("requestfailed", lambda request: faults.append(request.url))
        page.goto((tmp_path / "LOOK.html").as_uri())
        large = page.locator(".box img")
        assert str(large.get_attribute("src")).endswith("pictures/001-00002.jpg")
        assert large.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 64
        page.get_by_label("Through the images").press("ArrowRight")
        assert str(large.get_attribute("src")).endswith("pictures/001-00003.jpg")
        large.hover()
        page.mouse.wheel(0, -100)
        page.wait_for_function("document.querySelector('.box img').src.endsWith('001-00002.jpg')")
        page.get_by_label("Brightness").press("ArrowRight")
        assert "brightness(101%)" in str(large.get_attribute("style"))
        page.get_by_text("All pictures, small").click()
        page.get_by_role("link", name="Image 1").click()
        assert str(large.get_attribute("src")).endswith("pictures/001-00001.jpg")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0
        browser.close()
    assert faults == []
