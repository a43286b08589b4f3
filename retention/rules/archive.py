"""The legal archive: why a study lies there, and which go there by the policy. Pure.

What lies there is kept because law asks for it, and for nothing else: it is in no list, no
decision permits it, and a case of release or of law alone opens it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from retention.rules.keeping import Keeping

ARCHIVE = "archive"


class Why(StrEnum):
    ACCOUNT = "account-closed"
    ORGANISATION = "organisation"
    SCHEDULE = "schedule"
    RESTORED = "restored"
    REJECTED = "rejected"


WHY_LABELS = {
    Why.ACCOUNT: "Its person's account was closed",
    Why.ORGANISATION: "The organisation's account was closed",
    Why.SCHEDULE: "The policy's own time for it is over",
    Why.RESTORED: "It lay here before a restore",
    Why.REJECTED: "It was rejected, and is a record of its patient even so",
}


def refusal_to_agree(*, asked_by: int, agreeing: int) -> str:
    """Two people close an organisation, not one twice."""
    if asked_by == agreeing:
        return "You asked for it. Somebody else has to agree."
    return ""


def belongs_in_archive(keeping: Keeping | None, today: date) -> bool:
    """Is the policy's own time over, which says to archive then, while law still asks for it?

    When law lets go of it too, it is due like any other study.
    """
    if keeping is None or keeping.action != ARCHIVE or keeping.is_open:
        return False
    own, law = keeping.policy, keeping.floor
    if own is None or law is None:
        return False
    return own.until < today <= law.until
