"""How a release project stands, and what may be done with it then. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"
    BUILDING = "building"
    REVIEW = "review"
    RELEASED = "released"
    ENDING = "ending"
    ENDED = "ended"


STATE_LABELS = {
    State.DRAFT: "Being put together",
    State.BUILDING: "Being de-identified",
    State.REVIEW: "Waits for a look and for its release",
    State.RELEASED: "Released",
    State.ENDING: "Being ended",
    State.ENDED: "Ended",
}


class Act(StrEnum):
    COLLECT = "collect"
    ASK = "ask"
    APPROVE = "approve"
    LOOK = "look"
    REBUILD = "rebuild"
    REOPEN = "reopen"
    RELEASE = "release"
    END = "end"


_POSSIBLE: dict[Act, frozenset[State]] = {
    Act.COLLECT: frozenset({State.DRAFT}),
    Act.ASK: frozenset({State.DRAFT}),
    Act.APPROVE: frozenset({State.DRAFT}),
    Act.LOOK: frozenset({State.REVIEW}),
    # While it is being made, only where the job that made it has given up.
    Act.REBUILD: frozenset({State.BUILDING, State.REVIEW, State.RELEASED}),
    Act.REOPEN: frozenset({State.REVIEW, State.RELEASED}),
    Act.RELEASE: frozenset({State.REVIEW}),
    Act.END: frozenset({State.DRAFT, State.REVIEW, State.RELEASED}),
}
_WORDS = {
    Act.COLLECT: "Studies can be added and taken out only while a project is being put together.",
    Act.ASK: "Approval is asked for while a project is being put together.",
    Act.APPROVE: "Only a project that is being put together can be approved.",
    Act.LOOK: "Images are looked at once they have been de-identified, and before they are "
    "released.",
    Act.REBUILD: "There is nothing to make anew yet.",
    Act.REOPEN: "Only a project that was de-identified can be opened again.",
    Act.RELEASE: "Only a project that was de-identified and looked at can be released.",
    Act.END: "This project is being worked on, or has ended. Wait until it stands still.",
}


class Aside(StrEnum):
    """How one object of a project stands."""

    CLEAN = "clean"
    LOOK = "look"
    SEEN = "seen"
    REFUSED = "refused"
    ASIDE = "aside"


ASIDE_LABELS = {
    Aside.CLEAN: "Clean",
    Aside.LOOK: "Waits for a look",
    Aside.SEEN: "Looked at",
    Aside.REFUSED: "Kept back by a person",
    Aside.ASIDE: "Put aside",
}
RELEASABLE = frozenset({Aside.CLEAN, Aside.SEEN})


def refusal_of_act(act: Act, state: State) -> str:
    """Why an act cannot be done now, in one sentence; empty: it can."""
    return "" if state in _POSSIBLE[act] else _WORDS[act]


def can_be_done(act: Act, state: State) -> bool:
    return state in _POSSIBLE[act]
