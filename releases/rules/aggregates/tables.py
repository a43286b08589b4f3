"""Answers: a table of one or two dimensions, of sums of whole blocks only (see blocks.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from releases.rules.aggregates.blocks import (
    AggregateRefused,
    Blocks,
    check_group_size,
    spans_of,
)
from releases.rules.aggregates.cutting import Spans, classes_of, shown_counts
from releases.rules.aggregates.scan import must_not_identify
from releases.rules.aggregates.vocabulary import DIMENSION_LABELS, ORDERED, VOCABULARY, Dimension

SUPPRESSED = "not shown"
EVERYBODY = "Everybody"
_NAMED_AT_MOST = 3
# The spans of a block, as bits for each dimension, and its people.
Sized = tuple[Spans, int]


@dataclass(frozen=True, slots=True)
class Heading:
    """Of a row or column: the values that it stands for, and how they are said."""

    values: frozenset[str]
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its cells from left to right, and its margin; None is suppressed."""

    heading: Heading
    cells: tuple[int | None, ...]
    people: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """People by one dimension, or by two. Every margin is told, or suppressed, on its own."""

    by: Dimension
    across: Dimension | None
    columns: tuple[Heading, ...]
    lines: tuple[Line, ...]
    foot: tuple[int | None, ...]
    people: int
    at_least: int

    @property
    def sum_label(self) -> str:
        """What stands above the last column, which is a sum only where there are others."""
        return "All" if self.across else "People"

    @property
    def by_label(self) -> str:
        return DIMENSION_LABELS[self.by]

    @property
    def title(self) -> str:
        names = [DIMENSION_LABELS[one] for one in (self.by, self.across) if one is not None]
        return f"People by {' and '.join(name.lower() for name in names)}"

    @property
    def counts(self) -> Iterator[int]:
        """Every number that the table tells."""
        yield self.people
        yield from (one for one in self.foot if one is not None)
        for line in self.lines:
            yield from (one for one in (*line.cells, line.people) if one is not None)

    @property
    def hides(self) -> bool:
        told = [cell for line in self.lines for cell in (*line.cells, line.people)]
        return None in (*told, *self.foot)

    @property
    def share_shown(self) -> float:
        """The share of people who are in cells that are shown."""
        inner = [line.cells if self.across else (line.people,) for line in self.lines]
        return sum(cell or 0 for cells in inner for cell in cells) / self.people


def table_of(blocks: Blocks, by: str, across: str = "", *, at_least: int) -> Table:
    """Count people by one dimension or two. Raises `AggregateRefused`.

    `at_least` is what the policy asks for now, which can be more than when the blocks were made.
    """
    check_group_size(at_least)
    if blocks.at_least < at_least:
        raise AggregateRefused(
            f"These counts were made for groups of {blocks.at_least}, and the policy now asks "
            f"for {at_least}. New ones have to be made."
        )
    rows = _dimension(by, blocks)
    columns = _dimension(across, blocks) if across else None
    if rows is columns:
        raise AggregateRefused("Choose two different dimensions.")
    spans = [(spans_of(block.box, blocks.dimensions), block.people) for block in blocks.blocks]
    down = _axis(rows, spans, blocks)
    right = _axis(columns, spans, blocks) if columns else {}
    return _filled(spans, (rows, columns), down, right, blocks)


def _axis(dimension: Dimension, spans: Sequence[Sized], blocks: Blocks) -> dict[int, list[int]]:
    """The classes of values along one side of a table; what was never told apart comes last."""
    at = blocks.dimensions.index(dimension)
    classes = classes_of(span[at] for span, _ in spans)
    if dimension not in ORDERED:
        classes.sort(key=lambda one: one.bit_count() > 1)
    return {at: classes}


def _filled(
    spans: Sequence[Sized],
    sides: tuple[Dimension, Dimension | None],
    down: dict[int, list[int]],
    right: dict[int, list[int]],
    blocks: Blocks,
) -> Table:
    rows, columns = sides
    cells = shown_counts(spans, down | right)
    totals = shown_counts(spans, down)
    feet = shown_counts(spans, right) if right else {}
    across = [one for classes in right.values() for one in classes]
    lines = [one for classes in down.values() for one in classes]
    return Table(
        by=rows,
        across=columns,
        columns=tuple(heading_of(columns, one) for one in across if columns),
        lines=tuple(
            Line(
                heading_of(rows, one),
                tuple(cells.get((place, column)) for column in range(len(across))),
                totals.get((place,)),
            )
            for place, one in enumerate(lines)
        ),
        foot=tuple(feet.get((column,)) for column in range(len(across))),
        people=blocks.people,
        at_least=blocks.at_least,
    )


def _dimension(name: str, blocks: Blocks) -> Dimension:
    if name not in set(Dimension):
        raise AggregateRefused(f"There is no dimension {name!r}.")
    if name not in blocks.dimensions:
        counted = ", ".join(DIMENSION_LABELS[one].lower() for one in blocks.dimensions)
        raise AggregateRefused(f"These people are counted by: {counted}.")
    return Dimension(name)


# Labels, of nothing but the vocabularies ---------------------------------------------------------
def heading_of(dimension: Dimension, values: int) -> Heading:
    codes = [*VOCABULARY[dimension]]
    chosen = frozenset(code for place, code in enumerate(codes) if values >> place & 1)
    return Heading(chosen, label_of(dimension, values))


def label_of(dimension: Dimension, values: int) -> str:
    """Name a group of values: “60 to 79”, “Male, Other or Not stated”, “Any other”."""
    labels = [*VOCABULARY[dimension].values()]
    chosen = [place for place in range(len(labels)) if values >> place & 1]
    if len(chosen) == len(labels):
        return EVERYBODY
    if dimension in ORDERED:
        return _any_of(_runs([labels[place] for place in chosen]))
    if len(chosen) > _NAMED_AT_MOST:
        return "Any other"
    return _any_of([labels[place] for place in chosen])


def _runs(labels: list[str]) -> list[str]:
    """Put neighbours together: “20 to 29” and “30 to 39” are “20 to 39”."""
    steps = [one for one in labels if one[0].isdigit() or one.startswith(("Before", "After"))]
    rest = labels[len(steps) :]
    if len(steps) < 2:
        return [*steps, *rest]
    first, last = steps[0].partition(" to ")[0], steps[-1].rpartition(" to ")[2]
    if last.endswith(" or older"):
        return [f"{first} or older", *rest]
    return [_years(first, last), *rest]


def _years(first: str, last: str) -> str:
    if first.startswith("Before"):
        return f"Until {last}"
    if last.startswith("After"):
        return f"{first} or later"
    return f"{first} to {last}"


def _any_of(labels: list[str]) -> str:
    first, *more = labels
    *most, last = [first, *map(_within_a_sentence, more)]
    return f"{', '.join(most)} or {last}" if most else last


def _within_a_sentence(label: str) -> str:
    return label if label.isupper() else label[0].lower() + label[1:]


# What goes out -----------------------------------------------------------------------------------
def lines_of(table: Table) -> list[list[str]]:
    """The table as text, its head and foot too, for a file. Raises `OutputRefused` (scan)."""
    head = [DIMENSION_LABELS[table.by], *(one.label for one in table.columns), table.sum_label]
    body = [[line.heading.label, *map(_said, (*line.cells, line.people))] for line in table.lines]
    written = [head, *body, ["All", *map(_said, table.foot), _said(table.people)]]
    must_not_identify(
        "\n".join(", ".join(line) for line in written), counts=frozenset(table.counts)
    )
    return written


def _said(people: int | None) -> str:
    return SUPPRESSED if people is None else str(people)
