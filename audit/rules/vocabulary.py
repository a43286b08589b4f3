"""What happened, in the words of DICOM PS3.15 A.5 and of the FHIR AuditEvent.

An action is a dotted word in the past tense (``study.viewed``). Each app registers its
own; an action that nobody registered cannot be recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Say how it went. Codes: RFC 3881, 5.1.4, as DICOM PS3.15 A.5 and FHIR R4 use them."""

    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"

    @property
    def code(self) -> int:
        return _OUTCOME_CODES[self]

    @property
    def label(self) -> str:
        return _OUTCOME_LABELS[self]


# 4: minor failure, the action may be tried again; 8: serious, the action was terminated;
# 12: major, the action was made unavailable.
_OUTCOME_CODES = {
    Outcome.SUCCESS: 0,
    Outcome.REFUSED: 4,
    Outcome.FAILED: 8,
    Outcome.UNAVAILABLE: 12,
}
_OUTCOME_LABELS = {
    Outcome.SUCCESS: "Done",
    Outcome.REFUSED: "Refused",
    Outcome.FAILED: "Failed",
    Outcome.UNAVAILABLE: "Failed, and made unavailable",
}
OUTCOME_OF_CODE = {code: outcome for outcome, code in _OUTCOME_CODES.items()}


class ActorKind(StrEnum):
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind of actor
    SYSTEM = "system"
    JOB = "job"
    ANONYMOUS = "anonymous"


class Verb(StrEnum):
    """Name the kind of act (DICOM PS3.15 A.5 EventActionCode; FHIR audit-event-action)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


# DICOM PS3.16 CID 400, Audit Event ID.
DICOM_EVENT_IDS = {
    "Application Activity": "110100",
    "Audit Log Used": "110101",
    "Begin Transferring DICOM Instances": "110102",
    "DICOM Instances Accessed": "110103",
    "DICOM Instances Transferred": "110104",
    "DICOM Study Deleted": "110105",
    "Export": "110106",
    "Import": "110107",
    "Network Entry": "110108",
    "Order Record": "110109",
    "Patient Record": "110110",
    "Procedure Record": "110111",
    "Query": "110112",
    "Security Alert": "110113",
    "User Authentication": "110114",
}

_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class UnknownAction(LookupError):
    """Raised for an action that no app registered."""


@dataclass(frozen=True, slots=True)
class Action:
    """Describe a kind of event: ``dicom`` is a name of CID 400, or empty where none fits."""

    name: str
    label: str
    verb: Verb
    dicom: str

    @property
    def dicom_code(self) -> str:
        return DICOM_EVENT_IDS.get(self.dicom, "")


_actions: dict[str, Action] = {}


def register_action(name: str, label: str, *, verb: str = Verb.EXECUTE, dicom: str = "") -> Action:
    """Register an action; called from ``AppConfig.ready``.

    Raises ValueError if the name is not dotted, the label is empty, the DICOM event is
    not one of CID 400, or another label has the name.
    """
    if not _ACTION.fullmatch(name) or len(name) > 64:
        raise ValueError(f"{name!r} is not a dotted, lower-case action of at most 64 characters")
    if not label:
        raise ValueError(f"{name} needs a label that people can read")
    if dicom and dicom not in DICOM_EVENT_IDS:
        raise ValueError(f"{dicom!r} is not an audit event of DICOM CID 400")
    action = Action(name, label, Verb(verb), dicom)
    if _actions.setdefault(name, action) != action:
        raise ValueError(f"{name} is registered with another meaning")
    return action


def action_named(name: str) -> Action:
    """Return an action; raises UnknownAction."""
    try:
        return _actions[name]
    except KeyError:
        raise UnknownAction(f"no app registered the action {name!r}") from None


def known_actions() -> list[Action]:
    """Return every registered action, by name."""
    return sorted(_actions.values(), key=lambda action: action.name)


def label_of(name: str) -> str:
    """Return the label of an action, or its name if the app that knew it is gone."""
    action = _actions.get(name)
    return action.label if action else name
