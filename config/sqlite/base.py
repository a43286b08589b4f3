"""SQLite whose writers stand in line.

SQLite lets one connection write at a time. Whoever finds it busy sleeps for 1, 2, 5, 10 and up to
100 ms and tries again, however short the wait would have been: eight requests that each write one
event lost more time so than in all else they did. Here they wait for each other, first the threads
of a process and then the processes, and BEGIN finds the database free.

The line is a courtesy and nothing relies on it: SQLite's own lock still decides, and whoever has
waited too long, or is a program of another kind, goes on to that.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

# How soon a process looks again whether another has ended its turn.
_LOOK_EVERY = 0.0003


class Line:
    """The line in front of one database file."""

    def __init__(self, path: str) -> None:
        self._threads = threading.Lock()
        # Released by the kernel when a process dies, in whatever way.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def enter(self, timeout: float) -> bool:
        """Wait for one's turn; False if it did not come in time (seconds)."""
        until = time.monotonic() + timeout
        if not self._threads.acquire(timeout=timeout):
            return False
        while not self._is_first():
            if time.monotonic() > until:
                self._threads.release()
                return False
            time.sleep(_LOOK_EVERY)
        return True

    def _is_first(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def leave(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()


@lru_cache(maxsize=8)
def line_before(path: str, _process: int) -> Line:
    """Give the line of a database, of this process: a fork shares locks on files."""
    return Line(path)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but that a transaction waits in line before it begins."""

    _line: Line | None = None

    def _start_transaction_under_autocommit(self) -> None:
        if not self.is_in_memory_db():
            line = line_before(f"{self.settings_dict['NAME']}-line", os.getpid())
            timeout = self.settings_dict["OPTIONS"].get("timeout", 5.0)
            self._line = line if line.enter(timeout) else None
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._leave()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._leave()

    def _leave(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.leave()
