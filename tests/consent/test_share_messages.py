"""Whom a share concerns is told of it, by a letter that says nothing of the patient."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership, MembershipRole, Notification, User
from accounts.rules import Actor, Role
from consent.services.grants import GrantRefused, revoke_grant
from studies.models import Study
from tests.consent.test_sharing import cast, clinician, colleague, share, study
from tests.factories import deliver, signed_in_client

__all__ = ["cast", "clinician", "colleague", "study"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_the_recipient_of_a_share_is_told_without_a_word_of_the_patient(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    """LIFEIMAGE-5.3: no patient name in the mail, only a link into the portal."""
    grant = share(study, clinician, cast)
    (letter,) = deliver()
    assert letter.to == ["clinician@imaging.example"]
    whole = letter.message().as_string()
    for word in ("Adler", "CompressedSamples", "CT1", study.uid, "Reyes", "Weber", "Hudson"):
        assert word not in whole, word
    assert f"/consent/{grant.pk}/" in whole
    row = Notification.objects.get()
    assert (row.template, row.target_id) == ("share-given", str(grant.pk))
    client = signed_in_client(cast["clinician@imaging.example"])
    answer = client.post(f"/notifications/{row.pk}/open/")
    assert client.get(answer["Location"]).status_code == 200


def test_a_share_with_an_organisation_tells_its_clinicians_and_nobody_else(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    second = User.objects.create_user(email="second@imaging.example", name="Second")
    organisation = cast["clinician@imaging.example"].memberships.get().organisation
    membership = Membership.objects.create(user=second, organisation=organisation)
    MembershipRole.objects.create(membership=membership, role=Role.CLINICIAN)
    share(study, clinician, cast, recipient=None)
    assert {to for letter in deliver() for to in letter.to} == {
        "clinician@imaging.example",
        "second@imaging.example",
    }


def test_share_mails_are_unticked_and_the_next_share_is_told_in_the_portal_only(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    """XENRAD-8.9."""
    client: Client = signed_in_client(cast["clinician@imaging.example"])
    client.post("/account/messages/", {"account.email": "on"})
    share(study, clinician, cast)
    assert deliver() == []
    assert b"A study was shared with you" in client.get("/notifications/").content


def test_a_revocation_is_told_once(study: Study, clinician: Actor, cast: dict[str, User]) -> None:
    grant = share(study, clinician, cast)
    for _ in range(2):
        revoke_grant(actor=clinician, grant=grant, reason="mistake")
    told = Notification.objects.order_by("created_at").values_list("template", flat=True)
    assert list(told) == ["share-given", "share-revoked"]


def test_a_share_that_is_refused_tells_nobody(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    with pytest.raises(GrantRefused):
        share(study, clinician, cast, shown_digest="0" * 64)
    assert not Notification.objects.exists()
