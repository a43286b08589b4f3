"""A portal that really runs, for input that means it ill; and an account of what is left of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
import requests
from django.test import override_settings
from django.utils import timezone

from tests.running import Site, running_portal
from tests.studies.objects import RELATED, an_object, as_parts
from vault.gateways.blob_store import blob_store

CLINICIAN, COLLEAGUE = "clinician@hospital.example", "clinician@imaging.example"
STUDIES, UPLOADS = "/dicom-web/studies", "/api/v1/uploads/"
# What one input may cost, whatever it is.
MOST_MEMORY, MOST_SECONDS = 256 << 20, 10
TABLES = "studies_study studies_series studies_instance studies_blob consent_datasubject".split()


@dataclass(frozen=True)
class Kept:
    """How much there is of everything that an input could leave behind, and of refusals."""

    rows: tuple[int, ...]
    blobs: int
    refusals: int

    @property
    def stored(self) -> tuple[tuple[int, ...], int]:
        return self.rows, self.blobs


@dataclass
class Cost:
    memory: int = 0
    seconds: float = 0.0


class Portal:
    """The running portal, a program with a token in it, and a person with a browser."""

    def __init__(self, site: Site) -> None:
        self.site = site
        # The server is Linux's; its one worker answers everything.
        (worker,) = psutil.Process(site.server).children()
        self.worker = worker

    # Who asks -------------------------------------------------------------------------------
    @cached_property
    def program(self) -> requests.Session:
        return self.program_of(CLINICIAN)

    def program_of(self, email: str) -> requests.Session:
        session = requests.Session()
        token = self.site.token_of(email, "studies:read", "studies:write")
        session.headers["Authorization"] = f"Bearer {token}"
        return session

    @cached_property
    def person(self) -> requests.Session:
        return self.person_of(CLINICIAN)

    def person_of(self, email: str) -> requests.Session:
        """Sign in by the page, as a browser does."""
        session = requests.Session()
        session.get(self.link_of(email))
        assert session.get(self.at("/account/")).ok
        session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
        return session

    def link_of(self, email: str) -> str:
        """Find a link in the list of the sign-in page, which is quicker than a command."""
        page = requests.get(self.at("/sign-in/")).text
        found = re.search(
            rf'action="(/sign-in/demo/[^"]+)"(?:(?!</form>).)*{email}', page, re.DOTALL
        )
        assert found, email
        return self.at(found[1])

    def at(self, path: str) -> str:
        return self.site.address + path

    # Ways in --------------------------------------------------------------------------------
    def stow(self, *objects: bytes, path: str = STUDIES) -> requests.Response:
        body = as_parts(*objects)
        return self.program.post(
            self.at(path), body, headers={"Content-Type": RELATED}, timeout=3 * MOST_SECONDS
        )

    @cached_property
    def upload(self) -> str:
        answer = self.person.post(self.at(UPLOADS), json={"attested": True})
        assert answer.status_code == 201, answer.text
        return f"{UPLOADS}{answer.json()['id']}/objects/"

    def send(self, body: bytes, kind: str = "application/dicom") -> requests.Response:
        """Send one file as the page for sending does."""
        return self.person.post(
            self.at(self.upload), body, headers={"Content-Type": kind}, timeout=3 * MOST_SECONDS
        )

    def check_next_is_taken(self) -> None:
        """The input before must not have closed the way for the next."""
        answer = self.stow(a_new_object())
        assert answer.status_code == 200, answer.text

    # What is there --------------------------------------------------------------------------
    def kept(self) -> Kept:
        return Kept(
            rows=tuple(self.site.count(f"SELECT count(*) FROM {table}") for table in TABLES),
            blobs=self._blobs(),
            refusals=self.site.count("SELECT count(*) FROM audit_event WHERE outcome = 'refused'"),
        )

    def _blobs(self) -> int:
        url = self.site.environment["STORAGE_URL"]
        if url.startswith("file:"):
            # What is half written counts too.
            return sum(path.is_file() for path in Path(urlsplit(url).path).rglob("*"))
        with override_settings(STORAGE_URL=url):
            return len(list(blob_store().names(before=timezone.now() + timedelta(days=1))))

    @contextmanager
    def bounded(self) -> Iterator[Cost]:
        """Let the worker need so much memory and time for what happens in here, and no more."""
        cost, process = Cost(), Path(f"/proc/{self.worker.pid}")
        (process / "clear_refs").write_text("5")  # the peak begins anew
        before, began = self.worker.memory_info().rss, time.monotonic()
        yield cost
        cost.seconds = time.monotonic() - began
        peak = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
        assert peak, "the worker is gone"
        cost.memory = int(peak[1]) * 1024 - before
        assert cost.memory <= MOST_MEMORY and cost.seconds <= MOST_SECONDS, cost


def csrf_field(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "a form without its token"
    return found[1]


def a_new_object() -> bytes:
    """A clean object of a study and a patient that nobody has heard of."""
    number = str(uuid4().int % 10**12)
    return an_object(study=number, patient=f"N-{number}")


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    with running_portal(WEB_WORKERS="1") as site:
        found = Portal(site)
        # What is made once, by the first upload and the first session, is there before counting.
        found.check_next_is_taken()
        assert found.upload
        yield found
        for name in ("program", "person"):
            if name in found.__dict__:
                getattr(found, name).close()
