"""How long a study is kept is for a room above to say: it tells this one whom to ask. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

# West of Greenwich a day is over up to twelve hours later.
_LAST_ZONE = timedelta(hours=12)

# Takes a study, and says in one sentence until when it is kept and why.
Tell = Callable[[Any], str]
_tellers: list[Tell] = []


def tell_keeping(teller: Tell) -> None:
    """Have this asked how long a study is kept; called from `AppConfig.ready`."""
    _tellers[:] = [teller]


def kept_until(study: Any) -> str:
    for teller in _tellers:
        return teller(study)
    return "No schedule is set, so it is kept."


def day_everywhere(now: datetime) -> date:
    """The day that has begun everywhere on earth: nothing is due where it is still yesterday."""
    return (now - _LAST_ZONE).date()
