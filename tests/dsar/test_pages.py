"""The pages of requests: the public form, the letter's link, the queue, one case, one's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case, RequestDraft
from dsar.rules.kinds import Kind
from dsar.rules.numbers import PATTERN
from dsar.rules.states import Outcome, State
from dsar.selectors import confirm_token, read_token
from dsar.services import handling, intake
from tests.dsar.asking import FORM, WRITTEN, by_form, path_in, post, signed_in
from tests.factories import Cast, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]
Browsers = Callable[[User], Client]


# The public form ----------------------------------------------------------------------------------
def test_a_stranger_finds_whom_to_ask_from_every_page(cast: Cast) -> None:
    browser = Client()
    assert 'href="/requests/new/"' in browser.get("/sign-in/").content.decode()
    assert FORM in browser.get("/requests/new/").content.decode()
    assert FORM in browser.get("/notice/hospital/").content.decode()


@pytest.mark.parametrize("slug", ["nobody", "hospital-2"])
def test_there_is_no_form_for_an_organisation_that_is_not_there(cast: Cast, slug: str) -> None:
    assert Client().get(f"/requests/new/{slug}/").status_code == 404


def test_there_is_no_form_before_there_is_a_policy(cast: Cast) -> None:
    Organisation.objects.create(slug="young", name="Young", kind="hospital", country="US",
                                residency_region="us", privacy_email="a@young.example")  # fmt: skip
    assert Client().get("/requests/new/young/").status_code == 404
    assert "young" not in Client().get("/requests/new/").content.decode()


@time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False)
def test_a_resident_of_france_is_offered_the_rights_of_the_gdpr_and_one_month(cast: Cast) -> None:
    """AVMI-10.3."""
    said = text_of(Client().get("/requests/new/practice/?country=FR"))
    assert "GDPR" in said
    for right in ("Have something deleted", "Object to a use", "Take my data elsewhere"):
        assert right in said
    assert "GDPR: one calendar month, 1 October 2026." in said
    assert "California Consumer" not in said


@time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False)
def test_what_is_offered_follows_from_where_one_lives(cast: Cast) -> None:
    swiss = text_of(Client().get("/requests/new/practice/?country=CH"))
    assert "Federal Act on Data Protection" in swiss and "GDPR" not in swiss
    texan = text_of(Client().get("/requests/new/practice/?country=US&state=TX"))
    assert "GDPR" not in texan and "Opt out of sale" not in texan
    # Everybody can ask; the policy's own promise counts where no law gives a time.
    assert "Have something deleted" in texan


@pytest.mark.parametrize(
    "query", ["country=XX", "country=DE&state=CA", "state=CA", "country=US&state=ZZ"]
)
def test_a_place_that_is_none_is_said_to_be_wrong_and_nothing_breaks(
    cast: Cast, query: str
) -> None:
    answer = Client().get(f"{FORM}?{query}")
    assert answer.status_code == 200
    assert "field-error" in answer.content.decode()


def test_form_confirmation_number_and_acknowledgement(cast: Cast) -> None:
    """AVMI-12.1, MEDDIM-15.1: anonymous, from the form to the queue."""
    browser = Client()
    answer = browser.post(FORM, WRITTEN | {"kind": "question"})
    assert answer["Location"] == "/requests/new/hospital/sent/"
    assert "Look into your mail" in text_of(browser.get(answer["Location"]))
    assert Case.objects.count() == 0
    path = path_in(post()[0])
    asked = browser.get(path)
    assert "Did you write this request?" in text_of(asked)
    assert "no-store" in asked["Cache-Control"]
    assert Case.objects.count() == 0, "a mail scanner that follows the link confirms nothing"
    shown = browser.post(path, follow=True)
    case = Case.objects.get()
    assert f"Its number is {case.number}" in text_of(shown)
    assert case.acknowledged_at is not None
    assert any("has arrived" in letter for letter in post())
    assert browser.post(path).status_code == 410
    assert browser.get(path).status_code == 410


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": ""}, "Choose what you want to ask for"),
        ({"kind": "everything"}, "Select a valid choice"),
        ({"text": ""}, "required"),
        ({"text": "data"}, "Say a little more"),
        ({"text": "\u200b" * 50}, "Say a little more"),
        ({"text": "a" * 4001}, "at most 4000"),
        ({"email": "greta@"}, "valid email"),
        ({"email": "greta@post.example\nBcc: all@post.example"}, "valid email"),
        ({"name": "\u202e"}, "Give the name"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"country": "DE", "state": "CA"}, "outside the United States"),
    ],
)
def test_a_form_that_is_not_right_says_what_is_wrong_and_keeps_nothing(
    cast: Cast, change: dict[str, str], says: str
) -> None:
    """MEDDIM-7.25: a request without a right is an error."""
    answer = Client().post(FORM, WRITTEN | change)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert RequestDraft.objects.count() == 0


def test_too_many_forms_are_told_so_with_other_ways_to_ask(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PER_ADDRESS", 0)
    answer = Client().post(FORM, WRITTEN)
    assert answer.status_code == 429
    assert "Too many requests" in text_of(answer)
    assert Client().post(FORM, WRITTEN).status_code == 429
    assert Event.objects.filter(action="request.flooded").count() == 1, "once an hour"
    assert "officer@hospital.example" in text_of(answer)


def test_the_answer_to_a_form_does_not_tell_who_is_known(cast: Cast) -> None:
    answers = [
        Client().post(FORM, WRITTEN | {"email": email})
        for email in (cast.patient.email, cast.officer.email, "nobody@post.example")
    ]
    assert len({(one.status_code, one["Location"]) for one in answers}) == 1


def test_a_form_needs_its_token(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(FORM, WRITTEN).status_code == 403
    draft = intake.begin_request(asking=_asking())
    assert strict.post(reverse("dsar:confirm", args=[confirm_token(draft)])).status_code == 403
    assert Case.objects.count() == 0


def _asking() -> intake.Asking:
    return intake.Asking(
        Organisation.objects.get(slug="hospital"), Kind.COPY, "", "Greta", "g@post.example", "Mine!"
    )


def test_markup_in_a_request_is_shown_as_text(cast: Cast, client_of: Browsers) -> None:
    case = by_form(name="<b>Greta</b>", text='<img src=x onerror="alert(1)"> {{ case }} my knee')
    for page in (
        client_of(cast.officer).get(f"/requests/{case.number}/"),
        client_of(cast.officer).get(f"/requests/{case.number}/letter/"),
        Client().get(reverse("dsar:read", args=[read_token(case)])),
    ):
        html = page.content.decode()
        assert "<img src=x" not in html and "<b>Greta" not in html
        assert "&lt;b&gt;Greta" in html
        assert "&lt;img" in html or "letter" in html


# By the link of a letter --------------------------------------------------------------------------
def test_the_answer_is_read_by_the_link_of_its_letter(cast: Cast, actor: Acting) -> None:
    case = by_form(kind=Kind.QUESTION)
    post()
    handling.note_on_case(actor=actor(cast.officer), case=case, text="Between us.")
    handling.answer_case(
        actor=actor(cast.officer), case=case, text="We keep it for six years.",
        outcome=Outcome.REPLIED,
    )  # fmt: skip
    answer = Client().get(path_in(post()[0]))
    assert "We keep it for six years." in text_of(answer)
    assert "Between us" not in text_of(answer)
    assert "Owen Hart" not in answer.content.decode().split("Whom to ask")[0]
    assert "no-store" in answer["Cache-Control"]
    assert Event.objects.filter(action="request.read").count() == 1


def test_a_link_that_was_changed_or_is_old_says_so_and_no_more(cast: Cast) -> None:
    case = by_form()
    token = read_token(case)
    for changed in (token[:-1] + ("a" if token[-1] != "a" else "b"), "x", case.number):
        answer = Client().get(reverse("dsar:read", args=[changed]))
        assert answer.status_code == 410
        assert case.number not in text_of(answer)
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        assert Client().get(reverse("dsar:read", args=[token])).status_code == 410


def test_more_detail_is_given_by_the_link(cast: Cast, actor: Acting) -> None:
    case = by_form()
    link = reverse("dsar:read", args=[read_token(case)])
    handling.ask_for_detail(actor=actor(cast.officer), case=case, text="Which knee?")
    page = Client().get(link)
    assert "Which knee?" in text_of(page) and "Send the reply" in text_of(page)
    assert Client().post(f"{link}reply/", {"text": ""}).status_code == 422
    answer = Client().post(f"{link}reply/", {"text": "The left one."}, follow=True)
    assert "The left one." in text_of(answer)
    assert Case.objects.get().state == State.OPEN
    again = Client().post(f"{link}reply/", {"text": "Or the right one."}, follow=True)
    assert "Nothing is asked of you" in text_of(again)


def test_a_refusal_says_why_and_where_to_complain(cast: Cast, actor: Acting) -> None:
    """LIFEIMAGE-12.5."""
    case = by_form(kind=Kind.ERASURE, residence="FR")
    handling.answer_case(
        actor=actor(cast.officer), case=case, text="New York asks us to keep it.",
        outcome=Outcome.DENIED, denial="legal-duty-to-keep",
    )  # fmt: skip
    said = text_of(Client().get(reverse("dsar:read", args=[read_token(case)])))
    for part in ("New York asks us", "The law asks to keep it", "GDPR Art. 77", "Office for Civil"):
        assert part in said


# One's own ----------------------------------------------------------------------------------------
def test_a_signed_in_person_asks_without_confirming_and_reads_the_answer(
    cast: Cast, client_of: Browsers, actor: Acting
) -> None:
    browser = client_of(cast.patient)
    given = {name: value for name, value in WRITTEN.items() if name != "email"}
    said = text_of(browser.post(FORM, given, follow=True))
    case = Case.objects.get()
    assert PATTERN.search(said)
    assert case.person == cast.patient
    handling.answer_case(
        actor=actor(cast.officer), case=case, text="It is on its way.", outcome=Outcome.GRANTED
    )
    assert case.number in text_of(browser.get("/requests/mine/"))
    assert "It is on its way." in text_of(browser.get(f"/requests/mine/{case.number}/"))
    assert client_of(cast.owner).get(f"/requests/mine/{case.number}/").status_code == 404
    assert client_of(cast.officer).get(f"/requests/mine/{case.number}/").status_code == 404
    assert case.number not in text_of(client_of(cast.owner).get("/requests/mine/"))


def test_the_form_knows_where_a_signed_in_person_lives(cast: Cast, client_of: Browsers) -> None:
    User.objects.filter(pk=cast.owner.pk).update(residence="FR")
    said = text_of(client_of(cast.owner).get("/requests/new/practice/"))
    assert "GDPR (European Union and EEA)" in said


def test_a_reply_to_somebody_elses_case_is_not_found(
    cast: Cast, client_of: Browsers, actor: Acting
) -> None:
    case = signed_in(actor(cast.patient))
    handling.ask_for_detail(actor=actor(cast.officer), case=case, text="Which knee?")
    path = f"/requests/mine/{case.number}/reply/"
    assert client_of(cast.owner).post(path, {"text": "Mine."}).status_code == 404
    assert client_of(cast.patient).post(path, {"text": "Left."}).status_code == 302
