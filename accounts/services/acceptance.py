"""Accepting a policy, or declining it: a record of its own, never consent to a disclosure (C10)."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from accounts.models import Acceptance, Membership
from accounts.rules import Actor
from accounts.services.trail import current_network, record, user_ref
from policies.rules.pack import Pack
from policies.selectors import effective_pack


class AcceptanceRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def answer_policy(*, actor: Actor, accepts: bool, read_digest: str) -> Actor:
    """Record what a member says to the policy in force; return them as they stand then.

    `read_digest` is of the text that was on the page: if another has taken effect since, it has
    to be read first. Raises `AcceptanceRefused`.
    """
    membership = Membership.objects.select_for_update().filter(pk=actor.membership_id).first()
    if membership is None:
        raise AcceptanceRefused("Only members of an organisation accept its policy.")
    pack = effective_pack(membership.organisation_id)
    if pack.digest != read_digest:
        raise AcceptanceRefused("The policy has changed since you opened this page. Read it anew.")
    write_answer(membership=membership, pack=pack, accepts=accepts)
    return replace(actor, accepted_version=membership.accepted_version_id)


def write_answer(*, membership: Membership, pack: Pack, accepts: bool) -> Acceptance:
    membership.accepted_version_id = pack.id if accepts else None
    membership.save(update_fields=["accepted_version_id"])
    answer = Acceptance.objects.create(
        user_id=membership.user_id,
        organisation_id=membership.organisation_id,
        version_id=pack.id,
        revision=pack.revision,
        digest=pack.digest,
        is_accepted=accepts,
        network=current_network(),
    )
    record(
        action="policy.accepted" if accepts else "policy.declined",
        actor=user_ref(membership.user),
        organisation_id=membership.organisation_id,
        target=("policy", str(pack.id)),
        details={"revision": pack.revision, "digest": pack.digest},
    )
    return answer
