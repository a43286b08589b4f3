"""Who works on cases of disclosure. To everybody else there are none: a case may be secret."""

from __future__ import annotations

from accounts.rules import Actor, Capability
from disclosures.models import Disclosure


def can_disclose(actor: Actor, disclosure: Disclosure) -> bool:
    """Privacy officers work on the cases of the organisation that they work for."""
    return (
        actor.can(Capability.DISCLOSE_UNDER_LAW)
        and actor.organisation_id == disclosure.organisation_id
    )


def can_approve(actor: Actor, disclosure: Disclosure) -> bool:
    """The second person may be an administrator, or an organisation with one officer had none."""
    mine = actor.organisation_id == disclosure.organisation_id
    return mine and (
        actor.can(Capability.DISCLOSE_UNDER_LAW) or actor.can(Capability.APPROVE_DISPOSAL)
    )
