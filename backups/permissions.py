from __future__ import annotations

from uuid import UUID

from accounts.rules import Actor, Capability


def may_see_devices(actor: Actor) -> bool:
    return actor.can(Capability.APPROVE_DISPOSAL) or actor.can(Capability.SEE_TRAIL)


def can_keep_devices(actor: Actor, organisation_id: UUID) -> bool:
    """Administrators keep the register of the organisation that they work for."""
    return (
        actor.organisation_id == organisation_id
        and actor.can(Capability.MANAGE_CONFIGURATION)
        and actor.can(Capability.APPROVE_DISPOSAL)
    )
