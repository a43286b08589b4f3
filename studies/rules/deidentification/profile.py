"""The Basic Application Level Confidentiality Profile and its options (PS3.15 E.2, E.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Option(StrEnum):
    CLEAN_PIXEL_DATA = "clean-pixel-data"
    CLEAN_VISUAL_FEATURES = "clean-recognizable-visual-features"
    SAFE_PRIVATE = "safe-private"
    UIDS = "uids"
    DEVICE = "device"
    INSTITUTION = "institution"
    PATIENT_CHARACTERISTICS = "patient-characteristics"
    FULL_DATES = "full-dates"
    MODIFIED_DATES = "modified-dates"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    CLEAN_GRAPHICS = "clean-graphics"
    # No option of the standard, which has documents replaced (Table E.1-1): an explicit choice.
    CLEAN_DOCUMENTS = "clean-documents"


# DICOM PS3.16 CID 7050, De-identification Method: code value and meaning (scheme DCM). None for
# recognizable visual features (113102): they are refused here and never cleaned; nor for documents.
BASIC_METHOD: Final = ("113100", "Basic Application Confidentiality Profile")
METHODS: Final = {
    Option.CLEAN_PIXEL_DATA: ("113101", "Clean Pixel Data Option"),
    Option.CLEAN_GRAPHICS: ("113103", "Clean Graphics Option"),
    Option.CLEAN_STRUCTURED_CONTENT: ("113104", "Clean Structured Content Option"),
    Option.CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    Option.FULL_DATES: (
        "113106",
        "Retain Longitudinal Temporal Information Full Dates Option",
    ),
    Option.MODIFIED_DATES: (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    Option.PATIENT_CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option"),
    Option.DEVICE: ("113109", "Retain Device Identity Option"),
    Option.UIDS: ("113110", "Retain UIDs Option"),
    Option.SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
    Option.INSTITUTION: ("113112", "Retain Institution Identity Option"),
}


class ProfileRefused(ValueError):
    """Options that contradict each other, or that nobody knows. Says which."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The Basic Profile with these options."""

    options: frozenset[Option] = frozenset()

    def has(self, option: Option) -> bool:
        return option in self.options

    def without(self, option: Option) -> Profile:
        return Profile(self.options - {option})

    @property
    def methods(self) -> list[tuple[str, str]]:
        """Codes of CID 7050 for what is done, the profile first."""
        return [
            BASIC_METHOD,
            *(METHODS[one] for one in Option if one in self.options & METHODS.keys()),
        ]

    @property
    def dates(self) -> str:
        """Value of Longitudinal Temporal Information Modified (0028,0303)."""
        if self.has(Option.FULL_DATES):
            return "UNMODIFIED"
        return "MODIFIED" if self.has(Option.MODIFIED_DATES) else "REMOVED"


def profile_of(names: Iterable[str]) -> Profile:
    """Read options by name. Raises `ProfileRefused`."""
    options = set()
    for name in names:
        try:
            options.add(Option(name))
        except ValueError:
            known = ", ".join(Option)
            raise ProfileRefused(f"There is no option {name!r}. Choose among: {known}.") from None
    if {Option.FULL_DATES, Option.MODIFIED_DATES} <= options:
        raise ProfileRefused(
            "full-dates keeps dates and modified-dates moves them. Choose one of the two."
        )
    return Profile(frozenset(options))
