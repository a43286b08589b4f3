"""What a notice is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.rules.pack import Pack
from policies.rules.schema import KEY


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def lines(self) -> list[list[tuple[str, str]]]:
        """Each row as pairs of head and cell, for a screen too narrow for columns."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the notice. `link` names a page of the portal (a route's name) and its words."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None
    terms: tuple[tuple[str, str], ...] = field(default=())
    link: tuple[str, str] | None = None


def said(pack: Pack, path: str) -> str:
    """A value in the words of its kind."""
    return KEY[path].kind.words(pack[path])
