"""A portal that really runs, in a state folder of its own, and a browser to visit it with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from config.viewer import build
from tests.running import Site, running_portal

CLINICIAN, COLLEAGUE = "clinician@hospital.example", "clinician@imaging.example"
OFFICER = "officer@hospital.example"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # WebGL in software, which newer browsers do only when told that it is meant.
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
# Where journeys set the clock: a Sunday, and the last of a long month, from which laws count a
# month differently.
NOW = datetime(2027, 1, 31, 9, 0, tzinfo=UTC)
# Where pictures of every page go, for a person to look at; nowhere unless asked for.
SHOTS = os.environ.get("COLLIMATE_SHOTS", "")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The portal as `make run` starts it, with its demonstration."""
    build()
    with running_portal() as site:
        yield site


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for each file: its event loop must be gone when tests of other files run."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Visitor:
    """One person with a browser of their own, and what went wrong on the pages they saw."""

    site: Site
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def sign_in(self, email: str) -> None:
        self.page.goto(self.site.link_of(email))
        # A link alone signs nobody in: mail scanners follow links.
        button = self.page.locator("main form button")
        if "/sign-in/demo/" in self.page.url and button.count():
            button.first.click()
        self.page.locator(".whoami").wait_for()

    def go(self, path: str) -> Page:
        self.page.goto(self.site.address + path)
        return self.page

    def foreign_requests(self) -> set[str]:
        ours = (self.site.address, "blob:", "data:")
        return {one for one in self.requests if not one.startswith(ours)}


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """Open a browser: ``visit(email, width=390, dark=True, scripts=False)``."""
    opened: list[BrowserContext] = []

    def visit_as(
        email: str = "", *, width: int = 1440, dark: bool = False, scripts: bool = True
    ) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            accept_downloads=True,
        )
        opened.append(context)
        if scripts:
            context.add_init_script(
                "window.violations = []; document.addEventListener('securitypolicyviolation',"
                "(e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));"
            )
        visitor = Visitor(site, context, context.new_page())
        context.on("request", lambda request: visitor.requests.append(request.url))
        visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
        if email:
            visitor.sign_in(email)
        return visitor

    yield visit_as
    for context in opened:
        context.close()


def accessibility_faults(page: Page) -> list[str]:
    """Ask axe for what WCAG 2.2 A and AA forbid on the page as it is now."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": {"type": "tag", "values": tags}}
    try:
        found = Axe().run(page, options=options)
    except Error:
        # The page that a click leads to came while the one before was looked at.
        page.wait_for_load_state()
        found = Axe().run(page, options=options)
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found.response["violations"]
        for node in one["nodes"][:5]
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window: what axe does not see."""
    wide: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wide


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def check(page: Page, name: str) -> None:
    """What every page of a journey has to be: readable by machines, no wider than its window."""
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert accessibility_faults(page) == [], name
        assert overflow(page) == 0, name
        shoot(page, f"{name}-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def due_on(page: Page, first: str, *clocks: tuple[str, str]) -> None:
    """The day that counts, and by which law which last day."""
    expect(page.locator("#clocks")).to_have_text(f"Answer by {first}")
    shown = page.locator("section[aria-labelledby=clocks] tbody tr")
    for law, day in clocks:
        row = shown.filter(has_text=law).filter(has_text="the answer")
        expect(row.locator("td, th").first).to_have_text(day)


def work(site: Site, room: str) -> None:
    """Do what a worker does, which these portals have none of, for the jobs of one room."""
    site.command(
        "shell",
        "-c",
        f"""if True:
        from jobs.models import Job
        from jobs.rules.states import State
        from jobs.services import run_job
        waiting = Job.objects.filter(kind__startswith='{room}', state=State.WAITING)
        for job in waiting.order_by('created_at'):
            run_job(job_id=job.pk)""",
    )


@pytest.fixture(scope="session")
def folder_of_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pydicom's own test files, as a folder that somebody got from a scanner."""
    folder = tmp_path_factory.mktemp("dicom") / "from-the-scanner"
    folder.mkdir()
    source = Path(pydicom.__file__).parent / "data" / "test_files"
    for path in sorted(source.glob("*.dcm")):
        shutil.copy(path, folder / path.name)
    (folder / "notes.txt").write_text("not an image")
    return folder
