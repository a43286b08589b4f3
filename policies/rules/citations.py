"""What obliges somebody, cited so that others can look it up. Pure."""

from __future__ import annotations

import re
from typing import Final

# A law, an order or a file, by letters and figures: 45 CFR 164.512(d), § 85 StrlSchG.
_CITATION: Final = re.compile(r"[\w§.,()/:\- ]{4,120}")
NO_CITATION: Final = (
    "Cite what obliges the organisation, with its number: 45 CFR 164.512(d), or the file "
    "number of the order."
)


def tidy_citation(citation: str) -> str:
    """Return the citation with single spaces; empty for what names no law, order or file."""
    tidy = " ".join(citation.split())
    if not _CITATION.fullmatch(tidy) or not any(one.isdigit() for one in tidy):
        return ""
    return tidy
