"""Stand in for ``os`` within the file store, so that any one of its calls kills or fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = {"open", "write", "fsync", "close", "rename", "mkdir", "unlink"}


class FaultyOs:
    """Everything of ``os``, with one fault at the n-th step (counted from 0)."""

    def __init__(
        self, at: int, *, before: Callable[[], None] | None, after: Callable[[], None] | None
    ) -> None:
        self.steps: list[str] = []
        self.targets: list[str] = []
        self._at, self._before, self._after = at, before, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._step(name, real) if name in STEPS else real

    def _step(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            hit = len(self.steps) == self._at
            self.steps.append(name)
            self.targets.append(_target(args[0]))
            if hit and self._before:
                self._before()
            result = real(*args, **kwargs)
            if hit and self._after:
                self._after()
            return result

        return call


def _target(first: object) -> str:
    """Give the path that a call is about, also where it names a descriptor."""
    return str(Path(f"/proc/self/fd/{first}").readlink()) if isinstance(first, int) else str(first)


def die() -> None:
    """End this process as a power switch would: no handler, no clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)


def failing(number: int) -> Callable[[], None]:
    """Make a fault that raises one operating system error."""

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail
