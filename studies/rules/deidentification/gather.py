"""Gather from a data set, at every depth, what identifies the people of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from .identity import BIRTH_DATE, IDENTIFIERS, Known
from .profile import Profile
from .table import Action, action_for

_DEEPEST: Final = 64


class TooDeep(ValueError):
    """Sequences lie deeper than anything that a device writes."""


def known_of(dataset: Dataset, profile: Profile) -> Known:
    """Gather what identifies, at every depth: person names, codes, birth date.

    What the profile keeps by an option is no secret of the object.
    """
    known = Known()
    for element in _leaves(dataset, 0):
        if action_for(int(element.tag), profile) is Action.KEEP:
            continue
        for value in values_of(element):
            if element.VR == "PN":
                known.add_name(value)
            elif int(element.tag) in IDENTIFIERS and not int(element.tag) >> 16 & 1:
                known.add_code(value)
            elif element.tag == BIRTH_DATE:
                known.add_birth_date(value)
    return known


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """The elements that can name somebody, and those that somebody has looked into already."""
    for tag, stored in list(dataset.items()):
        if isinstance(stored, DataElement):
            yield stored
        elif _may_name(int(tag), stored.VR):
            yield dataset[tag]


@lru_cache(maxsize=1 << 14)
def _may_name(tag: int, vr: str | None) -> bool:
    if not vr:
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    return vr in {"PN", "SQ", "UN"} or tag in IDENTIFIERS or tag == BIRTH_DATE


def _leaves(dataset: Dataset, depth: int) -> Iterator[DataElement]:
    if depth > _DEEPEST:
        raise TooDeep(f"Sequences lie more than {_DEEPEST} deep.")
    for element in _elements(dataset):
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _leaves(item, depth + 1)
        else:
            yield element


def values_of(element: DataElement) -> list[str]:
    value = element.value
    if value is None or isinstance(value, bytes | bytearray):
        return []
    values = value if isinstance(value, MultiValue | list | tuple) else [value]
    return [str(one) for one in values if one is not None]
