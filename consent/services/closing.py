"""Closing an account; where the policy says so, that withdraws every consent as well (C09, C28)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User
from accounts.rules import ROLE_LABELS, Actor
from accounts.services.members import MembershipRefused, close_memberships, sole_roles_of
from accounts.services.trail import record
from consent.models import Grant
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
    user.is_active, user.closed_at = False, now
    user.save(update_fields=["is_active", "closed_at"])
    try:
        close_memberships(user=user)
    except MembershipRefused as refusal:
        raise ClosingRefused(str(refusal)) from None
    record(
        action="account.closed",
        actor=actor,
        target=("account", str(user.pk)),
        details={"revoked": len(consequences.revoked), "kept": len(consequences.kept)},
    )
    return consequences


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
