"""All images of a series in one row, each frame by its place in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from studies.models import Instance


@dataclass(frozen=True, slots=True)
class Place:
    """One image: its object, the frame of it (from 1), and what people call it."""

    row: Instance
    frame: int
    label: str


class Reel:
    """The images of a series, without a list of each frame."""

    def __init__(self, rows: Iterable[Instance]) -> None:
        self._rows = [row for row in rows if row.frames]
        self._ends = list(accumulate(row.frames for row in self._rows))
        self.count = self._ends[-1] if self._ends else 0

    def place(self, at: int) -> Place:
        """Say what image `at` (from 1) is. Raises IndexError beyond the last."""
        index = bisect_right(self._ends, at - 1)
        row = self._rows[index]
        frame = at - (self._ends[index] - row.frames)
        label = f"image {row.number if row.number is not None else index + 1}"
        if row.frames > 1:
            label += f", frame {frame}"
        return Place(row, frame, label)


def spread(count: int, most: int) -> list[int]:
    """Choose at most `most` (2 or more) of the numbers 1 to `count`, as evenly as whole numbers
    allow: the first and the last are among them."""
    if count <= most:
        return list(range(1, count + 1))
    return [1 + place * (count - 1) // (most - 1) for place in range(most)]
