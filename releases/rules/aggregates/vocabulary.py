"""What people are counted by: dimensions, and of each a fixed vocabulary (LIFEIMAGE-9.2).

They do not depend on who is counted: that a label stands there tells of nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Changes when a value is added or moved: blocks made under another edition do not cover it.
EDITION: Final = 1


class Dimension(StrEnum):
    SEX = "sex"
    AGE = "age"
    SPECIES = "species"
    MODALITY = "modality"
    BODY_PART = "body-part"
    YEAR = "year"


DIMENSION_LABELS: Final = {
    Dimension.SEX: "Sex",
    Dimension.AGE: "Age when first examined",
    Dimension.SPECIES: "Species",
    Dimension.MODALITY: "Modality",
    Dimension.BODY_PART: "Body part",
    Dimension.YEAR: "Year of examination",
}
# Values have an order, and are told apart by where it is cut.
ORDERED: Final = frozenset({Dimension.AGE, Dimension.YEAR})

NOT_STATED: Final = "not-stated"
OTHER: Final = "other"
SEVERAL: Final = "several"
OLDEST: Final = 90
YEARS: Final = range(1990, 2060)

_SEX = {"female": "Female", "male": "Male", OTHER: "Other", NOT_STATED: "Not stated"}
_AGE = {
    **{str(age): f"{age} to {age + 9}" for age in range(0, OLDEST, 10)},
    str(OLDEST): f"{OLDEST} or older",
    NOT_STATED: "Not stated",
}
_SPECIES = {
    "human": "Human", "dog": "Dog", "cat": "Cat", "horse": "Horse", OTHER: "Another animal",
}  # fmt: skip
_MODALITY = {
    "CT": "CT", "MR": "MR", "US": "Ultrasound", "XR": "Radiography", "MG": "Mammography",
    "XA": "Angiography and fluoroscopy", "NM": "Nuclear medicine", "PT": "PET",
    "OP": "Photography and endoscopy", "RT": "Radiotherapy", OTHER: "Other",
    SEVERAL: "Several modalities", NOT_STATED: "Not stated",
}  # fmt: skip
_BODY_PART = {
    "head": "Head", "neck": "Neck", "chest": "Chest", "heart": "Heart and vessels",
    "breast": "Breast", "abdomen": "Abdomen", "pelvis": "Pelvis", "spine": "Spine",
    "arm": "Arm and hand", "leg": "Leg and foot", "whole-body": "Whole body", OTHER: "Other",
    SEVERAL: "Several body parts", NOT_STATED: "Not stated",
}  # fmt: skip
_YEAR = {
    "before": f"Before {YEARS[0]}",
    **{str(year): str(year) for year in YEARS},
    "after": f"After {YEARS[-1]}",
    SEVERAL: "Several years",
    NOT_STATED: "Not stated",
}
VOCABULARY: Final[Mapping[Dimension, Mapping[str, str]]] = {
    Dimension.SEX: _SEX,
    Dimension.AGE: _AGE,
    Dimension.SPECIES: _SPECIES,
    Dimension.MODALITY: _MODALITY,
    Dimension.BODY_PART: _BODY_PART,
    Dimension.YEAR: _YEAR,
}


class LabelRefused(ValueError):
    """What would become a label is of no vocabulary. Says of what, and never repeats it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One person in a release, by codes of the vocabularies. Raises `LabelRefused`.

    Every person stands in exactly one place of each dimension, so that tables add up: whoever
    was examined with a CT and an ultrasound is under "Several modalities". Counting them under
    both would part every group by who else is in it, and few such groups are large.
    """

    sex: str = NOT_STATED
    age: str = NOT_STATED
    species: str = "human"
    modality: str = NOT_STATED
    body_part: str = NOT_STATED
    year: str = NOT_STATED

    def __post_init__(self) -> None:
        for dimension in Dimension:
            if self.value(dimension) not in VOCABULARY[dimension]:
                raise LabelRefused(
                    f"“{DIMENSION_LABELS[dimension]}” of a person holds what is in no vocabulary, "
                    "so nothing is counted."
                )

    def value(self, dimension: Dimension) -> str:
        found: str = getattr(self, dimension.replace("-", "_"))
        return found
