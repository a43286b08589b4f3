"""Addresses that come from a third party: what has to be said of them (MEDDIM-2.13). Pure.

GDPR Art. 14: who did not give their data themselves is told where it came from and on what basis.
"""

from __future__ import annotations

import re
from typing import Final

MOST_CONTACTS: Final = 200
# Of `policies.rules.schema.uses.BASES`, those on which somebody can be written to unasked.
CONTACT_BASES: Final = ("consent", "contract", "legitimate-interests")
_ADDRESS: Final = re.compile(r"[^@\s,;<>()]{1,64}@[^@\s,;<>()]+\.[^@\s,;<>().]+")


class ContactsRefused(Exception):
    """One sentence that says what is wrong with a list, and what to do."""


def checked_contacts(text: str, *, source: str, basis: str) -> list[str]:
    """Read a list of addresses, one a line. Raises `ContactsRefused`; all are taken, or none."""
    if not source.strip():
        raise ContactsRefused("Say where the addresses come from. Without a source none is taken.")
    if basis not in CONTACT_BASES:
        raise ContactsRefused("Say on what basis the addresses may be used. Without one none is.")
    lines = [line.strip().lower() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ContactsRefused("The list holds no address. Give one in each line.")
    if len(lines) > MOST_CONTACTS:
        raise ContactsRefused(f"The list is too long. Give {MOST_CONTACTS} addresses at most.")
    for number, line in enumerate(lines, start=1):
        if len(line) > 254 or not _ADDRESS.fullmatch(line):
            raise ContactsRefused(f"Line {number} is no e-mail address. Correct it or take it out.")
    return list(dict.fromkeys(lines))
