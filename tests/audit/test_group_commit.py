"""Events that come together are written together, and each is durable before it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError

from audit.services.group_commit import GroupCommit

WITHIN = 20.0


class Disk:
    """Takes rows; the first write lasts until it is let go, so that others come meanwhile."""

    def __init__(self, *, bad: Any = None) -> None:
        self.bad, self.writes = bad, []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def write(self, rows: Sequence[list[Any]]) -> None:
        if not self.begun.is_set():
            self.begun.set()
            assert self.go_on.wait(WITHIN)
        if [self.bad] in rows:
            raise DatabaseError(str(self.bad))
        self.writes.append([value for (value,) in rows])


def sent_while_the_first_is_written(disk: Disk, values: list[int]) -> list[BaseException | None]:
    together = GroupCommit(disk.write)
    with ThreadPoolExecutor(len(values) + 1) as pool:
        first = pool.submit(together.add, [0])
        assert disk.begun.wait(WITHIN)
        rest = [pool.submit(together.add, [value]) for value in values]
        while len(together._waiting) < len(values):
            assert not any(one.done() for one in rest), "acknowledged before it was written"
        disk.go_on.set()
        return [one.exception(WITHIN) for one in (first, *rest)]


def test_what_comes_during_a_write_goes_into_the_next_one() -> None:
    disk = Disk()
    assert sent_while_the_first_is_written(disk, [1, 2, 3]) == [None] * 4
    assert disk.writes[0] == [0]
    assert [sorted(one) for one in disk.writes[1:]] == [[1, 2, 3]]


def test_the_fault_of_one_is_not_the_fault_of_those_beside_it() -> None:
    disk = Disk(bad=2)
    first, *rest = sent_while_the_first_is_written(disk, [1, 2, 3])
    assert first is None
    assert [type(one) for one in rest] == [type(None), DatabaseError, type(None)]
    assert sorted(value for one in disk.writes for value in one) == [0, 1, 3]


def test_a_row_that_cannot_be_written_is_not_acknowledged() -> None:
    disk = Disk(bad=0)
    disk.go_on.set()
    with pytest.raises(DatabaseError):
        GroupCommit(disk.write).add([0])
    assert disk.writes == []
