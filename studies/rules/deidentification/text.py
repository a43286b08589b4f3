"""Free text: what may stand in it, and what is taken out (PS3.15 E.3.5, Clean Descriptors)."""

from __future__ import annotations

import re
from typing import Final

from .identity import Known
from .values import REMOVED

# Whatever looks like a way to reach somebody, a day, or a number of a record.
_SUSPECT: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address
    r"|https?://\S+|www\.\S+"
    r"|\+?\d[\d ()/.-]{6,}\d"  # a telephone number, a long number, a date with points
    r"|\b\d{5,}\b"
    r"|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\b\d{4}-\d{2}-\d{2}\b"
    r"|\b\d{1,2}[. ]+(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)\w*"
    r"\.?[ ,]+\d{2,4}\b"
    r"|\b(?:dr|prof|mr|mrs|ms|herr|frau|mme|doctor|nurse)\b\.?\s+[^\W\d_]+(?:\s+[^\W\d_]+)?",
    re.IGNORECASE,
)


def cleaned_text(text: str, known: Known) -> str:
    """A text without what identifies: as a whole removed if it names somebody of the object."""
    if known.found_in(text):
        return REMOVED
    return _SUSPECT.sub(REMOVED, text)
