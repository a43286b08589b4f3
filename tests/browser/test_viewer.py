"""The viewer shows pixels under its policy, talks to this portal alone, and says why it may not."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from studies.views.viewer import DOCUMENT_POLICY
from tests.browser.conftest import CLINICIAN, OFFICER, Visit, Visitor, shoot

pytestmark = pytest.mark.browser

# Counts, in a small copy of each canvas, the pixels that are not near black.
LIT = """() => Math.max(0, ...[...document.querySelectorAll('canvas')].map((canvas) => {
  const copy = document.createElement('canvas');
  copy.width = copy.height = 64;
  const pen = copy.getContext('2d');
  pen.drawImage(canvas, 0, 0, 64, 64);
  const raw = pen.getImageData(0, 0, 64, 64).data;
  let lit = 0;
  for (let at = 0; at < raw.length; at += 4) if (raw[at] + raw[at + 1] + raw[at + 2] > 90) lit += 1;
  return lit;
}))"""
OPENS_WITHIN = 60


def study_named(visitor: Visitor, name: str) -> str:
    """Find a study on the worklist and return its UID."""
    visitor.go("/?" + "name=" + name.partition(",")[0])
    href = visitor.page.locator(f"tbody th a:has-text('{name}')").first.get_attribute("href")
    assert href is not None
    return href.split("/")[2]


def lit_pixels(page: Page, enough: int = 300) -> int:
    """Wait for a picture; return how much of it is not black."""
    until, lit = time.monotonic() + OPENS_WITHIN, 0
    while time.monotonic() < until and lit < enough:
        page.wait_for_timeout(300)
        lit = page.evaluate(LIT)
    return lit


def test_a_ct_opens_with_pixels_no_violation_and_no_foreign_request(visit: Visit):
    clinician = visit(CLINICIAN)
    study = study_named(clinician, "Adler")
    page = clinician.go(f"/studies/{study}/")
    page.click("text=Open in the viewer")
    assert lit_pixels(page) >= 300
    assert page.evaluate("() => window.violations") == []
    assert clinician.foreign_requests() == set()
    assert clinician.faults == []
    asked = {one.split("/")[3].split("?")[0] for one in clinician.requests if "://" in one}
    assert {"viewer", "dicom-web"} <= asked
    shoot(page, "viewer")


@pytest.mark.parametrize("name", ["CompressedSamples, NM1", "CompressedSamples, US1"])
def test_compressed_images_are_decoded_in_the_browser(visit: Visit, name: str):
    clinician = visit(CLINICIAN)
    study = study_named(clinician, name)
    page = clinician.go(f"/viewer/viewer?StudyInstanceUIDs={study}")
    assert lit_pixels(page, 60) >= 60
    assert page.evaluate("() => window.violations") == []


def test_the_viewer_is_for_people_who_are_signed_in(visit: Visit):
    page = visit().go("/viewer/viewer?StudyInstanceUIDs=1.2.3")
    assert "/sign-in/" in page.url
    assert "next=/viewer/viewer%3FStudyInstanceUIDs%3D1.2.3" in page.url


def test_routes_that_open_files_or_other_archives_are_not_there(visit: Visit):
    clinician = visit(CLINICIAN)
    for route in ("local", "localbasic", "debug", "viewer/dicomjson", "tmtv", "anything.js"):
        answer = clinician.page.request.get(f"{clinician.site.address}/viewer/{route}")
        assert answer.status == 404, route


def test_files_are_packed_typed_and_kept_by_the_browser(visit: Visit):
    clinician = visit(CLINICIAN)
    clinician.go(f"/viewer/viewer?StudyInstanceUIDs={study_named(clinician, 'Adler')}")
    bundle = clinician.page.locator("script[src*='app.bundle']").get_attribute("src")
    assert bundle is not None
    answer = clinician.page.request.get(clinician.site.address + bundle)
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    missing = clinician.page.request.get(clinician.site.address + bundle + ".not")
    assert missing.status == 404
    document = clinician.page.request.get(f"{clinician.site.address}/viewer/viewer")
    assert document.headers["content-security-policy"] == DOCUMENT_POLICY
    assert "no-cache" in document.headers["cache-control"]


def test_whose_role_sees_no_images_reads_why_instead_of_a_black_screen(visit: Visit):
    study = study_named(visit(CLINICIAN), "Adler")
    page = visit(OFFICER).go(f"/viewer/viewer?StudyInstanceUIDs={study}")
    assert page.locator("h1").inner_text() == "These images are not released to you"
    assert "Your role does not include looking at images." in page.locator("main").inner_text()
    assert page.locator("canvas").count() == 0
