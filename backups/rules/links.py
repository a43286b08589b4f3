"""One-time links that rooms above hand out: each says how to end its own after a restore. Pure."""

from __future__ import annotations

from collections.abc import Callable

# Ends what was handed out, and returns how many there were.
EndLinks = Callable[[], int]
_ending: dict[str, EndLinks] = {}


def end_links_with(room: str, end: EndLinks) -> None:
    """Have this called after a restore; from `AppConfig.ready`."""
    _ending[room] = end


def ends_of_links() -> list[EndLinks]:
    return [_ending[room] for room in sorted(_ending)]
