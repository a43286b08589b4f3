"""The report that goes with what is released: what was done, by which rules, to how much. Pure.

It names nothing of the original: objects by their new identifiers, what was put aside by number
and reason. A signed note (c2sp.org/signed-note) binds its digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

FORMAT: Final = "collimate-release-report/1"
# A signature line follows; the body of the note is these, one a line.
NOTE_TITLE: Final = "Collimate release report"


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """Write a report in one way only, so that its digest can be found again."""
    return json.dumps(report, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def note_text(report: bytes, *, project: str, released_at: str) -> str:
    """The text that is signed: title, project, moment, and the report's SHA-256."""
    return f"{NOTE_TITLE}\n{project}\n{released_at}\nsha256 {sha256(report).hexdigest()}\n"


def totals(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add up what was done to attributes, over all objects."""
    found: dict[str, int] = {}
    for one in counts:
        for what, number in one.items():
            found[what] = found.get(what, 0) + number
    return dict(sorted(found.items()))


# What the counts of a report mean, in the order of the page.
COUNT_WORDS: Final = {
    "removed": "taken out, as the standard's table says",
    "emptied": "emptied",
    "replaced": "replaced by something that stands for it",
    "moved": "moved in time",
    "cleaned": "cleaned of what names somebody",
    "private": "private, and taken out",
    "unknown": "unknown to the standard, and taken out",
    "structure": "of the file's own structure, and taken out",
    "kept": "kept as they were",
}
