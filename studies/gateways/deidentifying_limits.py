"""What one object may take while it is de-identified: bytes, memory and seconds.

For processes that read strangers' bytes: they limit themselves before the first of them.
"""

from __future__ import annotations

import logging
import resource
import signal
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from studies.rules.deidentification.assess import Doubt
from studies.rules.deidentification.profile import Option, Profile

if TYPE_CHECKING:
    from studies.gateways.deidentifying import Deidentifier, Outcome

LARGEST: Final = 512 << 20
MEMORY: Final = 3 << 30
SECONDS: Final = 120
# Every frame is decoded, looked at and encoded again.
SECONDS_WITH_PIXELS: Final = 600


class _TooLong(BaseException):
    """Not an Exception: no parser may take it for a fault of the file."""


def seconds_of(profile: Profile) -> int:
    return SECONDS_WITH_PIXELS if profile.has(Option.CLEAN_PIXEL_DATA) else SECONDS


def limit_process() -> None:
    """Bound this process, and keep what parsers say of odd values, which they may quote."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    memory = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _stop)
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


def deidentified_in_time(
    deidentifier: Deidentifier, read: Callable[[], bytes], *, seconds: int, person: str = ""
) -> Outcome:
    """De-identify in a process that was limited; what takes too long or too much is put aside."""
    from studies.gateways.deidentifying import Outcome

    signal.alarm(seconds)
    try:
        return deidentifier.deidentify(read(), person=person)
    except _TooLong:
        return Outcome(None, (Doubt.TOO_LONG,))
    except MemoryError:
        return Outcome(None, (Doubt.TOO_LARGE,))
    finally:
        signal.alarm(0)


def _stop(*_: object) -> None:
    raise _TooLong
