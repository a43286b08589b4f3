"""Hostile archives, opened by the page itself: nothing of them arrives, and each has its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLINICIAN, Visit
from tests.running import Site
from tests.studies.archives import HOSTILE_ARCHIVES, packed
from tests.studies.hostile import ROOT
from tests.studies.objects import an_object

pytestmark = pytest.mark.browser


def test_nothing_of_a_hostile_archive_is_stored_and_the_good_one_beside_it_is(
    visit: Visit, site: Site, tmp_path: Path
):
    names = {f"{number:02} {name}.zip": name for number, name in enumerate(HOSTILE_ARCHIVES)}
    for file, name in names.items():
        (tmp_path / file).write_bytes(HOSTILE_ARCHIVES[name][0])
    good = an_object(study="66", patient="P-66")
    (tmp_path / "good.zip").write_bytes(packed(("a/1.dcm", good)))
    visitor = visit(CLINICIAN)
    page = visitor.go("/studies/new/")
    page.locator("#pick-files").set_input_files(sorted(tmp_path.glob("*.zip")))
    expect(page.locator("#upload-status")).to_contain_text("to send", timeout=60_000)
    if page.locator("#doubts-seen").count():
        page.check("#doubts-seen")
    page.check("#attested")
    page.click("#upload-send")
    expect(page.locator("#upload-result")).to_be_visible(timeout=120_000)
    # What the page saw not to be DICOM stands in its first list, the rest among the refused.
    told = page.locator("#upload").text_content() or ""
    assert [file for file in names if file not in told] == []
    assert visitor.faults == []
    stored = f"SELECT count(*) FROM studies_instance WHERE uid = '{ROOT}%s'"
    assert site.count(stored % "66.1.1") == 1
    assert site.count(stored % "3") == 0, "of an archive that is to be refused"
