"""What becomes of a content item by its concept name: DICOM PS3.15 E.3.4, Table E.3.4-1.

The table is data (`table_e3_4_1.tsv`), with its edition in the first line. It speaks of a concept
together with a value type: a Finding that is text goes, one that is a code stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

from .profile import Option, Profile
from .table import Action, Row


class Concept(NamedTuple):
    """A coded concept name with the type of the value that it names."""

    code: str
    scheme: str
    value_type: str


# The same concepts in SNOMED-RT, as objects had them before SNOMED CT (PS3.16 8.1.1).
_FORMER: Final = {
    "PA-30029": "440252007", "DF-0070B": "398164008", "DF-0068E": "398325003",
    "R-42B89": "371524004", "DD-60002": "116224001", "F-00033": "271921002",
    "G-C0E3": "363698007", "F-02455": "160476009", "G-D321": "398201009",
    "G-D320": "397898000",
}  # fmt: skip
_FORMER_SCHEMES: Final = frozenset({"SRT", "SNM3", "99SDM"})


@cache
def _table() -> tuple[str, Mapping[Concept, Row]]:
    text = (files(__package__) / "table_e3_4_1.tsv").read_text(encoding="utf-8")
    head, *lines = text.splitlines()
    rows = {}
    for line in lines:
        code, scheme, value_type, basic, options, meaning = line.split("\t")
        pairs = (one.split("=") for one in options.split())
        actions = {Option(option): Action(action) for option, action in pairs}
        rows[Concept(code, scheme, value_type)] = Row(meaning, basic, MappingProxyType(actions))
    return head.split("edition ")[1].split(":")[0], MappingProxyType(rows)


def edition() -> str:
    """The edition of the standard that the table is of."""
    return _table()[0]


def rows() -> Iterator[tuple[Concept, Row]]:
    yield from _table()[1].items()


def concept_action(concept: Concept, profile: Profile) -> Action | None:
    """What the table says of a content item under a profile; None: it has no row for it."""
    code, scheme, value_type = concept
    if scheme in _FORMER_SCHEMES and code in _FORMER:
        code, scheme = _FORMER[code], "SCT"
    row = _table()[1].get(Concept(code, scheme, value_type))
    return row.action(profile) if row else None
