"""What the record of a drill says, to be signed. Pure."""

from __future__ import annotations

from datetime import datetime


def text_of(
    *,
    generation: str,
    began_at: datetime,
    seconds: int,
    is_good: bool,
    files: int,
    tried: int,
    events: int,
    failure: str,
) -> str:
    """A fact a line."""
    outcome = "it worked" if is_good else f"it failed, {_one_line(failure)}"
    lines = [
        "Collimate restore drill",
        f"backup: {generation}",
        f"begun: {began_at:%Y-%m-%dT%H:%M:%SZ}",
        f"seconds: {seconds}",
        f"sealed files: {files}",
        f"sealed files read and opened: {tried}",
        f"events of the trail verified: {events}",
        f"outcome: {outcome}",
    ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """A signed note holds no control characters."""
    return " ".join(text.split())
