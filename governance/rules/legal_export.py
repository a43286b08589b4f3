"""What may be handed to an authority of the trail, and what has to be said for it. Pure.

GDPR Art. 6(1)(c), 31; 45 CFR 164.512(a), (d), (f), 164.514(d): under a named duty, and no more
than it asks for.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from policies.rules.citations import NO_CITATION, tidy_citation

LONGEST_DAYS: Final = 3660


class ExportRefused(Exception):
    """One sentence that says why, and what to do."""


def check_citation(citation: str) -> str:
    """Return the citation, tidied; raise `ExportRefused` for what names no law, order or file."""
    tidy = tidy_citation(citation)
    if not tidy:
        raise ExportRefused(NO_CITATION)
    return tidy


def check_span(since: date, until: date, *, today: date) -> None:
    """Refuse a span that is none, that lies in the future, or that is everything there ever was."""
    if since > until:
        raise ExportRefused("The first day lies after the last one. Correct one of them.")
    if until > today:
        raise ExportRefused("The last day lies in the future. What has not happened is not there.")
    if (until - since).days > LONGEST_DAYS:
        raise ExportRefused("Ask for ten years at most, and for no more than the duty needs.")
