"""What became of each object that was sent in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from studies.rules.reasons import LEFT_OUT, Reason


class Status(StrEnum):
    STORED = "stored"
    REPEATED = "repeated"
    HELD = "held"
    REFUSED = "refused"
    CONFLICT = "conflict"

    @property
    def is_kept(self) -> bool:
        return self in {Status.STORED, Status.REPEATED, Status.HELD}


CONFLICTS = {
    "other-content": "An object with this identifier is stored already, and it is a different one.",
    "other-patient": "This study is stored already, under another patient.",
    "other-study": "An object with this identifier is stored already, in another study.",
    "archived": "This study lies in the legal archive, and nothing is added to it.",
    "rejected": "This study was rejected as wrongly sent, so nothing is added to it. Whoever sent "
    "it first, or an administrator, can restore it on the page of rejected studies.",
    "not-this-study": "The object belongs to another study than the one it was sent to.",
}
# DICOM PS3.18 table 10.5.3-1 and PS3.4 annex B.2.3: why an object was not stored.
FAILURE_CANNOT_UNDERSTAND = 0xC000
FAILURE_NOT_MATCHING = 0xA900
FAILURE_DUPLICATE = 0x0111
FAILURE_NO_RESOURCES = 0xA700
WARNING_COERCED = 0xB000

_FAILURES = {
    "other-content": FAILURE_DUPLICATE,
    "other-study": FAILURE_DUPLICATE,
    "archived": FAILURE_NOT_MATCHING,
    "rejected": FAILURE_NOT_MATCHING,
    "other-patient": FAILURE_NOT_MATCHING,
    "not-this-study": FAILURE_NOT_MATCHING,
}


@dataclass(slots=True)
class Result:
    """The fate of one object; `name` is what the sender called it, and is stored nowhere."""

    name: str = ""
    status: Status = Status.REFUSED
    code: str = ""
    sentence: str = ""
    sop_class: str = ""
    sop_instance: str = ""
    study: str = ""
    series: str = ""
    held_for: tuple[Reason, ...] = ()
    neutralised: bool = False

    @property
    def is_left_out(self) -> bool:
        """Not kept, and nothing is wrong: a disc's table of contents."""
        return self.code in LEFT_OUT

    @property
    def failure(self) -> int:
        return _FAILURES.get(self.code, FAILURE_CANNOT_UNDERSTAND)

    def refuse(self, code: str, sentence: str) -> None:
        self.status, self.code, self.sentence = Status.REFUSED, code, sentence

    def conflict(self, code: str) -> None:
        self.status, self.code, self.sentence = Status.CONFLICT, code, CONFLICTS[code]
