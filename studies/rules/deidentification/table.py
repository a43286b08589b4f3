"""Table E.1-1 of DICOM PS3.15 and what it says for an attribute under a profile.

The table is data (`table_e1_1.tsv`), with its edition in the first line. Where it gives a choice
by the type of the attribute (X/Z, X/D, Z/D, X/Z/D), the one is taken that every type allows, so
that an object stays valid without asking for its IOD.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from .profile import Option, Profile


class Action(StrEnum):
    """What becomes of an attribute (PS3.15 Table E.1-1a)."""

    DUMMY = "D"
    ZERO = "Z"
    REMOVE = "X"
    KEEP = "K"
    CLEAN = "C"
    UID = "U"


# X/Z: type 3, else 2. X/D: type 3, else 1. Whatever the type, the last of the choices is valid.
_SAFE_FOR_EVERY_TYPE: Final = {
    "X": Action.REMOVE, "Z": Action.ZERO, "D": Action.DUMMY, "U": Action.UID,
    "X/Z": Action.ZERO, "X/D": Action.DUMMY, "Z/D": Action.DUMMY, "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.UID,
}  # fmt: skip
# X/Z of attributes that are type 3 wherever they stand, and may not be empty if they are there:
# Referenced Study Sequence (PS3.3 C.7.2.1).
_NOT_EMPTY: Final = frozenset({"00081110"})
CURVE_GROUPS: Final = range(0x5000, 0x5100, 2)
OVERLAY_GROUPS: Final = range(0x6000, 0x6100, 2)
_DRAWN: Final = frozenset(CURVE_GROUPS) | frozenset(OVERLAY_GROUPS)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: the Basic Profile's action, and those of options that have one."""

    name: str
    basic: str
    options: Mapping[Option, Action]

    def action(self, profile: Profile) -> Action:
        """What to do under a profile: keeping before cleaning before the Basic Profile."""
        said = {self.options[one] for one in profile.options if one in self.options}
        if Action.KEEP in said:
            return Action.KEEP
        if Action.CLEAN in said:
            return Action.CLEAN
        return _SAFE_FOR_EVERY_TYPE[self.basic]


@cache
def _table() -> tuple[str, Mapping[str, Row]]:
    text = (files(__package__) / "table_e1_1.tsv").read_text(encoding="utf-8")
    head, *lines = text.splitlines()
    rows = {}
    for line in lines:
        tag, basic, options, name = line.split("\t")
        pairs = (one.split("=") for one in options.split())
        actions = {Option(option): Action(action) for option, action in pairs}
        safest = "X" if tag in _NOT_EMPTY else basic
        rows[tag] = Row(name, safest, MappingProxyType(actions))
    return head.split("edition ")[1].split(":")[0], MappingProxyType(rows)


def edition() -> str:
    """The edition of the standard that the table is of, such as 2026d."""
    return _table()[0]


def rows() -> Iterator[tuple[str, Row]]:
    """Every row with its tag: eight digits, or with xx for a repeating group, or `private`."""
    yield from _table()[1].items()


@lru_cache(maxsize=1 << 14)
def action_for(tag: int, profile: Profile) -> Action | None:
    """What the table says of an attribute under a profile; None: it has no row for it."""
    row = row_of(tag)
    action = row.action(profile) if row else None
    if action is Action.CLEAN and tag >> 16 in _DRAWN:
        # Its bits cannot be cleaned here, and the rest says nothing without them.
        return Action.REMOVE
    return action


def row_of(tag: int) -> Row | None:
    """The row of a public attribute, or of private attributes as such; None: the table has none."""
    table = _table()[1]
    group = tag >> 16
    if group & 1:
        return table["private"]
    if group in CURVE_GROUPS:
        return table["50xxxxxx"]
    if group in OVERLAY_GROUPS:
        # Without its bits, an overlay is a set of words about nothing: it goes as a whole.
        return table[f"60xx{tag & 0xFFFF:04x}"] if tag & 0xFFFF == 0x4000 else table["60xx3000"]
    return table.get(f"{tag:08x}")
