from __future__ import annotations

from accounts.rules import Actor, Capability
from studies.models import Instance, Study


def answers_for_members(actor: Actor) -> bool:
    """Administrators answer for what their members send."""
    return actor.can(Capability.MANAGE_MEMBERS)


def can_reject(actor: Actor, study: Study) -> bool:
    """Whoever sent all of a study, and administrators, reject and restore it."""
    if actor.organisation_id != study.organisation_id:
        return False
    if answers_for_members(actor):
        return True
    others = Instance.objects.filter(study=study).exclude(upload__submitted_by_id=actor.user_id)
    return actor.can(Capability.SUBMIT_STUDIES) and not others.exists()
