"""Fresh consent to a purpose that the policy did not list when the images came (MEDDIM-3.14)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor, Capability
from accounts.services.trail import record
from consent.models import DataSubject, PurposeConsent
from consent.selectors import purpose_consent_of, subjects_of_account
from policies.rules.categories import Category
from policies.rules.gate import check_collected
from policies.selectors import effective_pack, packs_held


class ConsentRefused(Exception):
    """One sentence that says why, and what to do."""


def require_collected_for(
    *, organisation_id: UUID, subject_id: UUID, purpose: str, collected_at: datetime
) -> None:
    """Raise `PurposeRefused` where images are older than the purpose, and nobody consented anew."""
    check_collected(
        packs_held(organisation_id),
        purpose,
        [Category.IMAGES],
        collected_at=collected_at,
        consented=purpose_consent_of(subject_id, purpose) is not None,
    )


@transaction.atomic
def give_purpose_consent(
    *, actor: Actor, subject: DataSubject, purpose: str, document: str = ""
) -> PurposeConsent:
    """Record that a person consents to a new purpose for what was collected before.

    They say so themselves, signed in as the patient or owner; or a clinician who holds their
    signed document says so, and names it. Safe to repeat. Raises `ConsentRefused`.
    """
    if not actor.is_fresh(timezone.now()):
        raise ConsentRefused("Prove again that it is you, then consent.")
    is_subject = subjects_of_account(actor.user_id).filter(pk=subject.pk).exists()
    is_clinician = actor.organisation_id == subject.organisation_id and actor.can(
        Capability.SHARE_STUDIES
    )
    if not is_subject and not (is_clinician and document):
        raise ConsentRefused(
            "Only the patient or owner can consent; or a clinician who names the signed document."
        )
    pack = effective_pack(subject.organisation_id)
    if pack.purpose(purpose) is None:
        raise ConsentRefused("The privacy policy in force does not list this purpose.")
    if given := purpose_consent_of(subject.pk, purpose):
        return given
    given = PurposeConsent.objects.create(
        organisation_id=subject.organisation_id,
        subject_id=subject.pk,
        purpose=purpose,
        version_id=pack.id,
        given_by_id=actor.user_id,
        by_subject=is_subject,
        factor=actor.factor,
        document=document,
    )
    _write(actor, given, "purpose.consented")
    return given


@transaction.atomic
def withdraw_purpose_consent(*, actor: Actor, given: PurposeConsent) -> None:
    """Take a consent back: from then on, older images are not used for the purpose any more."""
    is_subject = subjects_of_account(actor.user_id).filter(pk=given.subject_id).exists()
    if not is_subject and actor.organisation_id != given.organisation_id:
        raise ConsentRefused("Only the patient, the owner or their clinicians can withdraw it.")
    if given.withdrawn_at is None:
        given.withdrawn_at = timezone.now()
        given.save(update_fields=["withdrawn_at"])
        _write(actor, given, "purpose.withdrawn")


def _write(actor: Actor, given: PurposeConsent, action: str) -> None:
    record(
        action=action,
        actor=actor,
        organisation_id=given.organisation_id,
        subject_id=given.subject_id,
        purpose=given.purpose,
        target=("consent", str(given.pk)),
        details={"by_subject": given.by_subject, "factor": actor.factor or "none"},
    )
