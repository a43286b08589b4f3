"""Sharing under express consent: exact items, fresh proof, kept words, and an end at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from accounts.selectors import actor_of_user
from audit.models import Event
from consent.models import Grant
from consent.rules.agreement import Agreement, OfferedItem, digest_of_text
from consent.rules.decision import Action, Item, Reason
from consent.selectors import agreed_text
from consent.services.decisions import Refused, authorise, decide
from consent.services.grants import (
    GrantRefused,
    NotProven,
    compose_agreement,
    create_grant,
    revoke_grant,
)
from studies.models import Study
from studies.selectors import resource_of, studies_listed_for
from studies.services.intake import Intake
from studies.services.uploads import open_upload
from tests.factories import BY_PASSWORD, signed_in_client
from tests.seeding import seeded_cast

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

SAMPLE = Path(pydicom.__file__).parent / "data/test_files/CT_small.dcm"


@pytest.fixture
def cast() -> dict[str, User]:
    return seeded_cast()


@pytest.fixture
def clinician(cast: dict[str, User]) -> Actor:
    actor = actor_of_user(cast["clinician@hospital.example"])
    return replace(actor, stepped_up_at=timezone.now(), factor="totp", **BY_PASSWORD)


@pytest.fixture
def colleague(cast: dict[str, User]) -> Actor:
    return actor_of_user(cast["clinician@imaging.example"])


@pytest.fixture
def study(clinician: Actor) -> Study:
    upload = open_upload(actor=clinician, source="command")
    with Intake(actor=clinician, upload=upload) as intake:
        intake.take_whole(SAMPLE.read_bytes())
        intake.commit()
    return Study.objects.select_related("organisation").get()


def agreement_on(study: Study, actor: Actor, cast: dict[str, User], **more: Any) -> Agreement:
    recipient = cast["clinician@imaging.example"].memberships.get()
    values = {
        "actor": actor,
        "owner": study.organisation,
        "recipient_organisation": recipient.organisation,
        "recipient": recipient,
        "subject_name": "Adler, Paula",
        "purpose_code": "treatment",
        "may_download": False,
        "expires_at": timezone.now() + timedelta(days=30),
        "items": (OfferedItem(Item(study.uid), "all of it", 1, "0" * 64),),
        "subject_id": study.subject_id,
        "collected_at": study.created_at,
    }
    return compose_agreement(**(values | more))


def share(study: Study, actor: Actor, cast: dict[str, User], **more: Any) -> Grant:
    agreement = agreement_on(study, actor, cast)
    recipient = cast["clinician@imaging.example"].memberships.get()
    values = {
        "actor": actor,
        "owner": study.organisation,
        "recipient_organisation": recipient.organisation,
        "recipient": recipient,
        "subject_id": study.subject_id,
        "purpose_code": "treatment",
        "agreement": agreement,
        "shown_digest": digest_of_text(agreement.text()),
    }
    return create_grant(**(values | more))


def test_a_share_keeps_its_evidence(study: Study, clinician: Actor, cast: dict[str, User]) -> None:
    grant = share(study, clinician, cast)
    text = agreed_text(grant)
    assert digest_of_text(text) == grant.text_digest
    for said in ("Dr Clara Reyes", "Dr Jonas Weber", "Treatment", "all of it", "version 1."):
        assert said in text
    assert (grant.factor, grant.stepped_up_at) == ("totp", clinician.stepped_up_at)
    assert b"Adler" not in bytes(grant.sealed_text)
    # Both proofs are named (LIFEIMAGE-1.6).
    proved_at = clinician.first_proved_at
    assert (grant.first_factor, grant.first_proved_at) == ("password", proved_at)
    event = Event.objects.get(action="grant.given")
    assert event.target_uid == study.uid
    assert (event.details["first_factor"], event.details["factor"]) == ("password", "totp")
    assert event.details["digest"] == grant.text_digest


@pytest.mark.parametrize(("first", "second"), [("password", ""), ("", "totp"), ("", "")])
def test_one_proof_alone_is_not_enough(
    study: Study, clinician: Actor, cast: dict[str, User], first: str, second: str
) -> None:
    """LIFEIMAGE-1.6: a policy that asks for a password and a token takes neither alone."""
    with pytest.raises(NotProven):
        share(study, replace(clinician, first_factor=first, factor=second), cast)
    assert not Grant.objects.exists()


def test_the_page_of_a_share_names_both_proofs(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    grant = share(study, clinician, cast)
    page = signed_in_client(cast["clinician@hospital.example"]).get(f"/consent/{grant.pk}/")
    said = page.content.decode()
    assert "a password, at" in said
    assert "a code from an authenticator app, at" in said
    Grant.objects.filter(pk=grant.pk).update(first_factor="", first_proved_at=None)
    page = signed_in_client(cast["clinician@hospital.example"]).get(f"/consent/{grant.pk}/")
    assert "not kept for shares of this age" in page.content.decode()


def test_a_share_opens_the_study_and_its_revocation_closes_it(
    study: Study, clinician: Actor, colleague: Actor, cast: dict[str, User]
) -> None:
    resource = resource_of(study)
    assert decide(actor=colleague, action=Action.VIEW, resource=resource).reason is Reason.UNKNOWN
    assert not studies_listed_for(colleague).exists()
    grant = share(study, clinician, cast)
    assert decide(actor=colleague, action=Action.VIEW, resource=resource).is_permit
    assert list(studies_listed_for(colleague)) == [study]
    revoke_grant(actor=clinician, grant=grant, reason="withdrawn")
    assert decide(actor=colleague, action=Action.VIEW, resource=resource).reason is Reason.REVOKED
    assert not studies_listed_for(colleague).exists()


def test_revoking_twice_is_one_act(study: Study, clinician: Actor, cast: dict[str, User]) -> None:
    grant = share(study, clinician, cast)
    first = revoke_grant(actor=clinician, grant=grant, reason="mistake")
    second = revoke_grant(actor=clinician, grant=grant, reason="misuse")
    assert (second.revoked_at, second.revoke_reason) == (first.revoked_at, "mistake")
    assert Event.objects.filter(action="grant.revoked").count() == 1


def test_an_old_proof_is_not_enough(study: Study, clinician: Actor, cast: dict[str, User]) -> None:
    stale = replace(clinician, stepped_up_at=timezone.now() - timedelta(minutes=6))
    with pytest.raises(GrantRefused, match="Prove again"):
        share(study, stale, cast)
    assert not Grant.objects.exists()


def test_other_words_than_were_shown_are_not_agreed_to(
    study: Study, clinician: Actor, cast: dict[str, User]
) -> None:
    with pytest.raises(GrantRefused, match="changed"):
        share(study, clinician, cast, shown_digest="0" * 64)
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"purpose_code": "operations"}, "does not list this purpose"),
        ({"purpose_code": "advertising"}, "does not list this purpose"),
        ({"items": ()}, "at least one"),
        ({"expires_at": timezone.now() + timedelta(days=400)}, "within 365 days"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "not in the past"),
    ],
)
def test_the_policy_bounds_what_can_be_shared(
    study: Study, clinician: Actor, cast: dict[str, User], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(GrantRefused, match=said):
        agreement_on(study, clinician, cast, **more)


@pytest.mark.parametrize(
    "email", ["officer@hospital.example", "clinician@imaging.example", "admin@hospital.example"]
)
def test_only_clinicians_of_the_holder_share(
    study: Study, cast: dict[str, User], email: str, clinician: Actor
) -> None:
    other = replace(
        actor_of_user(cast[email]), stepped_up_at=timezone.now(), factor="totp", **BY_PASSWORD
    )
    with pytest.raises(GrantRefused):
        share(study, other, cast)


def test_an_officer_can_revoke_and_a_recipient_cannot(
    study: Study, clinician: Actor, colleague: Actor, cast: dict[str, User]
) -> None:
    grant = share(study, clinician, cast)
    with pytest.raises(GrantRefused):
        revoke_grant(actor=colleague, grant=grant, reason="mistake")
    officer = actor_of_user(cast["officer@hospital.example"])
    assert revoke_grant(actor=officer, grant=grant, reason="withdrawn").revoked_at


def test_every_refusal_is_on_record_once(study: Study, colleague: Actor) -> None:
    with pytest.raises(Refused):
        authorise(
            actor=colleague, action=Action.VIEW, resource=resource_of(study), event="study.viewed"
        )
    event = Event.objects.get(action="access.refused")
    assert (event.outcome, event.reason, event.actor_id) == (
        "refused",
        "unknown",
        str(colleague.user_id),
    )
    assert not Event.objects.filter(action="study.viewed").exists()


def test_no_event_no_access(study: Study, clinician: Actor, monkeypatch: Any) -> None:
    def broken(**_: Any) -> None:
        raise OSError("the trail cannot be written")

    monkeypatch.setattr("consent.services.decisions.record", broken)
    with pytest.raises(OSError, match="trail"):
        authorise(
            actor=clinician, action=Action.VIEW, resource=resource_of(study), event="study.viewed"
        )


def test_what_comes_later_is_not_part_of_the_share(
    study: Study, clinician: Actor, colleague: Actor, cast: dict[str, User]
) -> None:
    share(study, clinician, cast)
    decision = decide(actor=colleague, action=Action.VIEW, resource=resource_of(study))
    later = timezone.now() + timedelta(seconds=1)
    assert not decision.releases(series_uid="1", instance_uid="2", received_at=later)


def test_a_share_with_an_organisation_serves_all_its_clinicians_and_nobody_else(
    study: Study, clinician: Actor, colleague: Actor, cast: dict[str, User]
) -> None:
    imaging = Organisation.objects.get(slug="imaging")
    agreement = agreement_on(study, clinician, cast, recipient=None)
    create_grant(
        actor=clinician,
        owner=study.organisation,
        recipient_organisation=imaging,
        recipient=None,
        subject_id=study.subject_id,
        purpose_code="treatment",
        agreement=agreement,
        shown_digest=digest_of_text(agreement.text()),
    )
    assert decide(actor=colleague, action=Action.VIEW, resource=resource_of(study)).is_permit
    officer = actor_of_user(cast["officer@imaging.example"])
    assert (
        decide(actor=officer, action=Action.VIEW, resource=resource_of(study)).reason is Reason.ROLE
    )
    vet = actor_of_user(cast["vet@practice.example"])
    assert (
        decide(actor=vet, action=Action.VIEW, resource=resource_of(study)).reason is Reason.UNKNOWN
    )
