"""What people say of purposes.

Patients and owners: fresh consent to one that the policy did not list when the images came
(MEDDIM-3.14). Members: objection to one that rests on legitimate interests (GDPR Art. 21).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, WorkSettings
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from accounts.services.usage import forget_use_of
from audit.services import ActorRef
from consent.models import DataSubject, Directive, PurposeConsent
from consent.rules.directives import DirectiveKind, Source, packed
from consent.selectors import purpose_consent_of, subjects_of_account
from policies.rules.categories import Category
from policies.rules.gate import check_collected
from policies.rules.purposes import OF_USE, Purpose
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
    end_consent(actor=actor, given=given)


def end_consent(*, actor: Actor | ActorRef, given: PurposeConsent) -> None:
    """Write the end of a consent down; may one, the caller has asked. Safe to repeat."""
    if given.withdrawn_at is None:
        given.withdrawn_at = timezone.now()
        given.save(update_fields=["withdrawn_at"])
        _write(actor, given, "purpose.withdrawn")


# Objection ---------------------------------------------------------------------------------------
@transaction.atomic
def object_to_purpose(*, actor: Actor, purpose: str) -> None:
    """Object to a purpose on legitimate interests; it holds at once, and asks for no reason.

    Records of use: no more are written, and those there are are deleted, so that they are in no
    report from now on. Personal settings are forgotten. Safe to repeat. Raises `ConsentRefused`.
    """
    membership = _own_membership(actor)
    pack = effective_pack(membership.organisation_id)
    listed = pack.purpose(purpose)
    if listed is None or not listed.may_be_objected_to:
        raise ConsentRefused(
            "The privacy policy in force does not use your data for this on legitimate interests,"
            " so there is nothing to object to."
        )
    if purpose in membership.objected_to:
        return
    Directive.objects.create(
        organisation_id=membership.organisation_id, user_id=actor.user_id, set_by_id=actor.user_id,
        kind=DirectiveKind.OBJECTION.value, purposes=packed([purpose]), version_id=pack.id,
        source=Source.PORTAL.value,
    )  # fmt: skip
    _hold(membership, {*membership.objected_to, purpose})
    forgotten = stop_purpose(membership, purpose)
    record(
        action="purpose.objected", actor=actor, purpose=purpose,
        target=("membership", str(membership.pk)), details={"lines_deleted": forgotten},
    )  # fmt: skip


@transaction.atomic
def withdraw_objection(*, actor: Actor, purpose: str) -> None:
    """Take an objection back: from now on the purpose may be pursued again. Safe to repeat."""
    membership = _own_membership(actor)
    if purpose not in membership.objected_to:
        return
    Directive.objects.filter(
        organisation_id=membership.organisation_id, user_id=actor.user_id, lifted_at=None,
        kind=DirectiveKind.OBJECTION.value, purposes=packed([purpose]),
    ).update(lifted_at=timezone.now(), lifted_by_id=actor.user_id)  # fmt: skip
    _hold(membership, {*membership.objected_to} - {purpose})
    record(
        action="objection.withdrawn", actor=actor, purpose=purpose,
        target=("membership", str(membership.pk)),
    )  # fmt: skip


def _own_membership(actor: Actor) -> Membership:
    """The membership under whose policy somebody speaks, locked until they have spoken."""
    if actor.membership_id is None or actor.token_id is not None:
        raise ConsentRefused("Sign in as a member of the organisation to object.")
    return Membership.objects.select_for_update().get(pk=actor.membership_id, user_id=actor.user_id)


def _hold(membership: Membership, objected_to: set[str]) -> None:
    membership.objected_to = sorted(objected_to)
    membership.save(update_fields=["objected_to"])


def stop_purpose(membership: Membership, purpose: str) -> int:
    """End what is done for a purpose; returns how many records of use were deleted."""
    if purpose == Purpose.PERSONALISATION:
        WorkSettings.objects.filter(membership=membership).delete()
    if purpose not in OF_USE:
        return 0
    return forget_use_of(user_id=membership.user_id, organisation_id=membership.organisation_id)


def _write(actor: Actor | ActorRef, given: PurposeConsent, action: str) -> None:
    record(
        action=action,
        actor=actor,
        organisation_id=given.organisation_id,
        subject_id=given.subject_id,
        purpose=given.purpose,
        target=("consent", str(given.pk)),
        details={"by_subject": given.by_subject, "factor": getattr(actor, "factor", "") or "none"},
    )
