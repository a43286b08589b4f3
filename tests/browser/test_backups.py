"""A portal that runs is backed up, loses studies for good, and is restored beside its server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OFFICER, Visit, accessibility_faults, overflow, shoot
from tests.browser.test_retention import ADMIN, approve
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A portal of its own, with two places for its backups."""
    folder = tmp_path_factory.mktemp("places")
    places = {"BACKUP_URL": f"{folder}/data", "BACKUP_KEYS_URL": f"file://{folder}/keys"}
    with running_portal(**places) as site:
        site.command("plan_disposal")
        site.command("backup")
        yield site


def status_of(site: Site, path: str) -> int:
    try:
        with urllib.request.urlopen(site.address + path) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_what_was_destroyed_stays_gone_after_a_restore_beside_a_running_server(
    visit: Visit,
) -> None:
    officer, admin = visit(OFFICER, scripts=False), visit(ADMIN, scripts=False)
    site = officer.site
    before = site.count("SELECT count(*) FROM studies_study")
    due = site.count("SELECT count(*) FROM retention_disposalitem WHERE step = 'planned'")
    assert due > 0
    for visitor in (officer, admin):
        approve(visitor)
    site.command("run_disposal")
    site.command("backup", "--ledgers")
    certificate = officer.go("/retention/certificates/1/")
    expect(certificate.locator("main")).to_contain_text(
        "expected to hold copies of these keys until"
    )

    data, keys = site.environment["BACKUP_URL"], site.environment["BACKUP_KEYS_URL"]
    command = ("restore", data, "--keys-from", keys)
    assert site.command(*command, check=False).returncode != 0
    said = site.command(*command, "--replace", urlsplit(site.address).netloc).stdout
    assert f"Destroyed again: {due} studies" in said
    assert status_of(site, "/readyz") == status_of(site, "/sign-in/") == 200

    assert site.count("SELECT count(*) FROM studies_study") == before - due
    assert "Verified" in site.command("verify_audit").stdout
    # Nobody is signed in any more; whoever signs in sees what there is.
    assert "sign-in" in officer.go("/").url
    page = visit(ADMIN, scripts=False).go("/retention/backups/")
    expect(page.locator("main")).to_contain_text("whole")
    assert len(list(Path(data).glob("generations/*/manifest"))) == 1


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, True), (1440, False)])
def test_every_page_of_backups_fits_and_is_accessible(visit: Visit, width: int, dark: bool) -> None:
    admin = visit(ADMIN, width=width, dark=dark)
    admin.site.command("drill_restore")
    page = admin.go("/retention/backups/hardware/")
    shoot(page, f"backups-hardware-none-{width}")
    page.get_by_label("Serial number").fill(f"S-{width}")
    page.get_by_role("button", name="Enter it").click()
    device = urlsplit(page.url).path
    drill = admin.go("/retention/backups/").locator("ul.plain-list a").first.get_attribute("href")
    assert drill is not None
    wrong = {}
    for name, path in {
        "overview": "/retention/backups/", "drill": drill, "device": device,
        "hardware": "/retention/backups/hardware/",
    }.items():  # fmt: skip
        page = admin.go(path)
        shoot(page, f"backups-{name}-{width}-{'dark' if dark else 'light'}")
        faults = accessibility_faults(page)
        if overflow(page) > 0:
            faults.append(f"{overflow(page)} px too wide")
        if faults:
            wrong[name] = faults
    assert wrong == {}
    assert admin.faults == []
