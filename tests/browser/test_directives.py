"""Saying no, and having something corrected, in a browser; every page of it small, large, light
and dark, by axe, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    NOW,
    OFFICER,
    Visit,
    Visitor,
    accessibility_faults,
    due_on,
    overflow,
    shoot,
)
from tests.running import Site, running_portal

pytestmark = [pytest.mark.browser, pytest.mark.pages]
PATIENT, CLINICIAN = "patient@home.example", "clinician@hospital.example"
NUMBER = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_portal(at=NOW) as site:
        yield site


def asked(patient: Visitor, label: str, words: str) -> str:
    page = patient.go("/requests/new/hospital/")
    page.get_by_text(label, exact=True).click()
    page.get_by_label("In your own words").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()
    found = NUMBER.search(page.locator("[role=status]").inner_text())
    assert found is not None
    return found[0]


def own_page(patient: Visitor) -> str:
    page = patient.go("/my/")
    link = page.get_by_role("link", name="Lock it, limit its use or opt out").first
    path = link.get_attribute("href")
    assert path is not None
    return path


def faults_on(visitor: Visitor, name: str, path: str, width: int) -> list[str]:
    page = visitor.go(path)
    shoot(page, f"{name}-{width}")
    return looked_at(page)


def looked_at(page: Page) -> list[str]:
    found = accessibility_faults(page)
    return found + ([f"{overflow(page)} px too wide"] if overflow(page) > 0 else [])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_patient_says_no_and_takes_it_back(visit: Visit, scripts: bool) -> None:
    patient = visit(PATIENT, scripts=scripts)
    page = patient.go(own_page(patient))
    page.get_by_label("Locked.").check()
    page.get_by_label("Research and teaching").check()
    page.get_by_label("Why, if you like to say").fill("I want to think about it.")
    page.get_by_role("button", name="Say no from now on").click()
    expect(page.locator("[role=status]")).to_contain_text("It holds from this moment on")
    expect(page.locator("main")).to_contain_text("Locked: Research")
    page.get_by_role("link", name="Lift").first.click()
    if "step-up" in page.url:
        page.locator("main form button").first.click()
    page.get_by_role("button", name="Lift it").click()
    expect(page.locator("main")).to_contain_text("Was lifted")
    assert patient.faults == []
    assert patient.foreign_requests() == set()


def test_a_correction_is_refused_disagreed_with_and_replied_to(visit: Visit) -> None:
    patient, officer = visit(PATIENT), visit(OFFICER)
    number = asked(patient, "Have something corrected", "My birth date is wrong in all images.")
    # Sixty days of HIPAA, where a month of the policy comes first.
    due_on(officer.go(f"/requests/{number}/"), "2 March 2027", ("HIPAA", "1 April 2027"))
    page = officer.go(f"/requests/{number}/answer/")
    page.get_by_role("radio", name="Refused").check()
    page.get_by_label("Why it is refused").select_option("accurate-and-complete")
    page.get_by_label("The answer").fill("Your passport says the same date.")
    page.get_by_role("button", name="Give this answer").click()
    page = patient.go(f"/requests/mine/{number}/")
    expect(page.locator("main")).to_contain_text("164.526(a)(2)(iv)")
    page.get_by_label("Your statement").fill("The passport office copied the hospital's error.")
    page.get_by_role("button", name="Add this statement").click()
    expect(page.locator("main")).to_contain_text("Statement of disagreement")
    page = officer.go(f"/requests/{number}/")
    page.get_by_role("link", name="Reply to the statement").click()
    page.get_by_label("In writing").fill("We asked the passport office, and they did not.")
    page.get_by_role("button", name="Give this reply").click()
    expect(page.locator("main")).to_contain_text("Reply to the statement")
    page = visit(CLINICIAN).go("/")
    page.locator("table a", has_text="Adler").first.click()
    expect(page.locator("main")).to_contain_text("copied the hospital's error")


@pytest.mark.layout
@pytest.mark.parametrize(
    ("width", "dark"), [(390, False), (320, True), (1440, True), (1440, False)]
)
def test_every_page_fits_and_can_be_read_by_everybody(visit: Visit, width: int, dark: bool) -> None:
    patient, officer = (
        visit(PATIENT, width=width, dark=dark),
        visit(OFFICER, width=width, dark=dark),
    )
    theme, found = "dark" if dark else "light", {}
    path = own_page(patient)
    page = patient.go(path)
    page.get_by_label("Opted out of sale and sharing").check()
    page.get_by_role("button", name="Say no from now on").click()
    expect(page.locator("[role=status]")).to_contain_text("It holds")
    lift = page.get_by_role("link", name="Lift").first.get_attribute("href") or ""
    page.get_by_label("Sensitive data limited").check()
    page.get_by_label("Second opinion").check()
    page.get_by_role("button", name="Say no from now on").click()
    shoot(page, f"directives-refused-{theme}-{width}")
    found["refused"] = looked_at(page)
    found["own"] = faults_on(patient, f"directives-own-{theme}", path, width)
    found["officer"] = faults_on(officer, f"directives-officer-{theme}", path, width)
    found["lift"] = faults_on(patient, f"directives-lift-{theme}", lift, width)
    for label, name in (("Have something locked", "restriction"),
                        ("Have something corrected", "correction")):  # fmt: skip
        number = asked(patient, label, "Something about my images, please.")
        path = f"/requests/{number}/answer/"
        found[name] = faults_on(officer, f"answer-{name}-{theme}", path, width)
    page = officer.page
    page.get_by_label("Done as asked").check()
    page.get_by_label("Birth date").fill("1972-03-32")
    page.get_by_label("Description of the study").fill(f"Corrected {theme} {width}")
    page.get_by_label("The answer").fill("We put it right.")
    page.get_by_role("button", name="Give this answer").click()
    shoot(page, f"answer-wrong-{theme}-{width}")
    found["wrong"] = looked_at(page)
    page.get_by_label("Birth date").fill("1972-03-15" if dark else "1972-03-16")
    page.get_by_role("button", name="Give this answer").click()
    expect(page.locator("main")).to_contain_text("What was corrected")
    found["case"] = faults_on(officer, f"case-corrected-{theme}", f"/requests/{number}/", width)
    letter = f"/requests/{number}/letter/"
    found["letter"] = faults_on(officer, f"letter-corrected-{theme}", letter, width)
    mine = f"/requests/mine/{number}/"
    found["mine"] = faults_on(patient, f"mine-corrected-{theme}", mine, width)
    assert {name: faults for name, faults in found.items() if faults} == {}
