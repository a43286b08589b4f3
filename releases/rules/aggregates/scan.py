"""The last look at what goes out: does it hold a way to reach somebody, or name them?

(LIFEIMAGE-9.2.) Written apart from the patterns that clean texts, so that what those miss has a
second chance to be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MONTH: Final = (
    "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|januar|februar|mars|avril"
)
_FINDS: Final = {
    "an e-mail address": re.compile(r"[^\s@,;\"]+\s?@\s?[^\s@,;\"]+"),
    "a web address": re.compile(r"https?:|\bwww\.", re.IGNORECASE),
    "a date": re.compile(
        r"\b\d{4}[-./]\d{1,2}[-./]\d{1,2}\b|\b\d{1,2}[-./]\d{1,2}[-./]\d{2,4}\b"
        rf"|\b\d{{1,2}}\.? ?(?:{_MONTH})[a-zé]*\.?,? ?\d{{2,4}}\b"
        rf"|\b(?:{_MONTH})[a-zé]*\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}\b"
        r"|\b(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b",
        re.IGNORECASE,
    ),
    "a telephone number": re.compile(
        r"\+\d[\d ()./-]{5,}\d|(?<!\d)\(?\d{2,5}\)?[ /.-]\d[\d ./-]{4,}\d"
    ),
    "a long number": re.compile(r"\d{5,}"),
}


def identifying(text: str, *, counts: Iterable[int] = ()) -> list[str]:
    """Say what kinds of identifiers stand in a text.

    `counts` are numbers that are known to be counts of people: they may be long. They are taken
    out only where they stand alone, so that one in a longer number still is a part of that.
    """
    for count in {one for one in counts if one > 9_999}:
        text = re.sub(rf"(?<![\w.+@/-]){count}(?![\w.@/-])", "n", text)
    return [name for name, pattern in _FINDS.items() if pattern.search(text)]


def must_not_identify(text: str, *, counts: Iterable[int] = ()) -> None:
    """Raise `OutputRefused` with what was found."""
    if found := identifying(text, counts=counts):
        raise OutputRefused(
            f"The answer holds {', '.join(found)}, so it is not given. Please tell the "
            "privacy officer."
        )


class OutputRefused(ValueError):
    """What would go out holds what identifies. Says which kind, and never repeats it."""
