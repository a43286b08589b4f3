"""Sharing and revoking: express consent to exact items, with its evidence (C02, C08, C09)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Agreement as TransferAgreement
from accounts.models import Membership, Organisation, User
from accounts.rules import Actor, Capability
from accounts.selectors import clinicians_of
from accounts.services.notifications import notify
from accounts.services.trail import record
from audit.services import ActorRef
from consent.models import Grant, GrantItem
from consent.rules.agreement import Agreement, OfferedItem, digest_of_text
from consent.rules.directives import DIRECTIVES, barring
from consent.rules.transfers import Ground, asked_for
from consent.selectors import grant_context, in_force
from consent.selectors.directives import bars_of
from consent.selectors.transfers import country_of, ground_between, words_of_ground
from consent.services.purposes import require_collected_for
from policies.rules.pack import ListedPurpose, Pack
from policies.rules.schema.uses import MECHANISMS
from policies.rules.strictness import Terms
from policies.selectors import NoPolicy, effective_pack, terms_between
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key

# The weakest level of consent that a policy can have.
USER_AUTHORISED = "user-authorised"


class GrantRefused(Exception):
    """One sentence that says why the share cannot be made, and what to do."""


class NotProven(GrantRefused):
    """Whoever shares has to prove again who they are."""


def compose_agreement(
    *,
    actor: Actor,
    owner: Organisation,
    recipient_organisation: Organisation,
    recipient: Membership | None,
    subject_name: str,
    purpose_code: str,
    may_download: bool,
    expires_at: datetime,
    items: tuple[OfferedItem, ...],
    subject_id: UUID,
    collected_at: datetime,
) -> Agreement:
    """Put into words what is about to be agreed to.

    `collected_at` is when the images were received. Raises `GrantRefused` for what the policies
    of both organisations do not allow, and `PurposeRefused` for a purpose that is younger than
    the images and was not consented to.
    """
    pack, terms = _policies(owner, recipient_organisation)
    purpose = _shareable(pack, terms, purpose_code)
    require_collected_for(
        organisation_id=owner.pk,
        subject_id=subject_id,
        purpose=purpose_code,
        collected_at=collected_at,
    )
    _require_unbarred(owner, recipient_organisation, subject_id, purpose_code, items)
    now, days = timezone.now(), terms["consent.share_days_at_most"]
    if not now < expires_at <= now + timedelta(days=days):
        raise GrantRefused(
            f"A share must end within {days} days, and not in the past. That is the shorter of "
            "what both organisations' policies allow."
        )
    if not items:
        raise GrantRefused("Choose at least one item to share.")
    ground = _require_ground(owner, recipient_organisation, pack, expires_at)
    if recipient_organisation.pk == owner.pk:
        raise GrantRefused("Colleagues in your own organisation see the study without a share.")
    person = f"{recipient.user.name} of " if recipient else "All clinicians of "
    return Agreement(
        grantor=actor.name,
        owner=owner.name,
        recipient=person + recipient_organisation.name,
        subject=subject_name,
        purpose=purpose.label,
        may_download=may_download,
        expires_at=expires_at,
        items=items,
        notice=pack.name,
        abroad=words_of_ground(ground, owner, recipient_organisation),
    )


@transaction.atomic
def create_grant(
    *,
    actor: Actor,
    owner: Organisation,
    recipient_organisation: Organisation,
    recipient: Membership | None,
    subject_id: UUID,
    purpose_code: str,
    agreement: Agreement,
    shown_digest: str,
) -> Grant:
    """Share, now that the person agreed to exactly these words.

    `shown_digest` is the digest of the text that was on the page: if anything has changed
    since, nothing is shared. Raises `GrantRefused`.
    """
    now = timezone.now()
    if actor.organisation_id != owner.pk or not actor.can(Capability.SHARE_STUDIES):
        raise GrantRefused("Only clinicians of the organisation that holds the study can share it.")
    pack, terms = _policies(owner, recipient_organisation)
    if not is_proven(actor, terms, now):
        raise NotProven("Prove again that it is you, then share.")
    text = agreement.text()
    if digest_of_text(text) != shown_digest:
        raise GrantRefused("The study has changed since you read this. Read it again, please.")
    _shareable(pack, terms, purpose_code)
    _require_unbarred(owner, recipient_organisation, subject_id, purpose_code, agreement.items)
    ground = _require_ground(owner, recipient_organisation, pack, agreement.expires_at)
    key = create_data_key(organisation_id=owner.pk, kind="grant")
    grant_id = uuid.uuid4()
    grant = Grant.objects.create(
        id=grant_id,
        organisation=owner,
        subject_id=subject_id,
        recipient_organisation=recipient_organisation,
        recipient=recipient,
        purpose=purpose_code,
        may_download=agreement.may_download,
        granted_at=now,
        expires_at=agreement.expires_at,
        transfer_mechanism=ground.mechanism,
        transfer_agreement_id=ground.agreement_id,
        granted_by_id=actor.user_id,
        first_factor=actor.first_factor,
        first_proved_at=actor.first_proved_at,
        factor=actor.factor,
        stepped_up_at=actor.stepped_up_at,
        notice_code=pack.code,
        notice_version=pack.version,
        text_digest=shown_digest,
        key_id=key.id,
        sealed_text=FieldSealer(key.key).seal(text.encode(), grant_context(grant_id)),
    )
    GrantItem.objects.bulk_create(
        GrantItem(
            grant=grant,
            study_uid=offered.item.study_uid,
            series_uid=offered.item.series_uid,
            instance_uid=offered.item.instance_uid,
            instances=offered.instances,
            digest=offered.digest,
        )
        for offered in agreement.items
    )
    _write(actor, grant, "grant.given")
    notify(users=recipients_of(grant), template="share-given", target_id=grant.pk)
    return grant


@transaction.atomic
def revoke_grant(*, actor: Actor, grant: Grant, reason: str) -> Grant:
    """End a share. It takes effect on the recipient's next request. Safe to repeat."""
    row = Grant.objects.select_for_update().get(pk=grant.pk)
    if not can_revoke(actor, row):
        raise GrantRefused("Only whoever shared it, or a privacy officer, can revoke a share.")
    if row.revoked_at is None:
        end_grant(actor=actor, grant=row, at=timezone.now(), reason=reason)
    return row


def end_grant(*, actor: Actor | ActorRef, grant: Grant, at: datetime, reason: str) -> None:
    """Write the end of a share down and tell its recipients; may one, the caller has asked."""
    user_id = actor.user_id if isinstance(actor, Actor) else None
    grant.revoked_at, grant.revoked_by_id, grant.revoke_reason = at, user_id, reason
    grant.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
    _write(actor, grant, "grant.revoked")
    notify(users=recipients_of(grant), template="share-revoked", target_id=grant.pk)


def tell_recipients(*, organisation_id: UUID, study_uids: Collection[str], template: str) -> None:
    """Tell whoever was given one of these studies, share by share, also by one that has ended
    (GDPR Art. 19; 45 CFR 164.526(c)(3))."""
    grants = Grant.objects.filter(
        organisation_id=organisation_id, items__study_uid__in=study_uids
    ).select_related("recipient__user")
    for grant in grants.distinct():
        notify(users=recipients_of(grant), template=template, target_id=grant.pk)


def can_revoke(actor: Actor, grant: Grant) -> bool:
    if actor.organisation_id != grant.organisation_id:
        return False
    return actor.can(Capability.REVOKE_ANY_SHARE) or actor.can(Capability.SHARE_STUDIES)


def _policies(owner: Organisation, recipient: Organisation) -> tuple[Pack, Terms]:
    """The owner's policy, and the terms that satisfy the recipient's as well."""
    try:
        return effective_pack(owner.pk), terms_between(owner.pk, recipient.pk)
    except NoPolicy:
        raise GrantRefused(
            "Both organisations need a privacy policy in force before anything is shared."
        ) from None


def _shareable(pack: Pack, terms: Terms, code: str) -> ListedPurpose:
    purpose = pack.purpose(code)
    if purpose is None or not purpose.shareable:
        raise GrantRefused("The privacy policy in force does not list this purpose for sharing.")
    if not terms.may_share_for(code):
        raise GrantRefused("The recipient's privacy policy does not list this purpose for sharing.")
    return purpose


def _require_ground(
    owner: Organisation, recipient: Organisation, pack: Pack, expires_at: datetime
) -> Ground:
    """What bridges the border between the two, for as long as the share runs (C39)."""
    ground = ground_between(owner, recipient, pack)
    if ground is None:
        signed = [MECHANISMS[one] for one in asked_for(owner.country, pack["transfers.mechanisms"])]
        raise GrantRefused(
            f"{recipient.name} is in {country_of(recipient)}, where the law protects images less"
            f" than in {country_of(owner)}. "
            + (
                f"An administrator records first what was signed with them: {' or '.join(signed)}."
                if signed
                else "Your privacy policy has nothing on which they could go there."
            )
        )
    if ground.ends_on is not None and timezone.localdate(expires_at) > ground.ends_on:
        raise GrantRefused(
            f"What was signed with {recipient.name} for transfers abroad ends on"
            f" {ground.ends_on:%d %B %Y}, and a share cannot last longer. Choose an earlier end."
        )
    return ground


def shares_resting_on(agreement: TransferAgreement) -> list[str]:
    """In words, what would end with clauses for transfers abroad."""
    number = _resting_on(agreement).count()
    if not number:
        return []
    shares, end = ("share", "ends") if number == 1 else ("shares", "end")
    return [f"{number} {shares} with {agreement.party} {end} with it."]


def end_shares_resting_on(actor: Actor, agreement: TransferAgreement) -> None:
    """End them with the clauses: from then on nothing bridges the border (MEDDIM-12.3)."""
    now = timezone.now()
    for grant in _resting_on(agreement).select_for_update():
        end_grant(actor=actor, grant=grant, at=now, reason="transfer-ended")


def _resting_on(agreement: TransferAgreement) -> QuerySet[Grant]:
    return Grant.objects.filter(in_force(timezone.now()), transfer_agreement=agreement)


def _require_unbarred(
    owner: Organisation,
    recipient: Organisation,
    subject_id: UUID,
    purpose: str,
    items: Iterable[OfferedItem],
) -> None:
    """Nothing is shared against the word of whom it is about (C33)."""
    bars = bars_of(subject_id, owner.pk)
    for offered in items if bars else ():
        against = barring(
            bars, purpose=purpose, study_uid=offered.item.study_uid, recipient=recipient.pk,
            owner=False,
        )  # fmt: skip
        if against:
            facts = DIRECTIVES[against.kind]
            raise GrantRefused(
                f"The patient or owner does not want this: {facts.label.lower()}"
                f" ({facts.cites}). A privacy officer knows more."
            )


def is_proven(actor: Actor, terms: Terms, now: datetime) -> bool:
    """By the stricter level of both organisations: a signed-in clinician, or one who just proved.

    Whoever is signed in has shown a second factor at the session's beginning; that is the proof
    which is kept as evidence where no fresher one is asked for. Neither factor is enough without
    the other: a password alone proves nothing here, nor does a code (LIFEIMAGE-1.6).
    """
    if not (actor.first_factor and actor.factor):
        return False
    if terms["consent.disclosure_level"] == USER_AUTHORISED:
        return actor.stepped_up_at is not None
    lasts = timedelta(minutes=terms["auth.step_up_minutes"])
    since = actor.stepped_up_at
    return since is not None and timedelta(0) <= now - since <= lasts


def recipients_of(grant: Grant) -> Iterable[User]:
    """The people that a share names: one, or all clinicians of an organisation."""
    if grant.recipient is not None:
        return [grant.recipient.user]
    return clinicians_of(grant.recipient_organisation_id)


def _write(actor: Actor | ActorRef, grant: Grant, action: str) -> None:
    items = list(grant.items.all())
    factors = (actor.first_factor, actor.factor) if isinstance(actor, Actor) else ("", "")
    for study_uid in dict.fromkeys(item.study_uid for item in items):
        record(
            action=action,
            actor=actor,
            organisation_id=grant.organisation_id,
            subject_id=grant.subject_id,
            target=("study", study_uid),
            purpose=grant.purpose,
            reason=grant.revoke_reason,
            details={
                "grant": str(grant.pk),
                "recipient_organisation": str(grant.recipient_organisation_id),
                "items": sum(item.study_uid == study_uid for item in items),
                "first_factor": factors[0] or "none",
                "factor": factors[1] or "none",
                "digest": grant.text_digest,
                **transfer_details(grant),
            },
        )


def transfer_details(grant: Grant) -> dict[str, str]:
    """What a register of transfers asks for: on what, from where to where, sealed under which key
    (XENRAD-7.3)."""
    if not grant.transfer_mechanism:
        return {}
    return {
        "transfer": grant.transfer_mechanism,
        "countries": (
            f"{grant.organisation.country}-{grant.recipient_organisation.country}".lower()
        ),
        "key": str(grant.key_id),
    }
