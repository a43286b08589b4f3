"""Closing an account; where the policy says so, that withdraws every consent as well (C09, C28)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User
from accounts.rules import ROLE_LABELS, Actor
from accounts.services.members import (
    MembershipRefused,
    close_memberships,
    end_membership,
    sole_roles_of,
)
from accounts.services.trail import record
from consent.models import Grant, SubjectAccount
from consent.rules.closing import Leaving, carry_out_closing, told_of_closing
from consent.selectors import in_force
from consent.services.grants import end_grant
from policies.rules.notice import fate_of_account
from policies.rules.pack import Pack
from policies.selectors import packs_held

ALL_AT_ONCE = "each-share-or-inactivation"


class ClosingRefused(Exception):
    """One sentence that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What closing an account does, by the policies of the organisations it belongs to."""

    revoked: tuple[Grant, ...]
    kept: tuple[Grant, ...]
    memberships: tuple[Membership, ...]
    fate: str
    # Why the account cannot be closed yet: roles that somebody has to take over first.
    to_hand_over: tuple[tuple[Membership, str], ...] = ()
    # What happens to one's own images, in sentences.
    images: tuple[str, ...] = ()


def consequences_of_closing(actor: Actor) -> Consequences:
    now = timezone.now()
    grants = Grant.objects.filter(in_force(now), granted_by_id=actor.user_id).select_related(
        "organisation", "recipient_organisation", "recipient__user"
    )
    ends = {grant.pk: _ends_with_account(grant.organisation_id) for grant in grants}
    memberships = Membership.objects.filter(user_id=actor.user_id, is_active=True)
    held = tuple(memberships.select_related("organisation"))
    return Consequences(
        revoked=tuple(grant for grant in grants if ends[grant.pk]),
        kept=tuple(grant for grant in grants if not ends[grant.pk]),
        memberships=held,
        fate=_fate(actor.organisation_id),
        to_hand_over=tuple(
            (one, ROLE_LABELS[role].lower()) for one in held for role in sole_roles_of(one)
        ),
        images=told_of_closing(actor.user_id),
    )


@transaction.atomic
def close_account(*, actor: Actor) -> Consequences:
    """Close one's own account: memberships, tokens and sessions end, and with them what the
    policy says, at one moment. Raises `ClosingRefused`."""
    if actor.token_id is not None:
        raise ClosingRefused("A program cannot close an account. Sign in to do it.")
    if not actor.is_fresh(timezone.now()):
        raise ClosingRefused("Prove again that it is you, then close the account.")
    user = User.objects.select_for_update().get(pk=actor.user_id)
    consequences, now = consequences_of_closing(actor), timezone.now()
    for grant in consequences.revoked:
        end_grant(actor=actor, grant=grant, at=now, reason="account-closed")
    hidden = carry_out_closing(Leaving(user.pk, actor, now))
    _close(user)
    record(
        action="account.closed",
        actor=actor,
        target=("account", str(user.pk)),
        details={
            "revoked": len(consequences.revoked), "kept": len(consequences.kept),
            "archived": hidden,
        },
    )  # fmt: skip
    return consequences


def _close(user: User) -> None:
    user.is_active, user.closed_at = False, timezone.now()
    user.save(update_fields=["is_active", "closed_at"])
    try:
        close_memberships(user=user)
    except MembershipRefused as refusal:
        raise ClosingRefused(str(refusal)) from None


# For somebody who asked by e-mail, post or telephone ---------------------------------------------
@dataclass(frozen=True, slots=True)
class ClosedFor:
    """What closing an account for somebody came to."""

    # Whether the account itself is closed; else only its part at this organisation.
    is_whole: bool
    archived: int
    revoked: int


def belongs_here(user_id: int, organisation_id: UUID) -> bool:
    """Is it an account of this organisation: a member's, or of somebody whose images it holds?"""
    return (
        Membership.objects.filter(
            user_id=user_id, organisation_id=organisation_id, is_active=True
        ).exists()
        or SubjectAccount.objects.filter(
            user_id=user_id, subject__organisation_id=organisation_id
        ).exists()
    )


def belongs_elsewhere(user_id: int, organisation_id: UUID) -> bool:
    """Does another organisation have a part in the account? It is not this one's to close then."""
    members = Membership.objects.filter(user_id=user_id, is_active=True)
    subjects = SubjectAccount.objects.filter(user_id=user_id)
    return (
        members.exclude(organisation_id=organisation_id).exists()
        or subjects.exclude(subject__organisation_id=organisation_id).exists()
    )


@transaction.atomic
def close_account_for(*, actor: Actor, user: User, case_number: str) -> ClosedFor:
    """Close somebody's account at the actor's organisation, for a request of theirs.

    The caller has checked who asks. Where another organisation has a part in the account, only
    what is here ends: the account goes on there. Raises `ClosingRefused`.
    """
    assert actor.organisation_id is not None
    if user.pk == actor.user_id:
        raise ClosingRefused("Your own account is closed on your account's page.")
    if not actor.is_fresh(timezone.now()):
        raise ClosingRefused("Prove again that it is you, then close the account.")
    row = User.objects.select_for_update().get(pk=user.pk)
    if not row.is_active or not belongs_here(row.pk, actor.organisation_id):
        raise ClosingRefused("There is no open account of this organisation with that address.")
    now, here = timezone.now(), actor.organisation_id
    shares = Grant.objects.filter(in_force(now), granted_by=row, organisation_id=here)
    revoked = list(shares.select_related("recipient__user")) if _ends_with_account(here) else []
    for grant in revoked:
        end_grant(actor=actor, grant=grant, at=now, reason="account-closed")
    hidden = carry_out_closing(Leaving(row.pk, actor, now, here, case_number))
    is_whole = not belongs_elsewhere(row.pk, here)
    if is_whole:
        _close(row)
    else:
        _leave(actor, row, here)
    record(
        action="account.closed",
        actor=actor,
        target=("account", str(row.pk)),
        details={
            "revoked": len(revoked), "archived": hidden, "whole": is_whole,
            "case": case_number.lower(),
        },
    )  # fmt: skip
    return ClosedFor(is_whole, hidden, len(revoked))


def _leave(actor: Actor, user: User, organisation_id: UUID) -> None:
    """End what ties the account to one organisation."""
    membership = Membership.objects.filter(
        user=user, organisation_id=organisation_id, is_active=True
    ).first()
    if membership is not None:
        try:
            end_membership(acting=actor, membership=membership)
        except MembershipRefused as refusal:
            raise ClosingRefused(str(refusal)) from None
    SubjectAccount.objects.filter(user=user, subject__organisation_id=organisation_id).delete()


def ends_with_account(pack: Pack) -> bool:
    """Does closing an account withdraw what was consented to under this policy?"""
    return bool(pack["account.withdrawal"] == ALL_AT_ONCE)


def _ends_with_account(organisation_id: UUID) -> bool:
    held = packs_held(organisation_id)
    return bool(held) and ends_with_account(held[-1])


def _fate(organisation_id: UUID | None) -> str:
    """What the policy says becomes of a closed account's data, in words."""
    held = packs_held(organisation_id) if organisation_id else ()
    return fate_of_account(held[-1]) if held else "kept out of sight"
