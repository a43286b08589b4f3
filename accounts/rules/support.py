"""Joining technical records with an account: under a ticket, for a reason, for a while. Pure."""

from __future__ import annotations

import re
from typing import Final

# Why somebody may look; a code, so that no words about anybody get into the trail.
SUPPORT_REASONS: Final = {
    "cannot-sign-in": "The member cannot sign in",
    "page-fails": "A page fails for the member",
    "page-slow": "Pages are slow for the member",
    "misuse-suspected": "The member suspects that somebody else used the account",
}
# In hours; no window lasts longer than the longest of these.
WINDOW_HOURS: Final = {1: "One hour", 4: "Four hours", 24: "A day", 72: "Three days"}
_TICKET: Final = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9-]{2,39}")
# A bare day could be one of birth.
_DAY: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}")


def fault_of_ticket(ticket: str) -> str:
    """Say what is wrong with the number of a ticket, or nothing."""
    if _TICKET.fullmatch(ticket) and not _DAY.fullmatch(ticket):
        return ""
    return (
        "Give the number of the ticket, such as CASE-2026-17: letters, digits and hyphens, with at"
        " least one digit. Not a name, nor a date."
    )
