"""Until when backups hold what was destroyed is for the room that makes them to say. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

# Takes when the last key was destroyed; gives the words for a certificate and the last day that
# they name, or None if the portal makes no backups itself.
Ask = Callable[[datetime], tuple[str, date | None] | None]
_asked: list[Ask] = []


def tell_end_of_backups(ask: Ask) -> None:
    """Have this asked by each new certificate; called from `AppConfig.ready`."""
    _asked[:] = [ask]


def end_of_backups(destroyed_at: datetime) -> tuple[str, date | None] | None:
    return _asked[0](destroyed_at) if _asked else None
