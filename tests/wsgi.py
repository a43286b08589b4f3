"""The portal as a server runs it, by the clock that a test has set."""

from __future__ import annotations

from tests.clock import set_clock

set_clock()

from config.wsgi import application  # noqa: E402 - after the clock is set

__all__ = ["application"]
