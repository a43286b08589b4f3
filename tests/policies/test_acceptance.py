"""Nothing is shown to whoever has not accepted the policy in force; rights do not depend on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Acceptance, User
from accounts.rules import Scope
from audit.models import Event
from policies.models import PolicyVersion
from policies.selectors import effective_pack
from tests.factories import Cast, signed_in_client, token_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ACCEPT = "/policy/accept/"


@pytest.fixture
def changed(announced: Callable[..., PolicyVersion]) -> Any:
    """A version that took effect a minute ago, which nobody has accepted."""
    version = announced({"consent.share_days_at_most": 90})
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        yield version


def digest_on(page: bytes) -> str:
    return re.search(rb'name="digest" value="(\w+)"', page)[1].decode()


def answer(client: Client, **data: str) -> Any:
    digest = digest_on(client.get(ACCEPT).content)
    return client.post(ACCEPT, {"digest": digest, "next": "/", **data})


@pytest.mark.parametrize("path", ["/", "/consent/", "/studies/new/", "/notifications/"])
def test_every_page_leads_to_the_policy_first(
    cast: Cast, changed: PolicyVersion, path: str
) -> None:
    """LIFEIMAGE-13.1, VIGILANT-7.1."""
    response = signed_in_client(cast.clinician).get(path)
    assert response.status_code == 302
    assert response["Location"] == f"{ACCEPT}?next={path}"


def test_the_gate_switches_exactly_when_the_version_takes_effect(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """LIFEIMAGE-14.4."""
    version = announced({"consent.share_days_at_most": 90})
    with time_machine.travel(version.effective_at - timedelta(seconds=1), tick=False) as clock:
        client = signed_in_client(cast.clinician)
        assert client.get("/").status_code == 200
        clock.move_to(version.effective_at)
        assert client.get("/").status_code == 302


def test_accepting_is_recorded_with_version_and_digest(cast: Cast, changed: PolicyVersion) -> None:
    """LIFEIMAGE-0.6, VIGILANT-1.2."""
    client = signed_in_client(cast.clinician)
    assert answer(client, read="on")["Location"] == "/"
    assert client.get("/").status_code == 200
    given = Acceptance.objects.filter(user=cast.clinician).latest("answered_at")
    assert (given.version_id, given.revision, given.digest) == (changed.pk, 2, changed.digest)
    assert given.is_accepted
    assert given.network
    event = Event.objects.filter(action="policy.accepted").latest("occurred_at")
    assert event.details == {"revision": 2, "digest": changed.digest}
    assert event.actor_id == str(cast.clinician.pk)


def test_without_the_tick_nothing_is_accepted(cast: Cast, changed: PolicyVersion) -> None:
    client = signed_in_client(cast.clinician)
    response = answer(client)
    assert response.status_code == 422
    assert b"Tick this to accept" in response.content
    assert client.get("/").status_code == 302


def test_a_text_that_is_no_longer_in_force_is_read_anew(cast: Cast, changed: PolicyVersion) -> None:
    client = signed_in_client(cast.clinician)
    response = client.post(ACCEPT, {"digest": "0" * 64, "read": "on"})
    assert response.status_code == 422
    assert b"has changed since you opened this page" in response.content
    assert client.get("/").status_code == 302


def test_declining_blocks_studies_and_leaves_rights_open(
    cast: Cast, changed: PolicyVersion
) -> None:
    """LIFEIMAGE-13.2, VIGILANT-7.2."""
    client = signed_in_client(cast.clinician)
    assert answer(client, answer="decline")["Location"] == "/policy/declined/"
    assert client.get("/").status_code == 302
    assert client.get("/dicom-web/studies").status_code == 403
    page = client.get("/policy/declined/")
    assert page.status_code == 200
    for open_to_all in ("/requests/mine/data/", "/consent/account/close/", "/notice/hospital/"):
        assert open_to_all.encode() in page.content or "notice" in open_to_all
        assert client.get(open_to_all).status_code == 200
    declined = Acceptance.objects.filter(user=cast.clinician).latest("answered_at")
    assert not declined.is_accepted
    assert answer(client, read="on").status_code == 302
    assert client.get("/").status_code == 200, "one may think again"


def test_a_program_is_told_in_words_it_can_show(cast: Cast, changed: PolicyVersion) -> None:
    program = token_client(cast.clinician, Scope.READ)
    refused = program.get("/dicom-web/studies")
    assert refused.status_code == 403
    assert "accept the privacy policy" in refused.json()["detail"]
    assert answer(signed_in_client(cast.clinician), read="on").status_code == 302
    assert program.get("/dicom-web/studies").status_code == 200


def test_the_policy_of_another_organisation_asks_nothing_of_us(
    cast: Cast, changed: PolicyVersion
) -> None:
    assert signed_in_client(cast.stranger).get("/").status_code == 200
    assert signed_in_client(cast.patient).get("/my/").status_code == 200


def test_accepting_is_no_consent_to_show_anything(cast: Cast, changed: PolicyVersion) -> None:
    """Contradiction 1: three separate records, never merged."""
    client = signed_in_client(cast.clinician)
    answer(client, read="on")
    page = client.get(ACCEPT).content
    assert b"You have accepted this version" in page
    assert not cast.clinician.grants_given.exists()


def test_a_new_member_reads_the_policy_at_the_first_sign_in(cast: Cast, db: None) -> None:
    from accounts.models import Membership, MembershipRole, Organisation

    user = User.objects.create_user(email="new@hospital.example", name="Nora New")
    membership = Membership.objects.create(
        user=user, organisation=Organisation.objects.get(slug="hospital")
    )
    MembershipRole.objects.create(membership=membership, role="clinician")
    client = signed_in_client(user)
    assert client.get("/").status_code == 302
    page = client.get(ACCEPT).content.decode()
    pack = effective_pack(membership.organisation_id)
    assert pack.title in page
    assert pack["opening"] in page.replace("&#x27;", "'")
    # The question stands at the end, after the last section.
    assert page.index('id="contact"') < page.index("I have read this policy")


def test_ones_own_data_can_be_taken_along(cast: Cast) -> None:
    client = signed_in_client(cast.clinician)
    given = client.get("/account/data/")
    assert given["Content-Disposition"] == 'attachment; filename="my-account.json"'
    data = given.json()["data"]
    (account,) = data["Account"]["user"]["rows"]
    assert account["E-mail address"] == "clinician@hospital.example"
    assert "Password" in data["Account"]["user"]["not_handed_out"]
    assert "Password" not in account
    assert data["Account"]["user"]["source"] == "given by the person"
    (signed_in,) = data["Technical data"]["sign in"]["rows"]
    assert signed_in["Proved with"] == "totp"
    assert Event.objects.filter(action="data.exported", actor_id=cast.clinician.pk).count() == 1
    assert "officer@" not in given.content.decode()


def test_the_foot_of_every_page_leads_to_the_policy(cast: Cast) -> None:
    """MEDDIM-14.4: also signing in and errors."""
    for client, path in (
        (Client(), "/sign-in/"),
        (Client(), "/nowhere/"),
        (signed_in_client(cast.clinician), "/"),
        (signed_in_client(cast.clinician), "/studies/1.2.3/"),
    ):
        page = client.get(path).content.decode()
        assert "Privacy policy" in page, path
    assert "/notice/hospital/" in signed_in_client(cast.clinician).get("/").content.decode()
    since = timezone.now().strftime("%-d %b %Y")
    assert "in force since <time" in page
    assert since in page
