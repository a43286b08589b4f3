"""Advertising goes to account addresses only, by residence and choice, and ends by one click."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core import mail, signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Campaign, MarketingChoice, Membership, Notification, Organisation, User
from accounts.rules import Actor
from accounts.selectors.advertising import advertised_to
from accounts.services.campaigns import CampaignRefused, send_campaign
from accounts.services.notifications import notify
from accounts.services.preferences import choose_marketing
from audit.models import Event
from tests.factories import Cast, actor_of, deliver

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def hospital(cast: Cast) -> Organisation:
    """The hospital, whose members live in the United States; the officer moved to Germany."""
    User.objects.filter(memberships__organisation__slug="hospital").update(residence="US-NY")
    User.objects.filter(pk=cast.officer.pk).update(residence="DE")
    return Organisation.objects.get(slug="hospital")


def send(cast: Cast, **more: Any) -> Campaign:
    acting: Actor = actor_of(cast.administrator)
    values = {
        "acting": acting,
        "organisation_id": acting.organisation_id,
        "template": "service-news",
    }
    return send_campaign(**(values | more))


def addresses() -> set[str]:
    return {to for letter in deliver() for to in letter.to}


def path_in(letter: Any) -> str:
    return str(re.search(r"https?://[^/]+(/unsubscribe/\S+)", letter.body)[1])


def test_residence_decides_who_gets_it(cast: Cast, hospital: Organisation) -> None:
    """MEDDIM-3.4: in the EU without a yes, no; in the US without a no, yes."""
    assert send(cast).recipients == 3
    assert addresses() == {cast.clinician.email, cast.administrator.email, cast.auditor.email}
    choose_marketing(user=cast.officer, wanted=True, source="preferences")
    assert cast.officer in advertised_to(hospital)


def test_nobody_is_assumed_to_live_where_the_law_is_weak(cast: Cast) -> None:
    """MEDDIM-3.4: an unknown residence is treated as the strictest."""
    with pytest.raises(CampaignRefused) as refused:
        send(cast)
    assert refused.value.code == "nobody"


def test_a_veterinary_practice_sends_none_and_its_cases_are_still_told(cast: Cast) -> None:
    """AVMI-3.2: a campaign is refused, a case notification is sent."""
    vet, admin = cast["vet@practice.example"], cast["admin@practice.example"]
    User.objects.filter(pk__in=[vet.pk, admin.pk]).update(residence="US-NY")
    choose_marketing(user=vet, wanted=True, source="preferences")
    acting = actor_of(admin)
    with pytest.raises(CampaignRefused, match="no advertising"):
        send(cast, acting=acting, organisation_id=acting.organisation_id)
    assert not Campaign.objects.exists()
    event = Event.objects.get(action="campaign.started")
    assert (event.outcome, event.reason) == ("refused", "policy")
    notify(users=[vet], template="share-given", target_id=Membership.objects.first().pk)
    assert addresses() == {vet.email}


def test_a_list_of_recipients_is_refused(
    cast: Cast, hospital: Organisation, client_of: Callable[[User], Client]
) -> None:
    """LIFEIMAGE-16.2, VIGILANT-8.2: by the service, and by the page, as text and as a file."""
    with pytest.raises(CampaignRefused, match="addresses of your members"):
        send(cast, recipients=["somebody@else.example"])
    client = client_of(cast.administrator)
    lists = [
        {"recipients": "somebody@else.example"},
        {"list": SimpleUploadedFile("list.csv", b"somebody@else.example")},
    ]
    for given in lists:
        answer = client.post("/campaigns/", {"template": "service-news", **given})
        assert answer.status_code == 422
        assert b"Nothing was sent" in answer.content
    assert not Notification.objects.exists()
    assert {one.reason for one in Event.objects.filter(action="campaign.started")} == {
        "recipients-given"
    }


def test_what_is_delivered_goes_to_the_address_of_the_account(
    cast: Cast, hospital: Organisation
) -> None:
    """VIGILANT-8.2: the address is read when the letter is sent."""
    send(cast)
    cast.clinician.email = "clara@new.example"
    cast.clinician.save(update_fields=["email", "email_token"])
    assert "clara@new.example" in addresses()


def test_only_an_administrator_of_the_organisation_sends(
    cast: Cast, hospital: Organisation, client_of: Callable[[User], Client]
) -> None:
    others = [cast.clinician, cast.officer, cast.stranger, cast["admin@practice.example"]]
    for user in others:
        with pytest.raises(CampaignRefused):
            send(cast, acting=actor_of(user), organisation_id=hospital.pk)
        answer = client_of(user).post("/campaigns/", {"template": "service-news"})
        assert answer.status_code in {403, 422}
    assert not Campaign.objects.exists()


def test_a_service_message_is_no_campaign(cast: Cast, hospital: Organisation) -> None:
    """MEDDIM-3.2."""
    with pytest.raises(CampaignRefused, match="no advertising"):
        send(cast, template="password-changed")


def test_the_page_sends_and_shows_what_was_sent(
    cast: Cast, hospital: Organisation, client_of: Callable[[User], Client]
) -> None:
    client = client_of(cast.administrator)
    assert b"<strong>3</strong>" in client.get("/campaigns/").content
    assert client.post("/campaigns/", {"template": "service-news"}).status_code == 302
    page = client.get("/campaigns/").content.decode()
    assert "What is new in Collimate, to 3 people" in page
    assert Event.objects.get(action="campaign.started").details["recipients"] == 3
    assert len(deliver()) == 3
    assert b"What is new" not in client.get("/notifications/").content, "mail only"


# The way out --------------------------------------------------------------------------------------
def test_a_mail_program_unsubscribes_by_one_post_without_a_session(
    cast: Cast, hospital: Organisation
) -> None:
    """MEDDIM-7.1, RFC 8058: both headers; one POST, no cookie, no CSRF token, any Accept."""
    send(cast)
    letter = next(one for one in deliver() if one.to == [cast.clinician.email])
    headers = letter.message()
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(r"<https?://[^/]+(/unsubscribe/\S+)>", headers["List-Unsubscribe"])[1]
    assert link == path_in(letter)
    program = Client(enforce_csrf_checks=True, headers={"accept": "application/octet-stream"})
    answer = program.post(
        link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert settings.SESSION_COOKIE_NAME not in program.cookies
    choice = MarketingChoice.objects.get()
    assert (choice.user, choice.wanted, choice.source) == (cast.clinician, False, "link")
    assert send(cast).recipients == 2
    assert cast.clinician.email not in addresses()


def test_the_link_in_the_letter_opts_out_without_signing_in_and_a_look_changes_nothing(
    cast: Cast, hospital: Organisation
) -> None:
    """MEDDIM-3.3, LIFEIMAGE-16.3, VIGILANT-8.3: one click; a look does nothing."""
    send(cast)
    letter = next(one for one in deliver() if one.to == [cast.clinician.email])
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(path_in(letter))
    assert b"Send me no more of them" in page.content
    assert not MarketingChoice.objects.exists()
    for _ in range(2):
        assert b"You get no more offers" in browser.post(path_in(letter)).content
    assert Event.objects.filter(action="marketing.objected", reason="link").count() == 1
    assert cast.clinician not in advertised_to(hospital)


@pytest.mark.parametrize("forge", ["other", "salt", "cut"])
def test_a_forged_link_is_refused(cast: Cast, hospital: Organisation, forge: str) -> None:
    """MEDDIM-7.1."""
    good = signing.dumps({"user": cast.clinician.pk}, salt="accounts.unsubscribe")
    of_another = signing.dumps({"user": cast.officer.pk}, salt="accounts.unsubscribe")
    forged = {
        "other": of_another.partition(":")[0] + ":" + good.partition(":")[2],
        "salt": signing.dumps({"user": cast.clinician.pk}, salt="accounts.demo"),
        "cut": good[:-3],
    }[forge]
    answer = Client().post(f"/unsubscribe/{forged}/")
    assert answer.status_code == 404
    assert b"This link is not ours" in answer.content
    assert not MarketingChoice.objects.exists()


def test_an_objection_needs_nobody_and_counts_at_once(
    cast: Cast, hospital: Organisation, client_of: Callable[[User], Client]
) -> None:
    """MEDDIM-7.11: also for a campaign that has begun and whose letters wait."""
    send(cast)
    client = client_of(cast.clinician)
    page = client.get("/account/messages/").content.decode()
    assert 'name="promotion.email" id="id_promotion.email" checked' in page
    client.post("/account/messages/", {"case.email": "on"})
    assert cast.clinician.email not in addresses()
    row = Notification.objects.get(user=cast.clinician)
    assert (row.mail_failure, row.mailed_at) == ("objected", None)
    assert send(cast).recipients == 2


def test_silence_is_never_kept_as_agreement(
    cast: Cast, hospital: Organisation, client_of: Callable[[User], Client]
) -> None:
    """MEDDIM-3.4: saving other choices says nothing about advertising."""
    client_of(cast.clinician).post(
        "/account/messages/", {"promotion.email": "on", "case.email": "on"}
    )
    client_of(cast.officer).post("/account/messages/", {"case.email": "on"})
    assert not MarketingChoice.objects.exists()
    client_of(cast.officer).post("/account/messages/", {"promotion.email": "on"})
    assert MarketingChoice.objects.get().wanted is True
    assert Event.objects.filter(action="marketing.accepted").count() == 1


def test_where_there_is_none_there_is_nothing_to_choose(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """AVMI-3.2."""
    client = client_of(cast["vet@practice.example"])
    page = client.get("/account/messages/").content.decode()
    assert "has no advertising" in page
    assert 'name="promotion.email"' not in page
    client.post("/account/messages/", {"promotion.email": "on"})
    assert not MarketingChoice.objects.exists()
    assert mail.outbox == []
