"""Content items of structured reports and of acquisition, protocol and specimen context.

PS3.15 E.3.4, Clean Structured Content: an item goes, or its value is replaced, moved, cleaned or
kept, by its concept name; its text, where the table does not know the concept, as free text.
References by position still point to their items afterwards (PS3.3 C.17.3.2.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .concepts import Concept, concept_action
from .profile import Option, Profile
from .table import Action
from .values import OLDEST

VALUE_TYPE: Final = 0x0040A040
CONTENT: Final = 0x0040A730
_CONCEPT_NAME, _CONCEPT_CODE = 0x0040A043, 0x0040A168
_MEASURED, _NUMERIC_VALUE, _UNITS = 0x0040A300, 0x0040A30A, 0x004008EA
_TARGET: Final = 0x0040DB73
_CODE_VALUES: Final = (0x00080100, 0x00080119, 0x00080120)
SCHEME: Final = 0x00080102
# The attribute that holds the value of an item (PS3.3 Table C.17.3-2).
VALUE_OF: Final = {
    "TEXT": 0x0040A160, "PNAME": 0x0040A123, "DATE": 0x0040A121, "TIME": 0x0040A122,
    "DATETIME": 0x0040A120, "UIDREF": 0x0040A124,
}  # fmt: skip
_TYPES: Final = frozenset(
    "CODE COMPOSITE CONTAINER IMAGE NUM SCOORD SCOORD3D TCOORD WAVEFORM TABLE".split()
) | set(VALUE_OF)
# Subject Name and Subject ID (TID 1007): they are called what the patient is called.
_SUBJECT: Final = frozenset({Concept("121029", "DCM", "PNAME"), Concept("121030", "DCM", "TEXT")})
_AGE: Final = Concept("121033", "DCM", "NUM")
# Type 2 where they stand; elsewhere an empty sequence of items is not valid.
MAY_BE_EMPTY: Final = frozenset({0x00400555, 0x00400610})
# How many of a unit make a year (UCUM).
_PER_YEAR: Final = {"a": 1.0, "mo": 12.0, "wk": 52.18, "d": 365.25}


def concept_of(item: Dataset) -> Concept | None:
    """The concept of a content item, with empty codes if it has no name; None: it is no such."""
    value_type = _said(item, VALUE_TYPE).upper()
    if value_type not in _TYPES:
        return None
    for name in _items(item, _CONCEPT_NAME):
        code = next(filter(None, (_said(name, tag) for tag in _CODE_VALUES)), "")
        return Concept(code, _said(name, SCHEME), value_type)
    return Concept("", "", value_type)


def action_on(concept: Concept, profile: Profile) -> Action | None:
    """What to do with an item: the table's word, and for text that it does not know, no trust."""
    action = concept_action(concept, profile)
    if action is None and concept.value_type == "TEXT":
        return Action.CLEAN if profile.has(Option.CLEAN_DESCRIPTORS) else Action.DUMMY
    return action


def names_the_subject(concept: Concept) -> bool:
    return concept in _SUBJECT


def codes_of(item: Dataset) -> Iterator[Dataset]:
    """The codes that are the value of an item."""
    yield from _items(item, _CONCEPT_CODE)


def cap_age(item: Dataset, concept: Concept) -> None:
    """Let a subject's age be 90 years where it is above 89 (45 CFR 164.514(b)(2)(i)(C))."""
    if concept != _AGE:
        return
    for measured in _items(item, _MEASURED):
        units = "".join(_said(one, 0x00080100) for one in _items(measured, _UNITS))
        try:
            years = float(_said(measured, _NUMERIC_VALUE)) / _PER_YEAR[units]
        except (KeyError, ValueError):
            years, measured.NumericValue = 0.0, "0"
        if years >= OLDEST + 1:
            measured.NumericValue = str(round(90 * _PER_YEAR[units]))


# References by position ---------------------------------------------------------------------------
class Positions:
    """Where the items of a content tree stood, to lead references to where they stand now."""

    def __init__(self, root: Dataset) -> None:
        self._root = root
        self._before = dict(_tree(root, (1,)))
        self._refers = any(_TARGET in item for item in self._before.values())

    def mend(self) -> None:
        """Renumber references; those whose item has gone go too, with all below them."""
        if not self._refers:
            return
        while self._drop_lost():
            pass
        now = {id(item): path for path, item in _tree(self._root, (1,))}
        for _, item in list(_tree(self._root, (1,))):
            if _TARGET in item:
                item[_TARGET].value = list(now[id(self._before[_path(item)])])

    def _drop_lost(self) -> bool:
        there = {id(item) for _, item in _tree(self._root, (1,))}
        lost = {
            id(item)
            for _, item in _tree(self._root, (1,))
            if _TARGET in item and id(self._before.get(_path(item))) not in there
        }
        if lost:
            for _, item in list(_tree(self._root, (1,))):
                drop(item, CONTENT, lost)
        return bool(lost)


def drop(parent: Dataset, tag: int, lost: set[int]) -> None:
    """Take items out of a sequence, by their identity; no empty one stays that may not be."""
    element = parent.get(tag)
    if element is None or not lost:
        return
    kept = [one for one in element.value or () if id(one) not in lost]
    if kept or tag in MAY_BE_EMPTY:
        element.value = Sequence(kept)
    else:
        del parent[tag]


def _tree(item: Dataset, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Dataset]]:
    yield path, item
    for number, child in enumerate(_items(item, CONTENT), 1):
        yield from _tree(child, (*path, number))


def _path(item: Dataset) -> tuple[int, ...]:
    value = item[_TARGET].value
    return (value,) if isinstance(value, int) else tuple(value or ())


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    element = dataset.get(tag)
    if element is None or element.VR != "SQ":
        return []
    return list(element.value or ())


def _said(dataset: Dataset, tag: int) -> str:
    element = dataset.get(tag)
    return "" if element is None or element.value is None else str(element.value).strip()
