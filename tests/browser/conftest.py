"""A portal that really runs, in a state folder of its own, and a browser to visit it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.prepare import make_bucket
from config.viewer import build

ROOT = Path(__file__).resolve().parent.parent.parent
CLINICIAN, COLLEAGUE = "clinician@hospital.example", "clinician@imaging.example"
OFFICER = "officer@hospital.example"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # WebGL in software, which newer browsers do only when told that it is meant.
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
# Where pictures of every page go, for a person to look at; nowhere unless asked for.
SHOTS = os.environ.get("COLLIMATE_SHOTS", "")
STARTS_WITHIN = 60


@dataclass(frozen=True)
class Site:
    """The running portal."""

    address: str
    environment: dict[str, str]

    def link_of(self, email: str) -> str:
        """Give a fresh one-time link that signs a demonstration account in."""
        done = subprocess.run(
            [sys.executable, "manage.py", "demo_link", "--user", email],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip().split()[-1]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The portal as `make run` starts it, with its demonstration."""
    build()
    folder, port = tempfile.mkdtemp(prefix="collimate-browser-"), _free_port()
    environment = os.environ | {
        "STATE_DIR": folder, "PORT": str(port), "PUBLIC_URL": f"http://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    } | _own_stores()  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "config.prepare"],
        cwd=ROOT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_for(f"http://localhost:{port}/healthz", server)
        yield Site(f"http://localhost:{port}", environment)
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _own_stores() -> dict[str, str]:
    """On the stack: two databases and a bucket of this portal's own."""
    if os.environ.get("COLLIMATE_STACK") != "1":
        return {}
    name = f"browser_{uuid4().hex}"
    server = os.environ["STACK_DATABASE_URL"]
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for database in (name, f"{name}_keys"):
            cursor.execute(f"CREATE DATABASE {database}")
    connection.close()
    bucket = urlsplit(os.environ["STORAGE_URL"])._replace(netloc=name.replace("_", "-")).geturl()
    make_bucket(bucket)
    return {
        "DATABASE_URL": urlsplit(server)._replace(path=f"/{name}").geturl(),
        "KEYS_DATABASE_URL": urlsplit(server)._replace(path=f"/{name}_keys").geturl(),
        "STORAGE_URL": bucket,
    }


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the portal did not start")


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
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
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
