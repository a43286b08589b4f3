"""What is done to one attribute of a data set: kept, cleaned, moved, replaced, emptied, removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from .gather import values_of
from .identity import Known
from .keyed import Keyed
from .profile import Option, Profile
from .table import Action
from .text import cleaned_text
from .values import (
    DUMMIES,
    FREE_TEXT_VRS,
    MOMENT_VRS,
    REMOVED,
    TEXT_VRS,
    capped_age,
    moved_moment,
)

PATIENT_NAME: Final = 0x00100010
PATIENT_ID: Final = 0x00100020
_STANDARD_UIDS: Final = "1.2.840.10008."
# In a sequence that is replaced by a dummy, these say what kind of item it is, not what it says.
_STRUCTURE: Final = frozenset({0x0040A040, 0x0040A010, 0x0040A050, 0x00080102})
_CODE: Final = frozenset({0x00080100, 0x00080104})
# Code systems that nobody writes a patient's words into (PS3.16 section 8).
PUBLIC_CODES: Final = frozenset(
    "DCM SCT SRT SNM3 LN UCUM RADLEX MDC FMA NCIt UMLS ACR RFC5646 ISO639_1 ISO639_2".split()
)
_DUMMY_TEXTS: Final = frozenset(one for one in DUMMIES.values() if isinstance(one, str))


@dataclass
class Cleaned:
    """What was done to one object: how many attributes by action, and the values that are new."""

    counts: dict[str, int] = field(default_factory=dict)
    # Dummies among them: an object that was cleaned before holds them too.
    new_values: set[str] = field(default_factory=lambda: {REMOVED, "Removed", *_DUMMY_TEXTS})
    known: Known = field(default_factory=Known)
    # What the person is called, and by how much their dates are moved.
    pseudonym: str = ""
    days: int = 0

    def note(self, done: str) -> None:
        self.counts[done] = self.counts.get(done, 0) + 1


def text_of(dataset: Dataset, tag: int) -> str:
    element = dataset.get(tag)
    return "" if element is None or element.value is None else str(element.value).strip()


class Replacing:
    """Does to attributes of one object what the table says, and notes it."""

    def __init__(self, profile: Profile, keyed: Keyed, person: str, done: Cleaned) -> None:
        self._profile, self._keyed, self.done = profile, keyed, done
        number = person.removeprefix("id\0")
        self._is_clean_already = keyed.is_own_code(number)
        self._pseudonym = number if self._is_clean_already else keyed.code("person", person)
        self._days = 0 if self._is_clean_already else keyed.days(person)
        done.pseudonym, done.days = self._pseudonym, self._days

    def _listed(self, dataset: Dataset, element: DataElement, action: Action) -> None:
        if element.tag in {PATIENT_NAME, PATIENT_ID} and action is not Action.KEEP:
            self._replace(element, [self._pseudonym])
            self.done.note("replaced")
            return
        match action:
            case Action.KEEP:
                self._keep(element)
            case Action.CLEAN:
                self._clean(dataset, element)
            case Action.ZERO:
                self._zero(element)
            case Action.UID:
                self._uid(dataset, element)
            case _:
                self._dummy(dataset, element)

    def _keep(self, element: DataElement) -> None:
        if element.VR == "AS":
            self._age(element)
        elif element.VR in TEXT_VRS:
            self._sweep(element)
        elif element.VR in MOMENT_VRS and not self._profile.has(Option.FULL_DATES):
            self._not_the_birth_date(element)
        else:
            self.done.note("kept")

    def _not_the_birth_date(self, element: DataElement) -> None:
        """A device's date stays; the patient's birth date does not, wherever it was entered."""
        values = values_of(element)
        if any(map(self._names_somebody, values)):
            self._replace(element, [DUMMIES[element.VR]])
            self.done.note("replaced")
        else:
            self.done.note("kept")

    def _clean(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR in MOMENT_VRS:
            self._move(element)
        elif element.VR in FREE_TEXT_VRS:
            self._replace(
                element, [cleaned_text(one, self.done.known) for one in values_of(element)]
            )
            self.done.note("cleaned")
        elif element.VR == "AS":
            self._age(element)
        elif element.VR in DUMMIES and element.VR in TEXT_VRS:
            self._dummy(dataset, element)
        else:
            # Pictures and graphics cannot be read here: what cannot be cleaned does not stay.
            self._remove(dataset, element.tag, "removed")

    def _zero(self, element: DataElement) -> None:
        element.value = None if element.VR not in TEXT_VRS else ""
        self.done.note("emptied")

    def _dummy(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR == "UI":
            self._uid(dataset, element)
            return
        if element.VR not in DUMMIES:
            self._remove(dataset, element.tag, "removed")
            return
        if element.value in (None, "", b""):
            return
        dummy = DUMMIES[element.VR]
        # As many numbers as there were: a point has two, and an IOD asks for them.
        count = len(element.value) if isinstance(element.value, MultiValue | list) else 1
        element.value = [dummy] * count if count > 1 and element.VR not in FREE_TEXT_VRS else dummy
        self.done.note("replaced")

    def _uid(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR != "UI":
            self._remove(dataset, element.tag, "removed")
            return
        self._replace(element, [self._new_uid(one) for one in values_of(element)])
        self.done.note("replaced")

    def _new_uid(self, value: str) -> str:
        if not value or value.startswith(_STANDARD_UIDS) or self._keyed.is_own_uid(value):
            return value
        return self._keyed.uid(value)

    def _strict(self, dataset: Dataset, element: DataElement) -> None:
        """Inside a dummy: no words, names, moments, numbers or bytes of the original."""
        public = text_of(dataset, 0x00080102) in PUBLIC_CODES
        stays = int(element.tag) in _STRUCTURE or (int(element.tag) in _CODE and public)
        if stays or element.VR in {"CS", "US", "UL", "SS", "SL", "AT"}:
            self._sweep(element)
        elif element.VR == "UI":
            self._uid(dataset, element)
        else:
            self._dummy(dataset, element)

    # Moments and words -----------------------------------------------------------------------
    def _moment(self, element: DataElement) -> None:
        if self._profile.has(Option.FULL_DATES):
            self.done.note("kept")
        elif self._profile.has(Option.MODIFIED_DATES):
            self._move(element)
        else:
            element.value = ""
            self.done.note("emptied")

    def _move(self, element: DataElement) -> None:
        moved = [
            moved_moment(element.VR, one, self._days) if one.strip() else ""
            for one in values_of(element)
        ]
        dummy = DUMMIES[element.VR]
        self._replace(element, [dummy if one is None else one for one in moved])
        self.done.note("moved")

    def _age(self, element: DataElement) -> None:
        self._replace(element, [capped_age(one) or "" for one in values_of(element)])
        self.done.note("kept")

    def _sweep(self, element: DataElement) -> None:
        """Keep a value, but for what names somebody of the object."""
        values = values_of(element) if element.VR in TEXT_VRS else []
        if not any(map(self._names_somebody, values)):
            self.done.note("kept")
            return
        self._replace(element, [REMOVED if self._names_somebody(one) else one for one in values])
        self.done.note("cleaned")

    def _names_somebody(self, value: str) -> bool:
        return self.done.known.found_in(value)

    # Doing it --------------------------------------------------------------------------------
    def _remove(self, dataset: Dataset, tag: Any, why: str) -> None:
        del dataset[tag]
        self.done.note(why)

    def _replace(self, element: DataElement, values: list[str]) -> None:
        self.done.new_values.update(values)
        element.value = values[0] if len(values) == 1 else (values or None)
