"""Blocks: parts of a population, of at least k people each, that are never looked into.

The space of all combinations of values is cut, once for a snapshot, into boxes that cover it
without a gap, each with at least k people in it. Whatever is told later is a sum of whole blocks.
So every sum and difference of answers, of any tables, is a combination of block counts, and no
group of fewer than k people can be parted from the others. Nor is it ever told that a place is
empty: no box is. Moving people within their blocks changes no answer
(tests/releases/test_aggregates_attacked.py tries all of this).

Hiding small cells table by table, the usual way, does not hold: the difference of two overlapping
tables shows what both hide, and even where no cell anywhere is small, the three tables of three
yes-or-no questions tell together how many people answered all of them alike.

Which cuts are made decides what tables are worth. Each step asks one question of all blocks, cuts
those of which both parts stay large, and keeps the question that tells most: the mean, over all
tables of one and two dimensions, of the share of a full table's information (entropy) that would
be shown. Cutting each block where it is best halved (Mondrian, LeFevre 2006) leaves hardly any
cell that no block straddles. On three invented hospitals (tests/releases/populations.py), k = 11,
people in shown cells and information shown, against Mondrian:

    all six dimensions,       500 people    91 % and 40 %    31 % and 18 %
    all six dimensions,     2,000 people    93 % and 49 %    26 % and 23 %
    all six dimensions,    20,000 people   100 % and 69 %    42 % and 40 %
    sex, age and modality,  2,000 people    95 % and 85 %    60 % and 60 %
    modality and body part, 2,000 people    65 % and 70 %    62 % and 64 %

So fewer dimensions give finer tables, and pairs of which most never occur give coarse ones.

What this does not keep secret: that a block was not cut says that a part of it would have been
small, as the mark of a suppressed cell always does. And whoever knows all but one person of a
block knows the last one; k is what makes that rare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies.rules.schema import KEY
from releases.rules.aggregates.cutting import Part, Spans, cut
from releases.rules.aggregates.vocabulary import ORDERED, VOCABULARY, Dimension, Facts

GROUP_KEY: Final = "deid.min_group_size"
# The floor of that key.
SMALLEST_GROUP: Final = 5


class AggregateRefused(ValueError):
    """There is no answer, for the reason that the sentence gives."""


@dataclass(frozen=True, slots=True)
class Block:
    """A box, by the values of each dimension that it spans, and how many people are in it."""

    box: Mapping[Dimension, frozenset[str]]
    people: int

    def holds(self, facts: Facts) -> bool:
        return all(facts.value(dimension) in span for dimension, span in self.box.items())

    def covers(self, other: Block) -> bool:
        return all(other.box[dimension] <= span for dimension, span in self.box.items())


@dataclass(frozen=True, slots=True)
class Blocks:
    """A population as it is told of: by these dimensions, in blocks of at least `at_least`."""

    dimensions: tuple[Dimension, ...]
    blocks: tuple[Block, ...]
    at_least: int

    @property
    def people(self) -> int:
        return sum(block.people for block in self.blocks)

    def place_of(self, facts: Facts) -> int:
        """In which block a person is; there is exactly one, for the boxes cover everything."""
        return next(i for i, block in enumerate(self.blocks) if block.holds(facts))


def check_group_size(at_least: int) -> None:
    """Raise `AggregateRefused` for groups smaller than any policy may tell of."""
    floor = KEY[GROUP_KEY].floor
    if floor is not None and floor.broken(at_least):
        raise AggregateRefused(
            f"Groups of {at_least} people are too small: the least is {floor.words}, "
            f"for {floor.reason}"
        )


def blocks_of(
    people: Sequence[Facts], *, at_least: int, dimensions: Sequence[Dimension] = tuple(Dimension)
) -> Blocks:
    """Cut a population into blocks; the same one always in the same way, in whatever order."""
    check_group_size(at_least)
    named = _named(dimensions)
    if not people:
        raise AggregateRefused("There is nobody here to count.")
    if len(people) < at_least:
        raise AggregateRefused(
            f"There are fewer than {at_least} people here, so nothing is told of them."
        )
    cells = Counter(
        tuple(1 << [*VOCABULARY[one]].index(facts.value(one)) for one in named) for facts in people
    )
    return _cut(cells, named, at_least)


def coarser(blocks: Blocks, at_least: int) -> Blocks:
    """Put whole blocks together where the policy now asks for larger groups."""
    check_group_size(at_least)
    if blocks.people < at_least:
        raise AggregateRefused(
            f"There are fewer than {at_least} people here, so nothing is told of them."
        )
    cells = Counter({spans_of(one.box, blocks.dimensions): one.people for one in blocks.blocks})
    return _cut(cells, blocks.dimensions, at_least)


def _cut(cells: Counter[Spans], dimensions: tuple[Dimension, ...], at_least: int) -> Blocks:
    everything = tuple((1 << len(VOCABULARY[one])) - 1 for one in dimensions)
    # Sorted, so that sums of fractions do not depend on who comes first.
    whole = Part(everything, dict(sorted(cells.items())))
    parts = cut(whole, [one in ORDERED for one in dimensions], at_least)
    return Blocks(
        dimensions,
        tuple(Block(_box(part.spans, dimensions), part.people) for part in parts),
        at_least,
    )


def _box(spans: Spans, dimensions: Sequence[Dimension]) -> dict[Dimension, frozenset[str]]:
    return {
        one: frozenset(value for place, value in enumerate(VOCABULARY[one]) if span >> place & 1)
        for one, span in zip(dimensions, spans, strict=True)
    }


def spans_of(box: Mapping[Dimension, frozenset[str]], dimensions: Sequence[Dimension]) -> Spans:
    """The values of a box as bits, one number a dimension."""
    return tuple(
        sum(1 << place for place, value in enumerate(VOCABULARY[one]) if value in box[one])
        for one in dimensions
    )


def _named(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    if not dimensions:
        raise AggregateRefused("Choose at least one dimension to count by.")
    for dimension in dimensions:
        if dimension not in VOCABULARY:
            raise AggregateRefused(f"There is no dimension {dimension!r}.")
    if len(set(dimensions)) < len(dimensions):
        raise AggregateRefused("A dimension is named twice.")
    return tuple(one for one in Dimension if one in set(dimensions))
