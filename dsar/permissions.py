from __future__ import annotations

from accounts.rules import Actor, Capability
from dsar.models import Case


def can_answer(actor: Actor, case: Case) -> bool:
    """Officers work on the cases of the organisation that they work for."""
    return actor.can(Capability.ANSWER_REQUESTS) and actor.organisation_id == case.organisation_id


def is_person_of(actor: Actor, case: Case) -> bool:
    return case.person_id is not None and case.person_id == actor.user_id
