"""Private attributes that are known to be safe: DICOM PS3.15 Table E.3.10-1."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def _safe() -> frozenset[tuple[str, int, int]]:
    text = (files(__package__) / "safe_private.tsv").read_text(encoding="utf-8")
    safe = set()
    for line in text.splitlines()[1:]:
        tag, creator, _, _ = line.split("\t")
        safe.add((creator.strip().casefold(), int(tag[:4], 16), int(tag[6:], 16)))
    return frozenset(safe)


def is_safe(tag: int, creator: str) -> bool:
    """Is the private attribute of this creator safe? The block it was put into does not matter."""
    return (creator.strip().casefold(), tag >> 16, tag & 0xFF) in _safe()
