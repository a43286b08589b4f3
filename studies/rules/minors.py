"""Images of a minor: whether they are, and who has to agree before they are shown. Pure.

What the law asks of a child's images is asked of whoever sends them (45 CFR 164.502(g)(3), GDPR
Art. 8 does not reach treatment); the policy can have them name the guardian who agreed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final

from studies.rules.display import day_of

MAJORITY: Final = 18
GUARDIAN_NAMED = "minors.guardian_named"
# The reason of an object that waits for it (studies.rules.reasons).
UNATTESTED = "minor-unattested"
LONGEST_NAME = 120
# DICOM's age string: a number of days, weeks, months or years.
_AGE = re.compile(r"(\d{3})([DWMY])")


class Relation(StrEnum):
    """In which right somebody agreed for the minor."""

    PARENT = "parent"
    GUARDIAN = "guardian"
    COURT = "court"
    ALONE = "alone"


RELATIONS: dict[Relation, str] = {
    Relation.PARENT: "Parent",
    Relation.GUARDIAN: "Legal guardian",
    Relation.COURT: "Somebody whom a court or an authority named",
    Relation.ALONE: "The patient, whom the law lets decide alone",
}


def guardian_is_asked(values: Mapping[str, Any]) -> bool:
    """Does the policy hold images of minors until a guardian is named?"""
    return bool(values.get(GUARDIAN_NAMED, False))


def is_of_minor(texts: Mapping[str, str], today: date) -> bool:
    """Is the patient under age today, as far as the header says?

    Where no birth date is given, the age at the examination counts: nobody knows better. Animals,
    and objects that name nobody any more, have no guardian.
    """
    if texts.get("PatientSpeciesDescription") or texts.get("PatientIdentityRemoved") == "YES":
        return False
    if (born := day_of(texts.get("PatientBirthDate", ""))) is not None:
        return age_on(born, today) < MAJORITY
    found = _AGE.fullmatch(texts.get("PatientAge", "").strip())
    return found is not None and (found[2] != "Y" or int(found[1]) < MAJORITY)


def waits(values: Mapping[str, Any], texts: Mapping[str, str], today: date) -> bool:
    """Does an image wait under this policy until a guardian is named?"""
    return guardian_is_asked(values) and is_of_minor(texts, today)


def shown_by_a_look(reasons: Collection[str]) -> bool:
    """Is it enough that somebody looks at what is out of norm with a held object?"""
    return UNATTESTED not in reasons


def age_on(born: date, day: date) -> int:
    """Full years of age; negative before the birth.

    Who was born on 29 February is a year older on 1 March where the year has no such day.
    """
    is_before = (day.month, day.day) < (born.month, born.day)
    return day.year - born.year - is_before


def refusal_of_guardian(name: str) -> str:
    """Why this name does not do; empty if it does."""
    if len(" ".join(name.split())) < 2:
        return "Write the name of whoever agreed, as they sign it."
    if len(name) > LONGEST_NAME:
        return f"The name is longer than {LONGEST_NAME} characters."
    return ""
