"""Lay a tree out as static tiles (c2sp.org/tlog-tiles): pure paths, widths and contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.rules.merkle import Subtree

WIDTH = 256
MAX_ENTRY = 0xFFFF


@dataclass(frozen=True, slots=True)
class Tile:
    """Name one tile: its level, its index within the level, and how many hashes it has."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        return f"tile/{self.level}/{index_path(self.index)}{self._partial}"

    @property
    def entries_path(self) -> str:
        """Return the path of the entry bundle that lies under a tile of level 0."""
        if self.level:
            raise ValueError("only tiles of level 0 have an entry bundle")
        return f"tile/entries/{index_path(self.index)}{self._partial}"

    @property
    def _partial(self) -> str:
        return "" if self.width == WIDTH else f".p/{self.width}"

    def content(self, subtree: Subtree) -> bytes:
        """Return the tile's bytes: ``width`` hashes of 32 bytes."""
        step = WIDTH**self.level
        first = self.index * WIDTH
        return b"".join(
            subtree(number * step, (number + 1) * step)
            for number in range(first, first + self.width)
        )


def index_path(index: int) -> str:
    """Write a tile index as path elements of three digits: 1234067 is x001/x234/067."""
    if index < 0:
        raise ValueError("a tile index is not negative")
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def tiles_of(size: int) -> Iterator[Tile]:
    """Name every tile of a tree of ``size`` leaves, full and partial, level by level."""
    yield from new_tiles(0, size)


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """Name the tiles that a tree of ``new`` leaves has and one of ``old`` leaves has not."""
    level = 0
    while hashes := new >> 8 * level:
        before = old >> 8 * level
        for index in range(before // WIDTH, hashes // WIDTH):
            yield Tile(level, index)
        width = hashes % WIDTH
        if width and hashes != before:
            yield Tile(level, hashes // WIDTH, width)
        level += 1


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Join entries, each behind its length in two bytes; raises ValueError over 65,535."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError("an entry is longer than a bundle can say")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def split_tile(content: bytes) -> Sequence[bytes]:
    """Split a tile into its hashes; raises ValueError if it is not whole."""
    if not content or len(content) % 32 or len(content) > WIDTH * 32:
        raise ValueError("a tile holds 1 to 256 hashes of 32 bytes")
    return [content[at : at + 32] for at in range(0, len(content), 32)]
