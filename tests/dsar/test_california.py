"""What Californian law gives: the link, buyers, and the question of once a year (C35)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Agreement, Notification, Organisation, SaleOptOut, User
from accounts.rules import Actor
from accounts.rules.agreements import AgreementKind
from accounts.services.agreements import (
    AgreementRefused,
    Terms,
    end_agreement,
    record_agreement,
)
from audit.models import Event
from consent.models import Directive
from consent.rules.decision import Action, Reason
from consent.rules.directives import DirectiveKind, Source
from consent.selectors.directives import barred_among
from consent.services.decisions import decide
from consent.services.directives import opt_out_by_signal
from dsar.models import Case, RequestDraft
from dsar.rules.kinds import LIGHT_SUBJECT, Kind
from dsar.rules.states import Door
from studies.models import Study
from studies.selectors import resource_of, studies_listed_for
from tests.consent.test_directives import shared, study
from tests.dsar.asking import by_form, here, post, signed_in
from tests.factories import Cast, actor_of, text_of
from tests.policies.packs import under

__all__ = ["study"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Browsers = Callable[[User], Client]
LINK = "Do not sell or share my personal information"
PAGE, FORM = "/requests/opt-out/", "/requests/new/hospital/"
PUBLIC = ("/sign-in/", "/notice/", "/notice/hospital/", "/cookies/", "/requests/new/", FORM, PAGE)


@pytest.fixture
def selling(cast: Cast) -> Cast:
    """The hospital runs under a policy by which some sharing may count as a sale."""
    under(cast, "surgical-planning")
    return cast


# The link ----------------------------------------------------------------------------------------
def test_the_link_is_on_every_public_page_where_the_policy_says_so(selling: Cast) -> None:
    """MEDDIM-8.2."""
    for path in PUBLIC:
        assert LINK in Client().get(path).content.decode(), path


def test_where_nothing_is_sold_there_is_no_link(cast: Cast, client_of: Browsers) -> None:
    for path in PUBLIC[:-1]:
        assert LINK not in Client().get(path).content.decode(), path
    assert Client().get(PAGE).status_code == Client().post(PAGE).status_code == 404
    assert LINK not in client_of(cast.clinician).get("/account/").content.decode()


def test_members_have_it_by_their_own_policy(selling: Cast, client_of: Browsers) -> None:
    assert LINK in client_of(selling.clinician).get("/account/").content.decode()
    assert LINK not in client_of(selling.stranger).get("/account/").content.decode()
    # Who has no organisation sees it if any of them sells.
    assert LINK in client_of(selling.patient).get("/account/").content.decode()


def test_a_visitor_presses_once_and_is_asked_nothing(selling: Cast) -> None:
    visitor = Client()
    assert "You have said no" not in text_of(visitor.get(PAGE))
    assert visitor.post(PAGE, follow=True).status_code == 200
    assert "holds in this browser" in text_of(visitor.get(PAGE))
    visitor.post(PAGE)
    assert Event.objects.filter(action="signal.recorded", reason="link").count() == 1
    assert "You have said no" not in text_of(Client().get(PAGE))


def test_signed_in_it_is_kept_with_the_account_without_a_proof(
    selling: Cast, study: Study, client_of: Browsers
) -> None:
    browser = client_of(selling.patient)
    for _ in range(2):
        browser.post(PAGE)
    row = SaleOptOut.objects.get()
    assert (row.user, row.source) == (selling.patient, "link")
    directive = Directive.objects.get()
    assert (directive.subject_id, directive.source) == (study.subject_id, Source.LINK)
    case = Case.objects.get(kind=Kind.OPT_OUT)
    assert case.closed_at is not None and case.door == Door.SIGNAL
    assert "kept with your account" in text_of(client_of(selling.patient).get(PAGE))
    assert "You pressed" in text_of(browser.get("/account/messages/"))


def test_what_a_visitor_pressed_is_kept_once_they_sign_in(
    selling: Cast, client_of: Browsers
) -> None:
    browser = client_of(selling.patient)
    session = browser.session
    session["opted_out"] = True
    session.save()
    browser.get("/account/")
    assert SaleOptOut.objects.get().source == "link"


# Buyers ------------------------------------------------------------------------------------------
def terms(**more: Any) -> Terms:
    facts: dict[str, Any] = {
        "kind": AgreementKind.SERVICE, "party": "A vendor", "contact": "a@vendor.example",
        "reference": "C-1", "starts_on": timezone.localdate() - timedelta(days=1),
        "partner_id": Organisation.objects.get(slug="imaging").pk, "sale_or_share": True,
    }  # fmt: skip
    return Terms(**(facts | more))


def seen(cast: Cast, study: Study) -> tuple[bool, bool]:
    """Does the decision let the partner see it, and the list?"""
    actor = actor_of(cast["clinician@imaging.example"])
    decision = decide(actor=actor, action=Action.VIEW, resource=resource_of(study))
    assert decision.is_permit or decision.reason is Reason.OPTED_OUT
    return decision.is_permit, studies_listed_for(actor).filter(pk=study.pk).exists()


def sold(cast: Cast) -> Agreement:
    return record_agreement(acting=actor_of(cast.administrator, fresh=True), terms=terms())


def test_data_of_who_opted_out_no_longer_goes_to_a_flagged_vendor(
    selling: Cast, study: Study
) -> None:
    """MEDDIM-4.2: at once, in the decision and in lists, and again once it is no buyer any more."""
    shared(selling, study, "second-opinion")
    agreement = sold(selling)
    assert seen(selling, study) == (True, True)
    opt_out_by_signal(user=selling.patient, source=Source.LINK)
    assert seen(selling, study) == (False, False)
    end_agreement(acting=actor_of(selling.administrator, fresh=True), agreement=agreement)
    assert seen(selling, study) == (True, True)


def test_treatment_goes_on_and_so_does_whoever_buys_nothing(selling: Cast, study: Study) -> None:
    shared(selling, study, "second-opinion")
    opt_out_by_signal(user=selling.patient, source=Source.LINK)
    assert seen(selling, study) == (True, True)
    sold(selling)
    assert seen(selling, study) == (False, False)
    shared(selling, study, "treatment")
    assert seen(selling, study) == (True, True)


def test_a_release_asks_the_same_of_many(selling: Cast, study: Study) -> None:
    imaging = Organisation.objects.get(slug="imaging").pk
    facts: dict[str, Any] = {"organisation_id": study.organisation_id, "recipient": imaging}
    listed = [(study.uid, study.subject_id)]
    opt_out_by_signal(user=selling.patient, source=Source.LINK)
    assert barred_among(listed, purpose="second-opinion", **facts) == {}
    sold(selling)
    found = barred_among(listed, purpose="second-opinion", **facts)
    assert found == {study.uid: DirectiveKind.OPT_OUT}
    assert barred_among(listed, purpose="treatment", **facts) == {}


def test_nothing_counts_as_a_sale_where_the_policy_says_that_nothing_is_sold(cast: Cast) -> None:
    with pytest.raises(AgreementRefused, match="nothing is sold or shared"):
        sold(cast)
    assert not Agreement.objects.filter(sale_or_share=True).exists()


def test_it_is_said_where_an_agreement_is_recorded(selling: Cast, client_of: Browsers) -> None:
    admin = client_of(selling.administrator)
    assert "counts as sale or sharing" in text_of(admin.get("/agreements/new/"))
    today = timezone.localdate().isoformat()
    partner = Organisation.objects.get(slug="imaging").pk
    admin.post("/agreements/new/", {
        "kind": "service", "party": "A vendor", "contact": "a@vendor.example", "reference": "C-1",
        "starts_on": today, "partner": str(partner), "sale_or_share": "on",
    })  # fmt: skip
    assert Agreement.objects.get(party="A vendor").sale_or_share
    assert "counts as sale or sharing" in text_of(admin.get("/agreements/"))


# Shine the Light ---------------------------------------------------------------------------------
ASKED = {
    "kind": "shine-the-light", "name": "Greta Marker", "email": "greta@post.example",
    "country": "US", "state": "", "text": "Who got my data for their own advertising?",
}  # fmt: skip


def test_it_is_asked_with_a_name_by_a_resident_of_california(selling: Cast) -> None:
    """MEDDIM-8.4."""
    visitor = Client()
    assert "I live in California" in text_of(visitor.get(f"{FORM}?country=US&state=CA"))
    unticked = visitor.post(FORM, ASKED)
    assert unticked.status_code == 422 and "Confirm that" in text_of(unticked)
    assert visitor.post(FORM, ASKED | {"californian": "on", "name": " "}).status_code == 422
    assert not RequestDraft.objects.exists()
    assert visitor.post(FORM, ASKED | {"californian": "on"}).status_code == 302
    assert RequestDraft.objects.count() == 1


def test_who_lives_elsewhere_is_not_offered_it(selling: Cast) -> None:
    said = text_of(Client().get(f"{FORM}?country=FR&state="))
    assert "I live in California" not in said
    refused = Client().post(FORM, ASKED | {"country": "FR", "californian": "on"})
    assert refused.status_code == 422


def test_its_acknowledgement_has_the_preset_subject(
    selling: Cast, actor: Callable[..., Actor]
) -> None:
    by_form(kind=Kind.SHINE_THE_LIGHT, residence="US-CA")
    by_form(kind=Kind.QUESTION)
    post()
    subjects = [letter.subject for letter in mail.outbox]
    assert subjects.count(LIGHT_SUBJECT) == 1 and LIGHT_SUBJECT == "Shine the Light Request"
    assert "Your request was received" in subjects
    signed_in(actor(selling.patient), kind=Kind.SHINE_THE_LIGHT, residence="US-CA")
    told = Notification.objects.get(user=selling.patient)
    assert told.template == "request-received-light"


def test_an_officer_writes_it_down_for_a_resident_alone(selling: Cast, client_of: Browsers) -> None:
    officer, page = client_of(selling.officer), "/requests/record/"
    given = ASKED | {"door": "post", "received_on": here(selling).isoformat()}
    refused = officer.post(page, given)
    assert refused.status_code == 422 and "lives in California" in text_of(refused)
    assert not Case.objects.exists()
    assert officer.post(page, given | {"state": "CA"}).status_code == 302
    assert Case.objects.get().residence == "US-CA"
