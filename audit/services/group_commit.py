"""Events of reads that come at the same time are made durable together, with one commit.

Each read waits for the disk until its event is safe. SQLite has one writer, so reads waited for
each other's disk as well, one after the other. Whoever's turn it is now writes all that have been
handed in by then; the others find theirs written when their turn comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

Write = Callable[[Sequence[list[Any]]], None]


@dataclass(eq=False, slots=True)
class _Waiting:
    values: list[Any]
    is_written: bool = False


class GroupCommit:
    """Call `add` outside a transaction; it returns once the row is durable, or raises.

    `write` puts rows down in a transaction of its own. If it fails for several, each is tried
    alone, so that the fault of one is not the fault of all.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._handing_in = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add(self, values: list[Any]) -> None:
        """Write one row, along with those of whoever else waits."""
        mine = _Waiting(values)
        with self._handing_in:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_written:
                self._write_with_others(mine)

    def _write_with_others(self, mine: _Waiting) -> None:
        with self._handing_in:
            batch, self._waiting = self._waiting, []
        if mine in batch and len(batch) > 1:
            try:
                self._write([one.values for one in batch])
            except DatabaseError:
                # They write their own when their turn comes.
                pass
            else:
                for one in batch:
                    one.is_written = True
                return
        self._write([mine.values])
        mine.is_written = True
