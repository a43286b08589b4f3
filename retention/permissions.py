from __future__ import annotations

from uuid import UUID

from accounts.rules import Actor, Capability


def can_place_holds(actor: Actor, organisation_id: UUID) -> bool:
    """Privacy officers hold back records of the organisation that they work for."""
    return actor.can(Capability.PLACE_HOLDS) and actor.organisation_id == organisation_id


def can_agree_to_lift(actor: Actor, organisation_id: UUID) -> bool:
    """The second person may be an administrator, or lifting would need two officers."""
    return actor.organisation_id == organisation_id and (
        actor.can(Capability.PLACE_HOLDS) or actor.can(Capability.APPROVE_DISPOSAL)
    )


def can_approve(actor: Actor, organisation_id: UUID) -> bool:
    return actor.can(Capability.APPROVE_DISPOSAL) and actor.organisation_id == organisation_id


def can_ask_to_close(actor: Actor, organisation_id: UUID) -> bool:
    """Whoever looks after the organisation's members asks for its account to be closed."""
    return actor.can(Capability.MANAGE_MEMBERS) and actor.organisation_id == organisation_id


def can_note_milestones(actor: Actor, organisation_id: UUID) -> bool:
    """Whoever works with the images, or answers for them, knows when their purpose has ended."""
    return actor.organisation_id == organisation_id and (
        actor.can(Capability.SUBMIT_STUDIES) or actor.can(Capability.PLACE_HOLDS)
    )
