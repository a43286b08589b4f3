"""Members, invitations, tokens: by administrators of the organisation, and nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.fields import token_of_email
from accounts.models import Acceptance, ApiToken, Invitation, Membership, Organisation, User
from accounts.rules import Role, Scope
from accounts.selectors import actor_of_token, actor_of_user
from accounts.services import members as service
from accounts.services.demo import seed_cast
from accounts.services.sign_in import complete_sign_in
from accounts.services.tokens import issue_token, revoke_token
from audit.models import Event
from policies.selectors import effective_pack
from tests.seeding import seeded_cast

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def cast(settings: Any) -> dict[str, User]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return seeded_cast()


def signed_in(user: User) -> Client:
    """A browser in which the person has signed in, by the service itself."""
    from accounts.rules import Factor

    client = Client()
    request = RequestFactory().get("/")
    request.session = client.session
    request.session.save()
    request.actor = None
    complete_sign_in(request, user=user, factor=Factor.TOTP)
    client.cookies["collimate_session"] = request.session.session_key
    return client


def age_of(client: Client, link: str, born: str = "1980-05-01", country: str = "US") -> str:
    """Say when one was born; give the mark with which one goes on."""
    went_on = client.post(f"{link}age/", {"born": born, "country": country})
    assert went_on.status_code == 302, went_on.content.decode()
    return dict(parse_qsl(urlsplit(went_on["Location"]).query))["age"]


def test_an_invitation_is_a_link_that_works_once(
    cast: dict[str, User], django_capture_on_commit_callbacks: Any
) -> None:
    admin = signed_in(cast["admin@hospital.example"])
    with django_capture_on_commit_callbacks(execute=True):
        admin.post("/members/invite/", {"email": "new@h.example", "roles": ["clinician"]})
    link = re.search(r"/join/\S+", mail.outbox[0].body)[0]
    assert link.split("/")[2] not in str(Invitation.objects.values_list()), "stored hashed"
    newcomer = Client()
    page = newcomer.get(link).content.decode()
    assert "how health information may be used and disclosed" in page
    # The form comes after the policy was read, whose digest the button at its end gives.
    assert 'name="password"' not in page
    digest = re.search(r'name="read" value="(\w+)"', page)[1]
    assert page.index("officer@hospital.example") < page.index('id="contact"') < page.index(digest)
    assert 'name="password"' not in newcomer.get(link, {"read": "0" * 64}).content.decode()
    # Then comes the age, and no field about a person before it.
    assert 'name="password"' not in newcomer.get(link, {"read": digest}).content.decode()
    age = age_of(newcomer, link)
    page = newcomer.get(link, {"read": digest, "age": age}).content.decode()
    assert 'name="password"' in page and "1980" not in page
    data = {"name": "Nora New", "password": "a long enough sentence", "digest": digest}
    for more in ({}, {"age": age}, {"accepts": "on"}, {"accepts": "on", "age": "forged"}):
        assert newcomer.post(link, data | more).status_code == 422, more
    assert not User.objects.with_email("new@h.example").exists()
    data |= {"accepts": "on", "age": age}
    assert newcomer.post(link, data)["Location"] == "/sign-in/"
    assert newcomer.post(link, data).status_code == 410
    membership = Membership.objects.get(user__email_token=token_of_email("new@h.example"))
    assert [row.role for row in membership.roles.all()] == ["clinician"]
    assert list(Event.objects.order_by("occurred_at", "id").values_list("action", flat=True))[
        -2:
    ] == [
        "policy.accepted",
        "membership.started",
    ]
    (acceptance,) = Acceptance.objects.filter(user=membership.user)
    assert (acceptance.revision, acceptance.digest) == (1, digest)


def test_an_invitation_ends_after_a_week(cast: dict[str, User]) -> None:
    organisation = Organisation.objects.get(slug="hospital")
    acting = actor_of_user(cast["admin@hospital.example"])
    invitation = service.invite_member(
        acting=acting,
        organisation_id=organisation.pk,
        email="late@h.example",
        roles=[Role.CLINICIAN],
    )
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())
    assert Client().get("/join/anything/").status_code == 410


def test_a_mailed_link_does_not_take_over_an_account(cast: dict[str, User]) -> None:
    owner = cast["clinician@imaging.example"]
    owner.set_password("the owner's own long sentence")
    owner.save()
    invitation = service.invite_member(
        acting=actor_of_user(cast["admin@hospital.example"]),
        organisation_id=Organisation.objects.get(slug="hospital").pk,
        email=owner.email,
        roles=[Role.CLINICIAN],
    )
    with pytest.raises(service.MembershipRefused):
        service.accept_invitation(
            invitation=invitation,
            name="X",
            password="thief's long sentence",
            read_digest=effective_pack(invitation.organisation_id).digest,
        )
    owner.refresh_from_db()
    assert owner.check_password("the owner's own long sentence")
    assert not Membership.objects.filter(user=owner, organisation__slug="hospital").exists()


@pytest.mark.parametrize(
    "email", ["clinician@hospital.example", "auditor@hospital.example", "patient@home.example"]
)
def test_members_are_not_for_others_to_manage(cast: dict[str, User], email: str) -> None:
    client = signed_in(cast[email])
    member = Membership.objects.filter(organisation__slug="hospital").first()
    assert client.get("/members/").status_code == 403
    assert (
        client.post("/members/invite/", {"email": "x@x.example", "roles": ["officer"]}).status_code
        == 403
    )
    assert client.post(f"/members/{member.pk}/end/").status_code == 403
    assert not Invitation.objects.exists()


def test_an_administrator_elsewhere_finds_nobody_here(cast: dict[str, User]) -> None:
    client = signed_in(cast["admin@practice.example"])
    member = Membership.objects.filter(organisation__slug="hospital").first()
    assert client.get(f"/members/{member.pk}/").status_code == 404
    assert client.post(f"/members/{member.pk}/end/").status_code == 404


def test_nobody_appoints_a_platform_administrator_here(cast: dict[str, User]) -> None:
    client = signed_in(cast["admin@hospital.example"])
    client.post("/members/invite/", {"email": "x@x.example", "roles": ["platform"]})
    assert not Invitation.objects.exists()


def test_ending_a_membership_ends_sessions_and_tokens(cast: dict[str, User]) -> None:
    admin, clinician = cast["admin@hospital.example"], cast["clinician@hospital.example"]
    browser = signed_in(clinician)
    membership = clinician.memberships.get()
    _, secret = issue_token(
        acting=actor_of_user(clinician),
        membership=membership,
        name="t",
        scopes=[Scope.READ],
        lasts=timedelta(days=1),
    )
    assert actor_of_token(secret) is not None
    signed_in(admin).post(f"/members/{membership.pk}/end/")
    assert browser.get("/account/").status_code == 302
    assert actor_of_token(secret) is None


def test_the_last_administrator_cannot_lock_everybody_out(cast: dict[str, User]) -> None:
    admin = cast["admin@hospital.example"]
    client, membership = signed_in(admin), admin.memberships.get()
    client.post(f"/members/{membership.pk}/", {"roles": ["clinician"]})
    client.post(f"/members/{membership.pk}/end/")
    membership.refresh_from_db()
    assert membership.is_active
    assert membership.roles.filter(role="administrator").exists()


def test_a_token_is_shown_once_ends_and_can_be_revoked(cast: dict[str, User]) -> None:
    clinician = cast["clinician@hospital.example"]
    actor = actor_of_user(clinician)
    token, secret = issue_token(
        acting=actor,
        membership=clinician.memberships.get(),
        name="t",
        scopes=[Scope.READ, Scope.WRITE],
        lasts=timedelta(days=5000),
    )
    assert token.expires_at <= timezone.now() + timedelta(days=365)
    assert secret not in str(ApiToken.objects.values_list())
    found = actor_of_token(secret)
    assert found is not None
    assert found.scopes == {Scope.READ, Scope.WRITE}
    assert found.organisation_id == actor.organisation_id
    assert actor_of_token(secret + "x") is None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert actor_of_token(secret) is None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(days=1))
    revoke_token(acting=actor, token=token)
    assert actor_of_token(secret) is None


def test_seeding_twice_changes_nothing(cast: dict[str, User]) -> None:
    before = (User.objects.count(), Membership.objects.count(), Organisation.objects.count())
    seed_cast()
    assert before == (
        User.objects.count(),
        Membership.objects.count(),
        Organisation.objects.count(),
    )
