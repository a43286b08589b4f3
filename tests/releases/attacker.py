"""Somebody who has every table, and puts them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from releases.rules.aggregates.blocks import Blocks
from releases.rules.aggregates.tables import Table, table_of
from releases.rules.aggregates.vocabulary import VOCABULARY, Dimension, Facts

# Places of the space, as the bits of a number.
Region = int


@dataclass
class Space:
    """All combinations of values, and who stands where."""

    dimensions: tuple[Dimension, ...]
    people: Sequence[Facts]

    def __post_init__(self) -> None:
        self.places = list(product(*(VOCABULARY[one] for one in self.dimensions)))
        standing = [tuple(one.value(d) for d in self.dimensions) for one in self.people]
        self.at = [self.places.index(one) for one in standing]

    @property
    def everywhere(self) -> Region:
        return (1 << len(self.places)) - 1

    def where(self, dimension: Dimension, values: Iterable[str]) -> Region:
        axis, some = self.dimensions.index(dimension), frozenset(values)
        return sum(1 << i for i, place in enumerate(self.places) if place[axis] in some)

    def people_in(self, region: Region) -> int:
        return sum(region >> place & 1 for place in self.at)


def tables_of(blocks: Blocks, at_least: int) -> list[Table]:
    ones = [(one, "") for one in blocks.dimensions]
    return [
        table_of(blocks, by, across, at_least=at_least)
        for by, across in [*ones, *combinations(blocks.dimensions, 2)]
    ]


def told(space: Space, tables: Iterable[Table]) -> dict[Region, int]:
    """Every number of all tables, by the part of the space that it counts."""
    numbers: dict[Region, int] = {}
    for table in tables:
        for region, people in _of_table(space, table):
            if people is not None:
                assert numbers.setdefault(region, people) == people
    return numbers


def _of_table(space: Space, table: Table) -> Iterator[tuple[Region, int | None]]:
    yield space.everywhere, table.people
    across = table.across or table.by
    for column, people in zip(table.columns, table.foot, strict=True):
        yield space.where(across, column.values), people
    for line in table.lines:
        row = space.where(table.by, line.heading.values)
        yield row, line.people
        for column, people in zip(table.columns, line.cells, strict=True):
            yield row & space.where(across, column.values), people


def as_usual(space: Space, at_least: int) -> dict[Region, int]:
    """What is told where each table hides its own small cells, and nothing else."""
    numbers: dict[Region, int] = {}
    tables = [*combinations(space.dimensions, 1), *combinations(space.dimensions, 2)]
    for table in tables:
        for cell in product(*(VOCABULARY[one] for one in table)):
            region = space.everywhere
            for dimension, value in zip(table, cell, strict=True):
                region &= space.where(dimension, [value])
            if (people := space.people_in(region)) >= at_least:
                numbers[region] = people
    numbers[space.everywhere] = len(space.people)
    return numbers


# Attacks -----------------------------------------------------------------------------------------
def by_subtraction(numbers: dict[Region, int], depth: int = 2) -> dict[Region, int]:
    """Regions that sums and differences of up to `depth` + 1 numbers tell of."""
    known, fresh = dict(numbers), dict(numbers)
    for _ in range(depth):
        found: dict[Region, int] = {}
        for (one, many), (other, few) in product(fresh.items(), numbers.items()):
            if one != other and one & other == other:
                found[one & ~other] = many - few
            if one != other and one & other == one:
                found[other & ~one] = few - many
            if one & other == 0:
                found[one | other] = many + few
        fresh = {region: people for region, people in found.items() if region not in known}
        known |= fresh
    return known


def never_parted(space: Space, regions: Iterable[Region]) -> list[Region]:
    """Group the places that lie in just the same regions.

    A sum of regions, with whatever factors, is the same number all over such a group. So
    whichever part of the space a combination of answers counts, it is made of whole groups.
    """
    kept = list(regions)
    groups: dict[tuple[int, ...], Region] = {}
    for place in range(len(space.places)):
        key = tuple(region >> place & 1 for region in kept)
        groups[key] = groups.get(key, 0) | 1 << place
    return list(groups.values())


def determines(rows: Sequence[Sequence[int]], wanted: Sequence[int]) -> bool:
    """Can `wanted` be put together from the rows, with any fractions as factors?"""
    return _rank([*rows, wanted]) == _rank(rows)


def _rank(rows: Sequence[Sequence[int]]) -> int:
    matrix = [[Fraction(value) for value in row] for row in rows]
    rank = 0
    for column in range(len(matrix[0])):
        pivot = next((i for i in range(rank, len(matrix)) if matrix[i][column]), None)
        if pivot is None:
            continue
        matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
        for i in range(rank + 1, len(matrix)):
            if matrix[i][column]:
                factor = matrix[i][column] / matrix[rank][column]
                matrix[i] = [a - factor * b for a, b in zip(matrix[i], matrix[rank], strict=True)]
        rank += 1
    return rank
