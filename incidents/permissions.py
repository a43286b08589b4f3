from __future__ import annotations

from accounts.rules import Actor, Capability
from incidents.models import Incident


def may_see_incidents(actor: Actor) -> bool:
    """Officers and administrators of an organisation; to others there is no such page."""
    return actor.organisation_id is not None and actor.can(Capability.HANDLE_INCIDENTS)


def can_handle(actor: Actor, incident: Incident) -> bool:
    return may_see_incidents(actor) and actor.organisation_id == incident.organisation_id


def may_see_names(actor: Actor) -> bool:
    """Administrators see whom it touches by number alone."""
    return may_see_incidents(actor) and actor.can(Capability.SEE_SUBJECTS)
