"""Setting and lifting what a person says against a use of their data (C33, C35).

It acts in the decision and in every list from the next request on.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor, Capability
from accounts.services.notifications import notify
from accounts.services.preferences import forget_signal
from accounts.services.trail import record, user_ref
from audit.services import ActorRef
from consent.models import DataSubject, Directive, Grant, PurposeConsent
from consent.rules.directives import (
    DirectiveKind,
    ScopeRefused,
    Source,
    Wanted,
    checked,
    packed,
    purposes_reached,
    refusal_to_lift,
    unpacked,
)
from consent.selectors import subjects_of_account
from consent.selectors.directives import directive_context
from consent.services.grants import end_grant, recipients_of
from consent.services.purposes import end_consent
from policies.rules.pack import Pack
from policies.selectors import packs_held
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key


class DirectiveRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def set_directive(
    *, actor: Actor, subject: DataSubject, wanted: Wanted, case_number: str = ""
) -> Directive:
    """Set a directive: the person themself, or an officer who grants their request.

    It holds at once. Safe to repeat: the same again is the one that holds already. Raises
    `DirectiveRefused`.
    """
    own = _is_own(actor, subject.pk)
    if not own and not (case_number and _is_officer(actor, subject.organisation_id)):
        raise DirectiveRefused("Only the person says this, or a privacy officer for their request.")
    pack = _pack(subject.organisation_id)
    asked = _checked(wanted, pack)
    _require_known(asked)
    # Of two who say the same at once, one is second.
    DataSubject.objects.select_for_update().get(pk=subject.pk)
    row = Directive(
        organisation_id=subject.organisation_id,
        subject_id=subject.pk,
        source=Source.CASE.value if case_number else Source.PORTAL.value,
        case_number=case_number,
        set_by_id=actor.user_id,
        version_id=pack.id if pack else None,
    )
    kept, made = _keep(row, asked)
    if made:
        _write("directive.set", kept, actor)
        _take_effect(actor, kept)
    return kept


@transaction.atomic
def opt_out_by_signal(*, user: User, source: Source) -> list[Directive]:
    """Keep a browser's signal as the person's opt-out, wherever data about them is held.

    As a patient or owner, and as a member. Nobody is asked for a proof (11 CCR 7060(b)).
    """
    found = []
    purposes = purposes_reached(DirectiveKind.OPT_OUT, ())
    asked = Wanted(DirectiveKind.OPT_OUT, purposes)
    whose = [
        Directive(organisation_id=one.organisation_id, subject_id=one.pk)
        for one in subjects_of_account(user.pk)
    ] + [
        Directive(organisation_id=organisation_id, user=user)
        for organisation_id in Membership.objects.filter(user=user, is_active=True).values_list(
            "organisation_id", flat=True
        )
    ]
    for row in whose:
        row.source, row.set_by = source.value, user
        kept, made = _keep(row, asked)
        if made:
            _write("directive.set", kept, user_ref(user))
            found.append(kept)
    return found


@transaction.atomic
def announce_lifting(*, actor: Actor, directive: Directive) -> Directive:
    """Tell the person that a restriction will be lifted, before it is (GDPR Art. 18(3))."""
    row = _for_officer(actor, directive)
    if not row.facts.told_before_lifting:
        raise DirectiveRefused("Only a restriction is lifted by somebody else than its person.")
    if row.announced_at is None:
        row.announced_at = timezone.now()
        row.save(update_fields=["announced_at"])
        told = notify(users=people_of(row), template="directive-ends", target_id=row.subject_id)
        _write("directive.announced", row, actor, told=len(told))
    return row


@transaction.atomic
def lift_directive(*, actor: Actor, directive: Directive, case_number: str = "") -> Directive:
    """End a directive: the person at any time, an officer as `refusal_to_lift` says."""
    row = Directive.objects.select_for_update().get(pk=directive.pk)
    own = _is_own(actor, row.subject_id)
    if not own:
        row = _for_officer(actor, row)
    if row.lifted_at is not None:
        return row
    if refusal := refusal_to_lift(
        DirectiveKind(row.kind), by_person=own, announced=row.announced_at is not None,
        case_number=case_number,
    ):  # fmt: skip
        raise DirectiveRefused(refusal)
    if not actor.is_fresh(timezone.now()):
        raise DirectiveRefused("Prove again that it is you, then lift it.")
    end_directive(row, actor, case_number=case_number)
    if own and row.kind == DirectiveKind.OPT_OUT:
        forget_signal(user_id=actor.user_id)
    if not own:
        notify(users=people_of(row), template="directive-lifted", target_id=row.subject_id)
    return row


def end_directive(row: Directive, actor: Actor, *, case_number: str = "") -> None:
    """Write the end of a directive down; may one, the caller has asked."""
    row.lifted_at, row.lifted_by_id, row.lift_case = timezone.now(), actor.user_id, case_number
    row.save(update_fields=["lifted_at", "lifted_by", "lift_case"])
    _write("directive.lifted", row, actor)


def people_of(row: Directive) -> list[User]:
    """The accounts of whoever a directive is of."""
    if row.user_id is not None:
        return list(User.objects.filter(pk=row.user_id))
    return list(User.objects.filter(subjects__subject_id=row.subject_id).distinct())


# Who may -----------------------------------------------------------------------------------------
def _is_own(actor: Actor, subject_id: UUID | None) -> bool:
    """Is it the person themself, signed in? A program is not."""
    if actor.token_id is not None or subject_id is None:
        return False
    return subjects_of_account(actor.user_id).filter(pk=subject_id).exists()


def _is_officer(actor: Actor, organisation_id: UUID) -> bool:
    return actor.can(Capability.ANSWER_REQUESTS) and actor.organisation_id == organisation_id


def _for_officer(actor: Actor, directive: Directive) -> Directive:
    row = Directive.objects.select_for_update().get(pk=directive.pk)
    if not _is_officer(actor, row.organisation_id):
        raise DirectiveRefused("Only the person, or a privacy officer of the organisation, can.")
    return row


def purposes_objected_to(organisation_id: UUID) -> frozenset[str]:
    """What an objection reaches under the policy in force, if no use is named."""
    return _checked(Wanted(DirectiveKind.OBJECTION), _pack(organisation_id)).purposes


# What is kept ------------------------------------------------------------------------------------
def _pack(organisation_id: UUID) -> Pack | None:
    held = packs_held(organisation_id)
    return held[-1] if held else None


def _checked(wanted: Wanted, pack: Pack | None) -> Wanted:
    listed = pack.purposes if pack else ()
    try:
        return checked(
            wanted, can_be_objected_to=[one.code for one in listed if one.may_be_objected_to]
        )
    except ScopeRefused as refusal:
        raise DirectiveRefused(str(refusal)) from None


def _require_known(wanted: Wanted) -> None:
    known = Organisation.objects.filter(pk__in=wanted.recipients).count()
    if known != len(wanted.recipients):
        raise DirectiveRefused("Choose organisations of this portal.")


def _keep(row: Directive, asked: Wanted) -> tuple[Directive, bool]:
    """Save a directive, unless the same holds already; says whether it was new."""
    row.kind, row.purposes = asked.kind.value, packed(asked.purposes)
    row.studies, row.recipients = packed(asked.studies), packed(asked.recipients)
    same = Directive.objects.filter(
        organisation_id=row.organisation_id, subject_id=row.subject_id, user_id=row.user_id,
        kind=row.kind, purposes=row.purposes, studies=row.studies, recipients=row.recipients,
        lifted_at=None,
    ).first()  # fmt: skip
    if same is not None:
        return same, False
    if asked.reason:
        row.id = uuid.uuid4()
        key = create_data_key(organisation_id=row.organisation_id, kind="directive")
        row.key_id = key.id
        row.sealed_reason = FieldSealer(key.key).seal(
            asked.reason.encode(), directive_context(row.id)
        )
    row.save(force_insert=True)
    return row, True


def _take_effect(actor: Actor, row: Directive) -> None:
    """What is done beside the bar: consents and shares end where consent was taken back, and
    recipients are told of a restriction (GDPR Art. 19)."""
    if row.kind == DirectiveKind.WITHDRAWAL:
        _withdraw(actor, row)
    elif row.kind == DirectiveKind.RESTRICTION:
        for grant in _grants(row):
            notify(users=recipients_of(grant), template="share-restricted", target_id=grant.pk)


def _withdraw(actor: Actor, row: Directive) -> None:
    now = timezone.now()
    if not row.studies:
        consents = PurposeConsent.objects.filter(
            subject_id=row.subject_id, purpose__in=unpacked(row.purposes), withdrawn_at=None
        )
        for one in consents:
            end_consent(actor=actor, given=one)
    for grant in _grants(row):
        if grant.revoked_at is None and grant.expires_at > now:
            end_grant(actor=actor, grant=grant, at=now, reason="withdrawn")


def _grants(row: Directive) -> Iterable[Grant]:
    """Every share that a directive reaches, those that ended too."""
    where = Q(subject_id=row.subject_id, organisation_id=row.organisation_id)
    if row.studies:
        where &= Q(items__study_uid__in=unpacked(row.studies))
    return (
        Grant.objects.filter(where, purpose__in=unpacked(row.purposes))
        .select_related("recipient__user")
        .distinct()
    )


def _write(action: str, row: Directive, actor: Actor | ActorRef, **more: object) -> None:
    record(
        action=action,
        actor=actor,
        organisation_id=row.organisation_id,
        subject_id=row.subject_id,
        target=("directive", str(row.pk)),
        reason=row.kind,
        details={
            "source": row.source,
            "purposes": sorted(unpacked(row.purposes)),
            "studies": len(unpacked(row.studies)),
            "recipients": sorted(unpacked(row.recipients)),
            "case": (row.lift_case or row.case_number).lower(),
            **more,
        },
    )
