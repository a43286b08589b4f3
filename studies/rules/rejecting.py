"""Rejecting what should not have been sent: why, as DICOM codes it, and until when it comes back.

The codes are titles of DICOM's rejection notes (PS3.16 CID 7010), as IHE's Imaging Object Change
Management uses them. (113039, DCM, "Data Retention Policy Expired") is chosen by nobody: what is
over is found by the nightly plan. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from studies.rules.keeping import day_everywhere

# The key of the policy, and what holds under a version that was posted before there was the key.
RESTORE_DAYS, RESTORE_DAYS_DEFAULT = "uploads.restore_days", 30
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Code:
    """A coded title: value and meaning, of the scheme DCM."""

    value: str
    meaning: str


QUALITY = Code("113001", "Rejected for Quality Reasons")
SAFETY = Code("113037", "Rejected for Patient Safety Reasons")
WORKLIST = Code("113038", "Incorrect Modality Worklist Entry")


class Why(StrEnum):
    WRONG_PATIENT = "wrong-patient"
    WRONG_EXAMINATION = "wrong-examination"
    MISLABELLED = "mislabelled"
    DUPLICATE = "duplicate"
    NOT_OURS = "not-ours"
    QUALITY = "poor-quality"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reason:
    """`stays_record`: the images are a record of this patient, wherever they were filed, so what
    law asks to keep of an examination counts; `is_of_somebody_else`: no copy goes to this patient.
    """

    label: str
    code: Code
    stays_record: bool = True
    is_of_somebody_else: bool = False


REASONS: dict[Why, Reason] = {
    Why.WRONG_PATIENT: Reason(
        "They show another patient than the one they are filed under", WORKLIST,
        stays_record=False, is_of_somebody_else=True,
    ),
    Why.WRONG_EXAMINATION: Reason(
        "Right patient, wrong examination or order", WORKLIST
    ),
    Why.MISLABELLED: Reason(
        "Marked wrongly, such as the side or the body part", SAFETY
    ),
    # Read as a second examination, a second copy misleads.
    Why.DUPLICATE: Reason("They are here twice", SAFETY, stays_record=False),
    # Nobody here knows whether the name on them is right.
    Why.NOT_OURS: Reason(
        "They were not meant for us", SAFETY, stays_record=False, is_of_somebody_else=True
    ),
    Why.QUALITY: Reason("Too poor to be read", QUALITY),
    Why.OTHER: Reason("Something else, which the note says", SAFETY),
}  # fmt: skip


def restore_days(values: Mapping[str, Any]) -> int:
    """For how many days something rejected can be restored under a policy."""
    return int(values.get(RESTORE_DAYS, RESTORE_DAYS_DEFAULT))


def restorable_until(rejected_on: date, days: int) -> date:
    """The last day on which it can be restored; from the next on it is due."""
    return rejected_on + timedelta(days=days)


def refusal_of_note(why: Why, note: str) -> str:
    """Why this note does not do; empty if it does."""
    if why is Why.OTHER and not note.strip():
        return "Say in the note what is wrong with it: whoever looks at it later has only that."
    if len(note) > LONGEST_NOTE:
        return f"The note is longer than {LONGEST_NOTE} characters. Say it shorter."
    return ""


def refusal_to_restore(until: date, now: datetime) -> str:
    """Why it cannot be restored any more; empty if it can."""
    if day_everywhere(now) <= until:
        return ""
    return (
        f"It could be restored until {until:%-d %B %Y}. Now it is due, and waits for its disposal."
        " If the images are needed, send them again once they are gone."
    )
