"""Cutting a space into boxes: where, and what the tables are worth then (see blocks.py)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from operator import or_
from typing import Final

_FINER: Final = 1e-9
# A set of values of each dimension, as bits; and a place in a table.
Spans = tuple[int, ...]
Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """`cells` count people by what cannot be cut: a place of the space, or a block of before."""

    spans: Spans
    cells: Mapping[Spans, int]

    @property
    def people(self) -> int:
        return sum(self.cells.values())


@dataclass(frozen=True, slots=True)
class _Question:
    """Has somebody one of these values of a dimension?"""

    axis: int
    values: int


def _questions(ordered: Sequence[bool], cells: Iterable[Spans]) -> Iterator[_Question]:
    """Where an order can be cut, and which value can be set apart. Others would part nobody."""
    for axis, found in enumerate(zip(*cells, strict=True)):
        spans = sorted(set(found))
        if ordered[axis]:
            lowest = sorted({span & -span for span in spans})
            yield from (_Question(axis, bit - 1) for bit in lowest[1:])
        elif len(spans) > 1:
            yield from (_Question(axis, span) for span in spans if span.bit_count() == 1)


def cut(whole: Part, ordered: Sequence[bool], at_least: int) -> list[Part]:
    """Cut all of it as far as that makes the tables worth more, in the order of the space.

    `ordered` says of each dimension whether its values have an order.
    """
    worth = Worth(whole)
    questions = list(_questions(ordered, whole.cells))
    parts = [whole]
    best = 0.0
    while True:
        answered = (_ask(parts, one, at_least) for one in questions)
        weighed = [(worth.of(new), -len(new), new) for new in answered if len(new) > len(parts)]
        # Of equals the one that leaves larger blocks, and then the first.
        value, _, new = max(weighed, key=lambda one: one[:2], default=(best, 0, parts))
        if value <= best + _FINER:
            return sorted(parts, key=lambda part: part.spans)
        parts, best = new, value


def _ask(parts: list[Part], question: _Question, at_least: int) -> list[Part]:
    return [piece for part in parts for piece in _halves(part, question, at_least)]


def _halves(part: Part, question: _Question, at_least: int) -> tuple[Part, ...]:
    """Both halves of a part; or the part itself where one would be small, or not be whole."""
    axis, span = question.axis, part.spans[question.axis]
    inside = {cell: n for cell, n in part.cells.items() if cell[axis] & question.values}
    if not at_least <= sum(inside.values()) <= part.people - at_least:
        return (part,)
    if any(cell[axis] & ~question.values for cell in inside):
        return (part,)
    outside = {cell: n for cell, n in part.cells.items() if cell not in inside}
    spans = (span & question.values, span & ~question.values)
    return tuple(
        Part((*part.spans[:axis], narrow, *part.spans[axis + 1 :]), cells)
        for narrow, cells in zip(spans, (inside, outside), strict=True)
    )


# What the tables would be worth ------------------------------------------------------------------
class Worth:
    """How much of all tables' information a partition shows, from 0 to 1."""

    def __init__(self, whole: Part) -> None:
        axes = range(len(whole.spans))
        self._full = {
            table: full
            for table in (*combinations(axes, 1), *combinations(axes, 2))
            if (full := _entropy(_counts(whole, table).values())) > 0
        }
        self._people = whole.people

    def of(self, parts: Sequence[Part]) -> float:
        if not self._full:
            return 0.0
        classes = [classes_of(part.spans[axis] for part in parts)
                   for axis in range(len(parts[0].spans))]  # fmt: skip
        sized = [(part.spans, part.people) for part in parts]
        kept = 0.0
        for table, full in self._full.items():
            shown = shown_counts(sized, {axis: classes[axis] for axis in table})
            rest = self._people - sum(shown.values())
            kept += _entropy([*shown.values(), rest]) / full
        return kept / len(self._full)


def _counts(part: Part, table: tuple[int, ...]) -> Counter[Spans]:
    counts: Counter[Spans] = Counter()
    for cell, people in part.cells.items():
        counts[tuple(cell[axis] for axis in table)] += people
    return counts


def _entropy(counts: Iterable[int]) -> float:
    some = [count for count in counts if count]
    people = sum(some)
    return -sum(count / people * math.log2(count / people) for count in some)


def classes_of(spans: Iterable[int]) -> list[int]:
    """The finest groups of values that blocks tell apart; a block spans each wholly or not."""
    spans = set(spans)
    classes = [reduce(or_, spans)]
    for span in spans:
        classes = [piece for one in classes for piece in (one & span, one & ~span) if piece]
    return sorted(classes, key=lambda one: one & -one)


def shown_counts(
    blocks: Sequence[tuple[Spans, int]], classes: Mapping[int, Sequence[int]]
) -> dict[Cell, int]:
    """Count the cells of a table that are exact unions of blocks, by their classes' places.

    `blocks` are spans and people; `classes` those of each axis of the table. Every other cell is
    straddled by a block, and is left out.
    """
    counts: Counter[Cell] = Counter()
    straddled: set[Cell] = set()
    for spans, people in blocks:
        touched = [
            [place for place, one in enumerate(found) if one & spans[axis]]
            for axis, found in classes.items()
        ]
        if all(len(places) == 1 for places in touched):
            counts[tuple(places[0] for places in touched)] += people
        else:
            straddled.update(product(*touched))
    return {cell: people for cell, people in counts.items() if cell not in straddled}
