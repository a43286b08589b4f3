"""The pages in a copy are read by everybody, on every screen, without the portal."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from accounts.rules import Actor
from consent.models import DataSubject
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.packages import EVERYTHING, Wanted, What
from dsar.rules.states import Proof
from dsar.services.collecting import link_subjects
from dsar.services.identifying import identify_person
from dsar.services.packaging import package_context, prepare_package
from jobs.services import run_job
from tests.dsar.asking import by_form
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.studies.reports import structured_report
from vault.services.blobs import open_blob
from vault.services.data_keys import open_data_key

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
    pytest.mark.layout,
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def unpacked(officer: Actor, case: Case, wanted: Wanted, folder: Path) -> list[Path]:
    """Make a copy and unpack it as its person would; returns its pages."""
    package, _ = prepare_package(actor=officer, case=case, wanted=wanted)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    package.refresh_from_db()
    key = open_data_key(id=package.key_id)
    with open_blob(package.blob_name, key=key, context=package_context(package.pk)) as blob:
        zipfile.ZipFile(io.BytesIO(blob.read())).extractall(folder)
    return sorted(folder.rglob("*.html"))


def test_every_page_fits_and_can_be_read_by_everybody(
    cast: Cast, officer: Actor, tmp_path: Path, chromium: str
) -> None:
    take_in(
        actor_of(cast.clinician), small_ct_object(number=1, size=64), small_ct_object(number=2),
        structured_report(),
    )  # fmt: skip
    case = by_form(kind=Kind.COPY)
    subject = DataSubject.objects.get(organisation__slug="hospital")
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    identify_person(actor=officer, case=case, proof=Proof.KNOWN)
    case.refresh_from_db()
    pages = [
        *unpacked(officer, case, EVERYTHING, tmp_path / "everything"),
        *unpacked(officer, case, Wanted(What.CATEGORIES), tmp_path / "kinds"),
    ]
    assert [one.name for one in pages] == ["REPORT.html", "LOOK.html", "REPORT.html"]
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path in pages:
            for width in (1440, 390):
                for scheme in ("light", "dark"):
                    context = browser.new_context(
                        viewport={"width": width, "height": 900}, color_scheme=scheme
                    )  # type: ignore[call-overload]
                    page = context.new_page()
                    page.goto(path.as_uri())
                    options = {"runOnly": {"type": "tag", "values": RULES}}
                    found = Axe().run(page, options=options).response["violations"]
                    faults += [(path.name, width, scheme, one["id"]) for one in found]
                    wide = "document.documentElement.scrollWidth - window.innerWidth"
                    if page.evaluate(wide) > 0:
                        faults.append((path.name, width, scheme, "wider than the window"))
                    context.close()
        browser.close()
    assert faults == []
