"""Clean one data set in place, by the table, at every depth.

What no row of the table speaks of is not left alone: private and unknown attributes go, free
descriptions go, and every text that stays is searched for what identifies the people of the
object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from . import content_items
from .concepts import Concept
from .gather import known_of, values_of
from .identity import BIRTH_DATE
from .keyed import Keyed
from .profile import Option, Profile
from .replacing import PATIENT_ID, PATIENT_NAME, PUBLIC_CODES, Cleaned, Replacing, text_of
from .safe_private import is_safe
from .table import Action, action_for
from .values import FREE_TEXT_VRS, MOMENT_VRS, NUMBER_VRS, TEXT_VRS

_STUDY_UID: Final = 0x0020000D
_TRAILING_PADDING: Final = 0xFFFCFFFC
# Free text that describes and that no row speaks of: anything can stand in it.
_DESCRIBES: Final = re.compile(
    r"(?:Description|Comments?|Title|Narrative|Remarks?|Notes?|Text|TextValue|Explanation|Reason)$"
)
# In letters, but not just any.
_DECIMALS: Final = frozenset({"DS", "IS"})
_DECIMAL: Final = re.compile(rb"[-+0-9.eE \\]*")
_NOTHING: Final[Mapping[int, Action]] = MappingProxyType({})


def person_of(dataset: Dataset) -> str:
    """What tells one person from another across files: the number, else name and birth.

    The issuer of the number is left aside: devices of one hospital fill it in or do not.
    """
    number = text_of(dataset, PATIENT_ID)
    if number:
        return f"id\0{number}"
    name = text_of(dataset, PATIENT_NAME)
    if name:
        return f"name\0{name}\0{text_of(dataset, BIRTH_DATE)}"
    return f"study\0{text_of(dataset, _STUDY_UID)}"


class Cleaner:
    """Cleans data sets of one project under one profile."""

    def __init__(self, profile: Profile, keyed: Keyed) -> None:
        self._profile, self._keyed = profile, keyed

    def clean(self, dataset: Dataset, *, person: str = "") -> Cleaned:
        """Clean in place, and say what was done. Raises `TooDeep`.

        `person` names whose it is; without it, what the data set says tells people apart.
        """
        person = person or person_of(dataset)
        walk = _Walk(
            self._profile, self._keyed, person, Cleaned(known=known_of(dataset, self._profile))
        )
        positions = None
        if self._profile.has(Option.CLEAN_STRUCTURED_CONTENT) and content_items.CONTENT in dataset:
            positions = content_items.Positions(dataset)
        walk.dataset(dataset, strict=False)
        if positions:
            positions.mend()
        walk.mark(dataset)
        return walk.done


class _Walk(Replacing):
    """One object's way through the table."""

    def dataset(
        self, dataset: Dataset, *, strict: bool, said: Mapping[int, Action] = _NOTHING
    ) -> None:
        """Clean a data set or an item.

        `strict`: inside a sequence that is to be a dummy, so that nothing said in it stays.
        `said`: actions of this item by its concept name, before those of Table E.1-1.
        """
        creators = self._safe_creators(dataset)
        for tag, stored in list(dataset.items()):
            group, element_number = tag >> 16, tag & 0xFFFF
            if group & 1:
                if (tag not in creators) or strict:
                    self._remove(dataset, tag, "private")
                continue
            if not element_number or tag == _TRAILING_PADDING:
                self._remove(dataset, tag, "structure")
                continue
            if isinstance(stored, DataElement):
                self._public(dataset, stored, strict, said)
            elif strict or tag in said or not self._unread(dataset, stored):
                self._public(dataset, dataset[tag], strict, said)

    def _unread(self, dataset: Dataset, stored: RawDataElement) -> bool:
        """Do what can be done without reading a value, which is slow; False: nothing was done."""
        tag, vr, value = int(stored.tag), stored.VR, stored.value
        action = action_for(tag, self._profile)
        if action is Action.REMOVE:
            self._remove(dataset, tag, "removed")
            return True
        if action is not None or not _may_stay(tag, vr):
            return False
        # Numbers and bytes that no row speaks of are written as they were read; words too, if
        # they are the same in every character set and name nobody.
        if vr not in NUMBER_VRS and not self._is_harmless(vr, value):
            return False
        self.done.note("kept")
        return True

    def _is_harmless(self, vr: str | None, value: object) -> bool:
        if not isinstance(value, bytes) or len(value) % 2:
            return False
        if not value.isascii() or b"\x1b" in value:
            return False
        if vr in _DECIMALS:
            return _DECIMAL.fullmatch(value) is not None
        return vr == "UI" or not self._names_somebody(value.decode("ascii"))

    # Private attributes ----------------------------------------------------------------------
    def _safe_creators(self, dataset: Dataset) -> set[int]:
        """Tags of private attributes that stay, with those that reserve their blocks."""
        if not self._profile.has(Option.SAFE_PRIVATE):
            return set()
        kept: set[int] = set()
        for tag in dataset.keys():  # noqa: SIM118 - its values are parsed when iterated
            group, number = tag >> 16, tag & 0xFFFF
            if not group & 1 or number < 0x1000:
                continue
            reserved = group << 16 | number >> 8
            creator = text_of(dataset, reserved)
            if not is_safe(int(tag), creator):
                continue
            element = dataset[tag]
            unsafe = element.VR in {"SQ", "UN"} or any(
                map(self._names_somebody, values_of(element))
            )
            if not unsafe:
                kept |= {int(tag), reserved}
        return kept

    # Public ones -----------------------------------------------------------------------------
    def _public(
        self, dataset: Dataset, element: DataElement, strict: bool, said: Mapping[int, Action]
    ) -> None:
        action = said.get(int(element.tag)) or action_for(int(element.tag), self._profile)
        if element.VR == "UN" or (action is None and not dictionary_has_tag(element.tag)):
            self._remove(dataset, element.tag, "unknown")
            return
        if action is Action.REMOVE:
            self._remove(dataset, element.tag, "removed")
        elif element.VR == "SQ":
            self._sequence(dataset, element, action, strict=strict)
        elif strict and not (element.VR == "UI" and action in {Action.UID, Action.KEEP}):
            self._strict(dataset, element)
        elif action is None:
            self._unlisted(dataset, element)
        else:
            self._listed(dataset, element, action)

    def _sequence(
        self, parent: Dataset, element: DataElement, action: Action | None, *, strict: bool
    ) -> None:
        if action is Action.ZERO:
            element.value = Sequence()
            self.done.note("emptied")
            return
        strict = strict or action is Action.DUMMY
        lost = set()
        for item in element.value or ():
            if strict or not self._profile.has(Option.CLEAN_STRUCTURED_CONTENT):
                self.dataset(item, strict=strict)
            elif not self._content_item(item):
                lost.add(id(item))
        content_items.drop(parent, int(element.tag), lost)

    # Content items (PS3.15 E.3.4) ------------------------------------------------------------
    def _content_item(self, item: Dataset) -> bool:
        """Clean an item, one of content by its concept name; False: it goes."""
        concept = content_items.concept_of(item)
        if concept is None:
            self.dataset(item, strict=False)
            return True
        action = content_items.action_on(concept, self._profile)
        if action is Action.REMOVE:
            self.done.note("removed")
            return False
        tag = content_items.VALUE_OF.get(concept.value_type)
        self.dataset(item, strict=False, said={tag: action} if tag and action else _NOTHING)
        self._content_value(item, concept, action)
        return True

    def _content_value(self, item: Dataset, concept: Concept, action: Action | None) -> None:
        element = item.get(content_items.VALUE_OF.get(concept.value_type, 0))
        if element is not None and content_items.names_the_subject(concept):
            self._replace(element, [self._pseudonym])
        elif element is not None and action is Action.KEEP:
            # The concept's word counts, also where the attribute as such does not stay.
            self.done.new_values.update(values_of(element))
        content_items.cap_age(item, concept)
        for code in content_items.codes_of(item):
            meaning = code.get("CodeMeaning") and code["CodeMeaning"]
            if meaning and text_of(code, content_items.SCHEME) not in PUBLIC_CODES:
                self._described(code, meaning)

    # What no row speaks of -------------------------------------------------------------------
    def _unlisted(self, dataset: Dataset, element: DataElement) -> None:
        vr = element.VR
        if vr in MOMENT_VRS:
            self._moment(element)
        elif vr == "PN":
            self._dummy(dataset, element)
        elif vr == "UR":
            self._remove(dataset, element.tag, "removed")
        elif vr == "AS":
            self._age(element)
        elif _describes(int(element.tag), vr):
            self._described(dataset, element)
        else:
            self._sweep(element)

    def _described(self, dataset: Dataset, element: DataElement) -> None:
        if self._profile.has(Option.CLEAN_DESCRIPTORS):
            self._clean(dataset, element)
        else:
            self._dummy(dataset, element)

    def mark(self, dataset: Dataset) -> None:
        """Say in the object what was done to it (PS3.15 E.1.1, PS3.3 C.12.1.1)."""
        dataset.PatientIdentityRemoved = "YES"
        methods = self._profile.methods
        dataset.DeidentificationMethod = [meaning[:64] for _, meaning in methods]
        items = []
        for code, meaning in methods:
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", meaning
            items.append(item)
        dataset.DeidentificationMethodCodeSequence = Sequence(items)
        dataset.LongitudinalTemporalInformationModified = self._profile.dates
        for tag in (PATIENT_NAME, PATIENT_ID):
            if tag not in dataset:
                dataset.add_new(tag, "PN" if tag == PATIENT_NAME else "LO", self._pseudonym)


@lru_cache(maxsize=1 << 14)
def _describes(tag: int, vr: str) -> bool:
    return vr in FREE_TEXT_VRS and _DESCRIBES.search(keyword_for_tag(tag)) is not None


@lru_cache(maxsize=1 << 14)
def _may_stay(tag: int, vr: str | None) -> bool:
    """Of an attribute without a row: can its value stay, if nobody is named in it?"""
    if vr is None or not dictionary_has_tag(tag):
        return False
    if vr in NUMBER_VRS or vr in _DECIMALS or vr == "UI":
        return True
    return vr in TEXT_VRS - {"PN", "UR"} and not _describes(tag, vr)
