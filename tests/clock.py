"""A running portal at another time than ours: its clock is set once, and then goes on."""

from __future__ import annotations

import os
import time
from datetime import datetime

import time_machine

SHIFT = "TESTS_CLOCK_SHIFT"


def shifted_to(moment: datetime) -> dict[str, str]:
    """What to add to the environment of a process, so that it is this moment there now."""
    return {SHIFT: str(moment.timestamp() - time.time())}


def set_clock() -> None:
    """Do what the environment says; nothing, if it says nothing."""
    if shift := float(os.environ.get(SHIFT, "0")):
        time_machine.travel(time.time() + shift, tick=True).start()
