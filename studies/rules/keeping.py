"""How long a study is kept is for a room above to say: it tells this one whom to ask. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
