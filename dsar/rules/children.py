"""A child's account that slipped in: closed at once, and gone within hours. Pure.

COPPA asks to delete what was collected without a parent (16 CFR 312.10); policies promise it
promptly (MEDDIM-10.3). No term of the policy keeps it; what a law asks to keep stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

DELETE_HOURS: Final = "minors.delete_hours"
DEFAULT_HOURS: Final = 72
MOST_HOURS: Final = 72
# Enough to say how one knows, for whoever approves.
SHORTEST, LONGEST = 10, 2000


def hours_to_delete(values: Mapping[str, Any]) -> int:
    """Within how many hours a reported account is gone under a policy."""
    return int(values.get(DELETE_HOURS, DEFAULT_HOURS))


def delete_by(reported_at: datetime, hours: int) -> datetime:
    return reported_at + timedelta(hours=hours)


def refusal_of_report(how: str) -> str:
    """Why these words do not do; empty if they do."""
    if len(" ".join(how.split())) < SHORTEST:
        return "Say in a sentence how it is known: whoever approves has only that."
    if len(how) > LONGEST:
        return f"This is longer than {LONGEST} characters. Say it shorter."
    return ""
