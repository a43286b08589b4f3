"""How an incident goes on: what can be done with it when, and the steps of its plan. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class State(StrEnum):
    OPEN = "open"
    ASSESSED = "assessed"
    TOLD = "told"
    CLOSED = "closed"


STATE_LABELS = {
    State.OPEN: "open",
    State.ASSESSED: "assessed",
    State.TOLD: "people told",
    State.CLOSED: "closed",
}


class Source(StrEnum):
    OFFICER = "officer"
    ACCOUNT = "account"


SOURCE_LABELS = {
    Source.OFFICER: "opened by hand",
    Source.ACCOUNT: "somebody else used an account",
}


class Act(StrEnum):
    OPENED = "opened"
    REPORTED = "reported"
    NOTED = "noted"
    LED = "led"
    COUNTED = "counted"
    RESIDENCE = "residence"
    ASSESSED = "assessed"
    DELAYED = "delayed"
    STEP = "step"
    DUTY = "duty"
    DRAFTED = "drafted"
    TOLD = "told"
    CLOSED = "closed"


ACT_LABELS = {
    Act.OPENED: "Opened",
    Act.REPORTED: "Reported by whose account it is",
    Act.NOTED: "Note",
    Act.LED: "Lead taken over",
    Act.COUNTED: "Counted whom it touches",
    Act.RESIDENCE: "Noted where people live",
    Act.ASSESSED: "Assessed",
    Act.DELAYED: "The police asked to wait",
    Act.STEP: "Step done",
    Act.DUTY: "Told",
    Act.DRAFTED: "Letter written",
    Act.TOLD: "Letters sent",
    Act.CLOSED: "Closed",
}


class Risk(StrEnum):
    UNLIKELY = "unlikely"
    LIKELY = "likely"
    HIGH = "high"


RISK_LABELS = {
    Risk.UNLIKELY: "A risk to people is unlikely",
    Risk.LIKELY: "There is a risk to people, but no high one",
    Risk.HIGH: "There is a high risk to people",
}
# What somebody can have seen, in words for whoever is told of it.
DATA_LABELS: Final = {
    "identity": "names, patient numbers and birth dates",
    "medical": "details of examinations",
    "images": "medical images",
    "reports": "reports",
    "account": "names and e-mail addresses of accounts",
    "credentials": "sign-in secrets",
    "billing": "invoices",
}


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    within: timedelta


# The steps of the plan, and within which time of the discovery each is done.
PLAN: Final[dict[str, Step]] = {
    "contain": Step("Stop it: end sessions, shares and programs", timedelta(hours=4)),
    "keep": Step("Keep what shows it: export the trail of those days", timedelta(hours=24)),
    "count": Step("Find out whom it touches, and where they live", timedelta(hours=48)),
    "assess": Step("Weigh the four factors and the risk to people", timedelta(hours=60)),
    "tell": Step("Tell people and authorities, on each clock", timedelta(hours=72)),
    "mend": Step("Mend the cause, and say what will be done differently", timedelta(days=30)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    state: State
    has_counted: bool = False
    has_assessed: bool = False
    has_letter: bool = False
    # Duties that stand and are not done.
    open_duties: int = 0


def refusal_of(act: Act, standing: Standing) -> str:
    """Why something cannot be done now; empty if it can."""
    if standing.state is State.CLOSED:
        return "This incident is closed. Open another one if something new came up."
    if act is Act.TOLD and not standing.has_counted:
        return "Count first whom it touches."
    if act is Act.TOLD and not standing.has_letter:
        return "Write the letter first."
    if act is Act.CLOSED and not standing.has_assessed:
        return "Assess it first: without that, the law presumes that people have to be told."
    if act is Act.CLOSED and standing.open_duties:
        return (
            f"{standing.open_duties} still to be told. Mark each as done, or assess it anew if"
            " it is not owed."
        )
    return ""


# Who works on it is reminded a day before; once a moment has passed, those above are told.
REMIND_BEFORE: Final = timedelta(hours=24)


def is_soon(moment: datetime, now: datetime) -> bool:
    return now >= moment - REMIND_BEFORE


@dataclass(frozen=True, slots=True)
class Factors:
    """The four factors of 45 CFR 164.402(2)(i) to (iv), as somebody wrote them down."""

    nature: str
    who: str
    seen: str
    mitigated: str

    @property
    def is_whole(self) -> bool:
        return all((self.nature, self.who, self.seen, self.mitigated))
