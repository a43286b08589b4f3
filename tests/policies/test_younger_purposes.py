"""Purposes that are younger than the data: nothing reaches back without fresh consent (C12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership
from audit.models import Event
from consent.services.grants import GrantRefused, compose_agreement
from consent.services.purposes import (
    ConsentRefused,
    give_purpose_consent,
    withdraw_purpose_consent,
)
from policies.models import PolicyVersion
from policies.rules.gate import (
    PurposeRefused,
)
from policies.selectors import packs_held
from studies.models import Study
from tests.factories import Cast, actor_of, signed_in_client, take_in
from tests.policies.packs import without

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


# Younger purposes ---------------------------------------------------------------------
@pytest.fixture
def newly_listed(
    cast: Cast, small_ct: Callable[..., bytes], announced: Callable[..., PolicyVersion]
) -> object:
    """A study, and then a policy that lists one more purpose, which holds now."""
    take_in(actor_of(cast.clinician), small_ct())
    pack = packs_held(actor_of(cast.clinician).organisation_id)[-1]
    added = {**pack.values["purposes"]}
    added["care-coordination"] = {**added["second-opinion"]}
    version = announced({"purposes": added})
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        Membership.objects.filter(organisation__slug="hospital").update(
            accepted_version_id=version.pk
        )
        yield Study.objects.select_related("organisation").get()


def compose(cast: Cast, study: Study, purpose: str) -> object:
    recipient = cast.stranger.memberships.get()
    return compose_agreement(
        actor=actor_of(cast.clinician, fresh=True),
        owner=study.organisation,
        recipient_organisation=recipient.organisation,
        recipient=recipient,
        subject_name="Adler, Paula",
        purpose_code=purpose,
        may_download=False,
        expires_at=timezone.now() + timedelta(days=5),
        items=(object(),),  # type: ignore[arg-type]
        subject_id=study.subject_id,
        collected_at=study.created_at,
    )


def test_a_new_purpose_does_not_reach_what_was_collected_before(
    cast: Cast, newly_listed: Study
) -> None:
    """MEDDIM-3.14."""
    assert compose(cast, newly_listed, "second-opinion")
    with pytest.raises(PurposeRefused, match="needs fresh consent"):
        compose(cast, newly_listed, "care-coordination")


def test_fresh_consent_lets_it_reach_them(cast: Cast, newly_listed: Study) -> None:
    clinician = actor_of(cast.clinician, fresh=True)
    subject = newly_listed.subject
    with pytest.raises(ConsentRefused, match="names the signed document"):
        give_purpose_consent(actor=clinician, subject=subject, purpose="care-coordination")
    given = give_purpose_consent(
        actor=clinician, subject=subject, purpose="care-coordination", document="CF-2026-17"
    )
    assert compose(cast, newly_listed, "care-coordination")
    again = give_purpose_consent(
        actor=clinician, subject=subject, purpose="care-coordination", document="CF-2026-17"
    )
    assert again == given
    withdraw_purpose_consent(actor=clinician, given=given)
    with pytest.raises(PurposeRefused):
        compose(cast, newly_listed, "care-coordination")
    actions = Event.objects.filter(action__startswith="purpose.").values_list("action", flat=True)
    assert sorted(actions) == ["purpose.consented", "purpose.withdrawn"]


@pytest.mark.parametrize("who", ["stranger", "officer", "patient"])
def test_nobody_else_consents_for_a_patient(cast: Cast, newly_listed: Study, who: str) -> None:
    person = actor_of(getattr(cast, who), fresh=True)
    with pytest.raises(ConsentRefused):
        give_purpose_consent(
            actor=person, subject=newly_listed.subject, purpose="care-coordination", document="X-1"
        )


def test_what_comes_after_the_new_version_is_under_it(
    cast: Cast, newly_listed: Study, small_ct: Callable[..., bytes]
) -> None:
    take_in(actor_of(cast.clinician), small_ct(study="later"))
    later = Study.objects.select_related("organisation").latest("created_at")
    assert compose(cast, later, "care-coordination")


def test_the_recipients_policy_has_to_list_the_purpose_as_well(
    cast: Cast, small_ct: Callable[..., bytes], announced: Callable[..., PolicyVersion]
) -> None:
    """Clauses §4, rule 2: the stricter value of both."""
    admin = cast["officer@imaging.example"]
    from accounts.models import MembershipRole

    MembershipRole.objects.create(membership=admin.memberships.get(), role="administrator")
    pack = packs_held(actor_of(admin).organisation_id)[-1]
    version = announced({"purposes": without(pack.values, "second-opinion")}, who=admin)
    take_in(actor_of(cast.clinician), small_ct())
    study = Study.objects.select_related("organisation").get()
    assert compose(cast, study, "second-opinion")
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        with pytest.raises(GrantRefused, match="recipient's privacy policy"):
            compose(cast, study, "second-opinion")
        assert compose(cast, study, "treatment")


# Pages of consent to a purpose -----------------------------------------------------------------
def test_a_patient_consents_to_a_new_purpose_and_takes_it_back(
    cast: Cast, newly_listed: Study
) -> None:
    from consent.models import PurposeConsent, SubjectAccount

    SubjectAccount.objects.create(user=cast.patient, subject=newly_listed.subject)
    patient = signed_in_client(cast.patient)
    page = f"/consent/subjects/{newly_listed.subject_id}/"
    shown = patient.get(page).content.decode()
    assert "Coordinating care" in shown
    assert "not included" in shown
    assert shown.count("I consent") == 1, "only for what is younger than the record"
    assert patient.post(f"{page}care-coordination/", {"act": "give"})["Location"] == page
    assert compose(cast, newly_listed, "care-coordination")
    given = PurposeConsent.objects.get()
    assert (given.by_subject, given.given_by, given.factor) == (True, cast.patient, "totp")
    assert "Take back" in patient.get(page).content.decode()
    patient.post(f"{page}care-coordination/", {"act": "withdraw"})
    with pytest.raises(PurposeRefused):
        compose(cast, newly_listed, "care-coordination")


def test_a_clinician_records_it_with_the_number_of_the_document(
    cast: Cast, newly_listed: Study
) -> None:
    clinician = signed_in_client(cast.clinician)
    page = f"/consent/subjects/{newly_listed.subject_id}/"
    clinician.post(f"{page}care-coordination/", {"act": "give"})
    assert b"names the signed document" in clinician.get(page).content
    clinician.post(f"{page}care-coordination/", {"act": "give", "document": "not a number!"})
    assert b"letters, digits and hyphens only" in clinician.get(page).content
    clinician.post(f"{page}care-coordination/", {"act": "give", "document": "CF-2026-17"})
    assert b"document CF-2026-17, recorded by Dr Clara Reyes" in clinician.get(page).content


@pytest.mark.parametrize("who", ["stranger", "officer", "auditor", "administrator", "owner"])
def test_for_others_there_is_no_such_page(cast: Cast, newly_listed: Study, who: str) -> None:
    person = signed_in_client(getattr(cast, who))
    page = f"/consent/subjects/{newly_listed.subject_id}/"
    assert person.get(page).status_code == 404
    assert person.post(f"{page}care-coordination/", {"act": "give"}).status_code == 404
