"""A request in a browser: written by a stranger, confirmed, found in the queue, answered, read.

And every page of it on a small screen, in light and dark, by axe, and without scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    OFFICER,
    Visit,
    Visitor,
    accessibility_faults,
    overflow,
    shoot,
)
from tests.running import Site, running_portal

pytestmark = [pytest.mark.browser, pytest.mark.pages]
PATIENT = "patient@home.example"
NUMBER = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
# What a worker does, which these portals have none of.
WORK = (
    "from jobs.models import Job\n"
    "from jobs.rules.states import State\n"
    "from jobs.services import run_job\n"
    "for job in Job.objects.filter(kind__startswith='dsar.', state=State.WAITING):\n"
    "    run_job(job_id=job.pk)\n"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_portal() as site:
        yield site


def link_in_mail(visitor: Visitor, to: str) -> str:
    """Let the mail go out, and give the link of the latest letter to this address."""
    visitor.site.command("shell", "-c", WORK)
    page = visitor.go("/outbox/")
    letter = page.locator("article", has_text=to).first
    found = re.search(r"https?://\S+/requests/\S+", letter.inner_text())
    assert found is not None
    return found[0].removeprefix(visitor.site.address)


def number_on(page: Page) -> str:
    found = NUMBER.search(page.locator("main").inner_text())
    assert found is not None
    return found[0]


def ask(visitor: Visitor, email: str) -> str:
    """Write a request from France, and confirm it; give its number."""
    page = visitor.go("/requests/new/")
    page.get_by_role("link", name="Hudson Valley Hospital").click()
    page.get_by_label("Country you live in").select_option("FR")
    page.get_by_role("button", name="Show my rights").click()
    expect(page.locator("main")).to_contain_text("GDPR: one calendar month")
    page.get_by_text("Have something corrected").click()
    page.get_by_label("In your own words").fill("My year of birth is wrong: 1972, not 1927.")
    page.get_by_label("Your name").fill("Greta Marker")
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_role("button", name="Send, and confirm by mail").click()
    expect(page.locator("h1")).to_have_text("Look into your mail")
    page = visitor.go(link_in_mail(visitor, email))
    page.get_by_role("button", name="Yes, send my request").click()
    expect(page.locator("[role=status]")).to_contain_text("Your request was received")
    return number_on(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_form_to_the_answer_that_is_read(visit: Visit, scripts: bool) -> None:
    email = f"greta-{scripts}@post.example".lower()
    stranger = visit(scripts=scripts)
    number = ask(stranger, email)
    shoot(stranger.page, f"request-received-{scripts}")

    officer = visit(OFFICER, scripts=scripts)
    page = officer.go("/requests/")
    expect(page.locator("table")).to_contain_text(number)
    page.get_by_role("link", name=number).click()
    expect(page.locator("main")).to_contain_text("1972, not 1927")
    expect(page.locator("main")).to_contain_text("GDPR Art. 12(3), 16")
    page.get_by_role("link", name="Answer", exact=True).click()
    expect(page.get_by_label("Done as asked")).to_have_count(0)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Note who asks").click()
    page.get_by_label("I saw an identity document").check()
    page.get_by_role("button", name="Note it").click()
    page.get_by_role("link", name="Answer", exact=True).click()
    page.get_by_label("Done as asked").check()
    page.get_by_label("It was about something else than images").check()
    page.get_by_label("The answer").fill("It says 1972 now. Thank you for telling us.")
    page.get_by_role("button", name="Give this answer").click()
    expect(page.locator("main")).to_contain_text("Answered: Done as asked")

    page = stranger.go(link_in_mail(stranger, email))
    expect(page.locator("main")).to_contain_text("It says 1972 now.")
    shoot(page, f"request-answered-{scripts}")

    officer.go("/requests/?shown=done")
    officer.page.get_by_role("link", name=number).click()
    officer.page.get_by_role("link", name="Close", exact=True).click()
    officer.page.get_by_role("button", name="Close it").click()
    expect(officer.page.locator("main")).to_contain_text("Closed")
    for one in (stranger, officer):
        assert one.faults == []
        assert one.foreign_requests() == set()
        if scripts:
            assert one.page.evaluate("() => window.violations") == []


def test_a_letter_is_written_down_with_the_keyboard(visit: Visit) -> None:
    """LIFEIMAGE-17.2."""
    officer = visit(OFFICER)
    page = officer.go("/requests/record/")
    came = (timezone.now() - timedelta(days=9)).date()
    page.get_by_label("Post").focus()
    page.keyboard.press("Space")
    page.get_by_label("On which day did it come?").fill(came.isoformat())
    page.get_by_label("What is asked for?").select_option("erasure")
    page.get_by_label("Name of whoever asks").fill("Hans Brief")
    page.get_by_label("What was written or said").fill("Please delete all there is about me.")
    page.get_by_label("What was written or said").press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("Written down as")
    expect(page.locator("main")).to_contain_text("none given: send letters")
    expect(page.locator("main")).to_contain_text(f"from {came.day} {came:%B %Y}")


@pytest.mark.layout
@pytest.mark.parametrize(("width", "dark"), [(320, False), (1440, True)])
def test_every_page_of_requests_fits_and_can_be_read_by_everybody(
    visit: Visit, width: int, dark: bool
) -> None:
    stranger = visit(width=width, dark=dark)
    number = ask(stranger, f"page-{width}@post.example")
    pages = {
        "read": stranger.page.url.removeprefix(stranger.site.address),
        "new": "/requests/new/",
        "form": "/requests/new/hospital/?country=US&state=CA",
        "sent": "/requests/new/hospital/sent/",
        "ended": "/requests/read/forged/",
    }
    found = faults_on(stranger, pages, width)
    officer = visit(OFFICER, width=width, dark=dark)
    acts = ("answer", "identify", "assign", "note", "ask-detail", "extend", "close")
    found |= faults_on(
        officer,
        {
            "queue": "/requests/",
            "late": "/requests/?shown=late",
            "record": "/requests/record/",
            "case": f"/requests/{number}/",
            "letter": f"/requests/{number}/letter/",
            "mine": "/requests/mine/",
            **{act: f"/requests/{number}/{act}/" for act in acts},
        },
        width,
    )
    assert {name: faults for name, faults in found.items() if faults} == {}


def faults_on(visitor: Visitor, pages: dict[str, str], width: int) -> dict[str, list[str]]:
    found = {}
    for name, path in pages.items():
        page = visitor.go(path)
        shoot(page, f"requests-{name}-{width}")
        found[name] = accessibility_faults(page)
        if overflow(page) > 0:
            found[name].append(f"{overflow(page)} px too wide")
    return found


def test_a_patient_asks_while_signed_in(visit: Visit) -> None:
    patient = visit(PATIENT)
    page = patient.go("/requests/mine/")
    page.get_by_role("link", name="Ask, or make a request").click()
    page.get_by_role("link", name="Hudson Valley Hospital").click()
    page.get_by_text("Know who looked at my data").click()
    page.get_by_label("In your own words").fill("Who looked at my knee in spring?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("[role=status]")).to_contain_text("Its number is")
    number = number_on(page)
    expect(patient.go("/requests/mine/").locator("table")).to_contain_text(number)
