"""What is known of a study, and of who holds it, when it is asked how long it is kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from studies.rules.minors import MAJORITY, age_on

# Modalities (DICOM PS3.3 C.7.3.1.1.1) that need no X-rays and no nuclides. What is not among
# them counts as ionising, for then it is kept for longer.
_NOT_IONISING = frozenset(
    "AR ASMT AU BI BDUS DOC ECG EEG EMG EPS ES GM HD IOL IVOCT IVUS KER LEN LS M3D MR OAM OCT OP "
    "OPM OPR OPT OPTBSV OPTENF OPV OSS PA POS RESP SM SR SRF TG US VA XC".split()
)  # fmt: skip
# Documents that belong to images, and say nothing of how these were made.
_BESIDE = frozenset("KO PR SR SEG REG DOC PLAN OT FID RWV".split())


class Setting(StrEnum):
    """Who holds records, as laws tell them apart."""

    HOSPITAL = "hospital"
    CLINIC = "clinic"
    PHYSICIAN = "physician"
    VETERINARY = "veterinary"


class Milestone(StrEnum):
    """What no file says, and somebody has to note: the end of what a study was made for."""

    DIAGNOSIS_COMPLETE = "diagnosis-complete"
    PROJECT_ENDED = "project-ended"
    RELATIONSHIP_ENDED = "relationship-ended"


MILESTONE_LABELS = {
    Milestone.DIAGNOSIS_COMPLETE: "the diagnostic process is complete",
    Milestone.PROJECT_ENDED: "the project has ended",
    Milestone.RELATIONSHIP_ENDED: "the relationship has ended",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """An organisation as the laws of retention see it; `place` is US, US-NY or DE."""

    country: str
    state: str
    settings: frozenset[Setting]
    regimes: frozenset[str] = frozenset()

    @property
    def places(self) -> frozenset[str]:
        return frozenset({self.country, f"{self.country}-{self.state}"})


@dataclass(frozen=True, slots=True)
class Rejected:
    """Since when a study is rejected as wrongly sent, and whether it is a record of its patient
    even so, wherever it was filed."""

    on: date
    stays_record: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """A study: when, of whom, and what came after it.

    Where the files leave something out, what would be kept for longest is taken: a study without
    a date counts from its receipt, a person without a birth date as born on the day of it.
    """

    received_on: date
    examined_on: date | None = None
    born_on: date | None = None
    died_on: date | None = None
    # The last examination of the same subject here after this one, and the last mammogram.
    later_on: date | None = None
    later_mammogram_on: date | None = None
    modalities: frozenset[str] = frozenset()
    is_animal: bool = False
    # Whether it is settled whose study it is.
    is_settled: bool = True
    milestones: Mapping[str, date] = field(default_factory=dict)
    rejected: Rejected | None = None

    @property
    def examination(self) -> date:
        return self.examined_on or self.received_on

    @property
    def last_contact(self) -> date:
        return max(self.examination, self.later_on or self.examination)

    @property
    def birth(self) -> date:
        return self.born_on or self.examination

    @property
    def age(self) -> int:
        """Years of age at the examination."""
        return age_on(self.birth, self.examination)

    @property
    def age_at_end(self) -> int:
        """Years of age when last seen."""
        return age_on(self.birth, self.last_contact)

    @property
    def is_minor(self) -> bool:
        return self.age < MAJORITY

    @property
    def is_mammogram(self) -> bool:
        return "MG" in self.modalities

    @property
    def is_ionising(self) -> bool:
        told = self.modalities - _BESIDE
        return not told or bool(told - _NOT_IONISING)

    @property
    def is_radiotherapy(self) -> bool:
        return any(one.startswith("RT") for one in self.modalities)

    @property
    def contradiction(self) -> str:
        """Why these facts cannot all be true; empty if nothing speaks against them."""
        if not self.is_settled:
            return "it is not settled whose study this is"
        if self.born_on and self.born_on > self.examination:
            return "the birth date lies after the examination"
        # A day is given for what is already tomorrow where the examination was made.
        if self.examined_on and self.examined_on > self.received_on + timedelta(days=1):
            return "the examination lies after the receipt"
        if self.age > 130:
            return "the patient would have been more than 130 years old"
        return ""
