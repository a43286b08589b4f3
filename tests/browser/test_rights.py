"""Five journeys of rights, each under another policy, and the pages that they pass.

Under GDPR, CCPA, HIPAA, in a practice for animals, and where the provider answers. That an
amendment is denied and disagreed with is in test_directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NOW, OFFICER, Visit, Visitor, check, due_on, work
from tests.dsar.papers import picture
from tests.running import Site, running_portal

pytestmark = pytest.mark.browser
# Works as officer for the German practice, and for the two organisations made below.
GERMAN = "officer@imaging.example"
VET, OWNER, PATIENT = "admin@practice.example", "owner@home.example", "patient@home.example"
NUMBER = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
# Two more organisations, so that every shipped policy is somebody's.
MORE = """if True:
    from accounts.models import Membership, MembershipRole, Organisation, User
    from accounts.rules import Role
    from accounts.services.policy import adopt_pack
    from accounts.services.policy_gate import *
    from accounts.services.acceptance import write_answer
    from policies.rules.categories import Category
    from policies.rules.gate import using
    from policies.rules.purposes import Purpose
    from policies.selectors import effective_pack
    user = User.objects.with_email("officer@imaging.example").get()
    for slug, name, pack, state, regimes in (
        ("planning", "Alder Planning", "surgical-planning", "CA", ["hipaa", "ccpa", "gdpr",
         "uk-gdpr", "ch-fadp", "caloppa", "shine-the-light", "ny-shield"]),
        ("share", "Bay Image Share", "image-share", "MD", ["hipaa"]),
    ):
        made = Organisation.objects.create(
            slug=slug, name=name, kind=Organisation.Kind.IMAGING_CENTRE, country="US",
            state=state, residency_region="us", regimes=regimes,
            privacy_email=f"officer@{slug}.example",
        )
        adopt_pack(organisation=made, pack_code=pack, changes={"title": f"Policy of {name}"})
        member = Membership.objects.create(user=user, organisation=made)
        MembershipRole.objects.create(membership=member, role=Role.OFFICER)
        with using(Purpose.AUTHENTICATION, Category.ACCOUNT):
            write_answer(membership=member, pack=effective_pack(made.pk), accepts=True)
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_portal(at=NOW) as site:
        site.command("shell", "-c", MORE)
        yield site


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "permission.png"
    path.write_bytes(picture(size=(600, 400)))
    return path


def mailed(visitor: Visitor, to: str, page: str = "") -> str:
    """Let the mail go out, and give the link of the latest letter to this address.

    `page` says which kind of link, where letters of two kinds go out at once.
    """
    work(visitor.site, "dsar.")
    letters = visitor.go("/outbox/").locator("article", has_text=to)
    letter = letters.filter(has_text=f"/requests/{page}").first
    found = re.search(rf"https?://\S+/requests/{page}\S+", letter.inner_text())
    assert found is not None
    return found[0].removeprefix(visitor.site.address)


def number_on(page: Page) -> str:
    found = NUMBER.search(page.locator("main").inner_text())
    assert found is not None
    return found[0]


def ask(
    visitor: Visitor, slug: str, kind: str, email: str, *, lives: str = "", for_child: str = ""
) -> str:
    """Ask at the public form and confirm by mail; the request's page is open then."""
    page = visitor.go(f"/requests/new/{slug}/{lives}")
    page.get_by_text(kind, exact=True).click()
    page.get_by_label("In your own words").fill("All that you have of last year, please.")
    page.get_by_label("Your name").fill("Jörg Brandt")
    page.get_by_label("Your e-mail address").fill(email)
    if for_child:
        page.get_by_text("I ask for somebody else, or for a child").click()
        page.get_by_label("A child whose parent or guardian I am").check()
        page.get_by_label("Name of the person you ask for").fill(for_child)
        page.get_by_label("Age of the child").fill("9")
    page.get_by_role("button", name="Send, and confirm by mail").click()
    link = mailed(visitor, email, "confirm/")
    visitor.go(link).get_by_role("button", name="Yes, send my request").click()
    expect(page.locator("[role=status]")).to_contain_text("Your request was received")
    return number_on(page)


def at_work(visit: Visit, organisation: str) -> Visitor:
    """The officer of several organisations, working for this one."""
    officer = visit(GERMAN)
    page = officer.go("/account/")
    page.get_by_label(organisation).check()
    page.get_by_role("button", name="Change", exact=True).click()
    return officer


def find(page: Page, name: str) -> None:
    page.get_by_role("link", name="Find what is held").click()
    page.get_by_label("Name begins with").fill(name)
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="The request is about the ticked ones").click()
    expect(page.locator("[role=status]")).to_contain_text("Noted whom")


def step_up(page: Page) -> None:
    if "/sign-in/again/" in page.url:
        page.locator("main form button").first.click()


def made_copy(page: Page) -> str:
    """Have the copy made; give the code that opens it, which an account does not need."""
    make = page.get_by_role("button", name="Make the copy")
    make.click()
    step_up(page)
    if make.count():
        make.click()
    expect(page.locator("[role=status]")).to_contain_text("The copy is being made")
    shown = page.locator("section[aria-labelledby=copy] .alert strong")
    return shown.inner_text() if shown.count() else ""


def answer(page: Page, words: str) -> None:
    page.get_by_role("link", name="Answer", exact=True).click()
    page.get_by_label("Done as asked").check()
    page.get_by_label("The answer").fill(words)
    page.get_by_role("button", name="Give this answer").click()


def test_a_german_patient_has_access_within_a_month_and_a_copy_by_code(visit: Visit) -> None:
    """Radiology information system, GDPR: by two ways of proof, the copy by link and code."""
    stranger, officer = visit(), at_work(visit, "Radiologie am Isartor")
    number = ask(stranger, "imaging", "Have a copy", "joerg@post.example", lives="?country=DE")
    own = stranger.page.url.removeprefix(stranger.site.address)
    expect(stranger.page.locator("main")).to_contain_text("GDPR Art. 12(3)")
    page = officer.go(f"/requests/{number}/")
    # The policy promises four weeks; the month of the law would end on a Sunday.
    due_on(page, "28 February 2027", ("GDPR (European", "1 March 2027"))
    find(page, "Brandt")
    page.get_by_text("not shown yet to be theirs").wait_for()
    page = officer.go(f"/requests/{number}/identify/")
    check(page, "rights-identify")
    page.get_by_role("link", name="Send a code instead").click()
    check(page, "rights-code")
    page.get_by_label("Telephone number").check()
    page.get_by_role("button", name="Make the code").click()
    code = page.locator("strong.code").inner_text()
    page = stranger.go(own)
    check(page, "rights-code-asked")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Give the code").click()
    expect(page.locator("[role=status]")).to_contain_text("you gave the code")
    page = officer.go(f"/requests/{number}/identify/")
    page.get_by_label("Facts that only they know match the record").check()
    for fact in ("Number of the patient", "Day of birth"):
        page.get_by_label(fact).check()
    page.get_by_label("They signed, under penalty of perjury").check()
    page.get_by_role("button", name="Note it").click()
    page = officer.go(f"/requests/{number}/held/")
    check(page, "rights-held")
    code = made_copy(page)
    work(officer.site, "dsar.")
    page = officer.go(f"/requests/{number}/")
    answer(page, "It is all in the copy.")
    page = stranger.go(own)
    page.get_by_role("link", name="Fetch your copy").click()
    page.get_by_label("Code").fill(code)
    with page.expect_download() as loading:
        page.get_by_role("button", name="Fetch the copy").click()
    assert loading.value.suggested_filename == f"copy-{number}.zip"
    assert stranger.faults == officer.faults == []


def test_a_californian_knows_opts_out_by_signal_and_asks_once_a_year(visit: Visit) -> None:
    """Planning, CCPA: 45 days, no proof for an opt-out, the browser's signal, Shine the Light."""
    stranger, officer = visit(), at_work(visit, "Alder Planning")
    lives = "?country=US&state=CA"
    page = stranger.go(f"/requests/new/planning/{lives}")
    expect(page.locator("main")).to_contain_text(
        "California Consumer Privacy Act: 45 calendar days"
    )
    number = ask(stranger, "planning", "Opt out of sale and sharing", "cal@post.example",
                 lives=lives)  # fmt: skip
    page = officer.go(f"/requests/{number}/")
    # Fifteen business days, of which Presidents' Day is none.
    due_on(page, "22 February 2027", ("California Consumer", "22 February 2027"))
    expect(page.locator("main")).to_contain_text("need not be proven")
    expect(page.get_by_role("link", name="Note who asks")).to_have_count(1)
    number = ask(stranger, "planning", "Know what is held about me", "cal@post.example",
                 lives=lives)  # fmt: skip
    again = ask(stranger, "planning", "Know what is held about me", "cal@post.example",
                lives=lives)  # fmt: skip
    page = officer.go(f"/requests/{again}/")
    due_on(page, "5 February 2027",
           ("Patient access to records", "5 February 2027"),
           ("California Consumer", "17 March 2027"))  # fmt: skip
    expect(page.locator("main")).to_contain_text("Asked before")
    page.get_by_role("link", name="Join to the earlier request").click()
    check(page, "rights-join")
    page.get_by_role("button", name="Join them").click()
    expect(page.locator("main")).to_contain_text(f"as request {number}")
    patient = visit(PATIENT)
    patient.context.set_extra_http_headers({"Sec-GPC": "1"})
    page = patient.go("/account/")
    assert patient.site.count("SELECT count(*) FROM accounts_saleoptout") == 1
    assert page.locator("h1").count() == 1


def test_an_owner_has_everything_about_their_animal(visit: Visit) -> None:
    """Veterinary teleradiology: the animal's owner is the person, signed in."""
    owner, vet = visit(OWNER), visit(VET)
    page = owner.go("/requests/new/practice/")
    page.get_by_text("Have a copy", exact=True).click()
    page.get_by_label("In your own words").fill("Everything about my dog, please.")
    page.get_by_role("button", name="Send", exact=True).click()
    number = number_on(page)
    due_on(vet.go(f"/requests/{number}/"), "28 February 2027", ("HIPAA", "2 March 2027"))
    page = vet.go(f"/requests/{number}/held/")
    made_copy(page)
    work(vet.site, "dsar.")
    answer(vet.go(f"/requests/{number}/"), "Here is everything.")
    page = owner.go(f"/requests/mine/{number}/")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Fetch your copy").click()
        step_up(page)
    assert loading.value.suggested_filename == f"copy-{number}.zip"


def test_a_patients_request_goes_on_to_the_provider_with_its_clock(visit: Visit) -> None:
    """Planning, as processor: handed on to the hospital that sent the images."""
    stranger, officer, provider = visit(), at_work(visit, "Alder Planning"), visit(OFFICER)
    number = ask(stranger, "planning", "Know what is held about me", "paula@post.example")
    page = officer.go(f"/requests/{number}/")
    due_on(page, "5 February 2027",
           ("GDPR (European", "1 March 2027"), ("UK GDPR", "1 March 2027"),
           ("Switzerland", "2 March 2027"))  # fmt: skip
    due = page.locator("#clocks").inner_text()
    page.get_by_role("link", name="Hand on to the provider").click()
    page.get_by_label("Which organisation sent the data?").select_option("Hudson Valley Hospital")
    page.get_by_label("To the person").fill("The hospital decides about your images.")
    page.get_by_role("button", name="Hand it on").click()
    assert officer.go(f"/requests/{number}/").locator("h1").inner_text() != ""
    page = provider.go(f"/requests/{number}/")
    expect(page.locator("main")).to_contain_text("Handed on to another organisation")
    assert page.locator("#clocks").inner_text() == due


def test_a_guardian_shows_it_and_the_answer_goes_where_the_paper_says(
    visit: Visit, paper: Path
) -> None:
    """Image sharing: a child's parent, a paper by the link of a letter, the person told."""
    stranger, officer = visit(), at_work(visit, "Bay Image Share")
    number = ask(stranger, "share", "Know what is held about me", "parent@post.example",
                 for_child="Tim Brandt")  # fmt: skip
    own = stranger.page.url.removeprefix(stranger.site.address)
    check(stranger.page, "rights-paper-asked")
    stranger.page.get_by_label("The file").set_input_files(paper)
    stranger.page.get_by_role("button", name="Send the paper").click()
    expect(stranger.page.locator("[role=status]")).to_contain_text("Your paper was received")
    page = officer.go(f"/requests/{number}/")
    check(page, "rights-in-name")
    page.get_by_role("link", name=re.compile("Papers")).click()
    check(page, "rights-papers")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Save it").click()
        step_up(page)
    assert loading.value.suggested_filename == f"{number}-authority.png"
    page = officer.go(f"/requests/{number}/authority/")
    check(page, "rights-authority")
    page.get_by_label("Authority to act for somebody, taken in").check()
    page.get_by_label("To whoever asks: the paper says so").check()
    page.get_by_role("button", name="Note it").click()
    page.get_by_role("link", name="Tell the person").click()
    check(page, "rights-tell")
    page.get_by_label("E-mail address of the person").fill("tim@record.example")
    page.get_by_role("button", name="Tell them").click()
    child = visit()
    page = child.go(mailed(child, "tim@record.example"))
    check(page, "rights-person")
    page.get_by_role("button", name="Yes, they ask for me").click()
    expect(page.locator("main")).to_contain_text("You confirmed it")
    page = officer.go(f"/requests/{number}/identify/")
    page.get_by_label("They are known here and came in person").check()
    page.get_by_role("button", name="Note it").click()
    answer(page, "Nothing but this request.")
    expect(stranger.go(own).locator("main")).to_contain_text("Nothing but this request.")


@pytest.mark.layout
def test_the_pages_beside_the_journeys_fit_and_can_be_read_by_everybody(visit: Visit) -> None:
    patient, officer = visit(PATIENT), visit(OFFICER)
    page = patient.go("/requests/new/hospital/")
    page.get_by_text("I ask for somebody else, or for a child").click()
    check(page, "rights-form")
    page.get_by_text("Have a copy", exact=True).click()
    page.get_by_label("In your own words").fill("All my images, please.")
    page.get_by_role("button", name="Send", exact=True).click()
    number = number_on(page)
    for name in ("register", "transfers", f"{number}/documents", f"{number}/ask-document",
                 f"{number}/quote-fee", "record"):  # fmt: skip
        check(officer.go(f"/requests/{name}/"), f"rights-{name.rpartition('/')[2]}")
    page = officer.go(f"/requests/{number}/quote-fee/")
    page.get_by_label("Copying, with what it is copied onto: amount").fill("6.50")
    page.get_by_label("Copying, with what it is copied onto: what").fill("One disc")
    page.get_by_label("To the person").fill("A disc, and its copying.")
    page.get_by_role("button", name="Quote it").click()
    check(officer.page, "rights-quoted")
    page = patient.go(f"/requests/mine/{number}/")
    check(page, "rights-fee")
    page.get_by_role("button", name="Accept 6.50 USD").click()
    expect(page.locator("[role=status]")).to_contain_text("Accepted")
