"""What gunicorn says itself, under the same rule: an answer can break off when it is half out."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from config.faults import FaultFormatter


class ServerLogger(Logger):  # type: ignore[misc] # gunicorn carries no types
    def _set_handler(self, log: logging.Logger, output: str | None, *_: Any, **more: Any) -> None:
        """Keep the place, and not the format: it would write an exception's words."""
        super()._set_handler(log, output, FaultFormatter(), more.get("stream"))
