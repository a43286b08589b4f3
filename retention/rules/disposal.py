"""What becomes of a study whose time is over, step by step, and why it may stay. Pure.

Destroying the key comes first and is final: whatever stops the work afterwards, what is left can
only be completed. Each step is found again by the state of the row, so that it can be repeated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a study whose time is over, as the policy says."""

    DELETE = "delete"
    ANONYMISE = "anonymise"


FATE_LABELS = {
    Fate.DELETE: "destroyed",
    Fate.ANONYMISE: "made anonymous; the original is destroyed",
}


class Step(StrEnum):
    """How far one study is."""

    PLANNED = "planned"
    COPIED = "copied"
    WITHDRAWN = "withdrawn"
    KEY_DESTROYED = "key-destroyed"
    FILES_DELETED = "files-deleted"
    ROWS_DELETED = "rows-deleted"
    GONE = "gone"
    KEPT = "kept"


STEP_LABELS = {
    Step.PLANNED: "Planned",
    Step.COPIED: "Made anonymous; the original is still there",
    Step.WITHDRAWN: "Out of all lists; its key and files are there",
    Step.KEY_DESTROYED: "Key destroyed, so it can no longer be read; files are still there",
    Step.FILES_DELETED: "Key and files gone; entries are still there",
    Step.ROWS_DELETED: "Key, files and entries gone; not verified yet",
    Step.GONE: "Gone, and verified",
    Step.KEPT: "Kept",
}
NEXT = {
    Step.PLANNED: Step.WITHDRAWN,
    Step.COPIED: Step.WITHDRAWN,
    Step.WITHDRAWN: Step.KEY_DESTROYED,
    Step.KEY_DESTROYED: Step.FILES_DELETED,
    Step.FILES_DELETED: Step.ROWS_DELETED,
    Step.ROWS_DELETED: Step.GONE,
}
ENDED = frozenset({Step.GONE, Step.KEPT})
# After this nothing can be taken back.
FINAL = frozenset({Step.KEY_DESTROYED, Step.FILES_DELETED, Step.ROWS_DELETED, Step.GONE})
# Nothing is lost yet: whoever cancels gets these back.
CAN_STAY = frozenset({Step.PLANNED, Step.COPIED, Step.WITHDRAWN})


def steps_left(step: Step, fate: Fate = Fate.DELETE) -> int:
    """How many steps a study still has before it is gone."""
    if step in ENDED:
        return 0
    is_copied_first = fate is Fate.ANONYMISE and step is Step.PLANNED
    return is_copied_first + 1 + steps_left(NEXT[step])


# Steps of one study, for the progress of a run.
STEPS_OF_ONE = steps_left(Step.PLANNED)


# So often a study is tried that could not be finished; then somebody has to look.
MOST_TRIES = 5
# What one run takes in at most; the rest is for the next.
LARGEST_RUN = 20_000


class Kept(StrEnum):
    """Why a study that a run looked at stays."""

    HELD = "held"
    REQUESTED = "requested"
    NOT_DUE = "not-due"
    CHANGED = "changed"
    ANONYMISE = "anonymise"
    ARCHIVE = "archive"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    IN_DOUBT = "in-doubt"
    LAW = "law"
    UNSETTLED = "unsettled"
    NO_COPY = "no-copy"


KEPT_LABELS = {
    Kept.HELD: "a hold is on it",
    Kept.REQUESTED: "a request about it is open",
    Kept.NOT_DUE: "its time is not over any more",
    Kept.CHANGED: "images were added since it was planned",
    # Of runs of earlier releases.
    Kept.ANONYMISE: "the policy wants it made anonymous, which this portal could not do then",
    Kept.ARCHIVE: "the policy wants it archived, which this portal could not do then",
    Kept.CANCELLED: "the run was cancelled before its turn came",
    Kept.ABSENT: "it was not there any more when its turn came",
    Kept.LAW: "the law asks to keep it",
    Kept.UNSETTLED: "it is not settled whose it is, or its dates contradict each other",
    Kept.IN_DOUBT: "not all of it could be made anonymous",
    Kept.NO_COPY: "what was made of it without the person is not whole any more",
}


class RunState(StrEnum):
    PLANNING = "planning"
    NOTHING_DUE = "nothing-due"
    PLANNED = "planned"
    APPROVED_ONCE = "approved-once"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


RUN_LABELS = {
    RunState.PLANNING: "Being planned",
    RunState.NOTHING_DUE: "Nothing is due",
    RunState.PLANNED: "Waits for two approvals",
    RunState.APPROVED_ONCE: "Waits for a second approval",
    RunState.APPROVED: "Approved, about to begin",
    RunState.RUNNING: "Running",
    RunState.PAUSED: "Paused",
    RunState.STOPPED: "Stopped: somebody has to look",
    RunState.DONE: "Done",
    RunState.REJECTED: "Rejected",
    RunState.SUPERSEDED: "Replaced by a newer plan",
}
WAITS = (RunState.PLANNED, RunState.APPROVED_ONCE)
UNDER_WAY = (RunState.APPROVED, RunState.RUNNING, RunState.PAUSED, RunState.STOPPED)


class Act(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


MAY: dict[Act, frozenset[RunState]] = {
    Act.APPROVE: frozenset(WAITS),
    Act.REJECT: frozenset(WAITS),
    Act.PAUSE: frozenset({RunState.APPROVED, RunState.RUNNING}),
    Act.RESUME: frozenset({RunState.PAUSED, RunState.STOPPED}),
    Act.CANCEL: frozenset(UNDER_WAY),
}
# An approval is of what was seen then: it is not good for ever.
APPROVAL_LASTS = timedelta(days=14)


def refusal_of(act: Act, state: RunState) -> str:
    """Why this cannot be done now; empty if it can."""
    if state in MAY[act]:
        return ""
    return f"This run cannot be {_DONE[act]}: {RUN_LABELS[state].lower()}."


_DONE = {
    Act.APPROVE: "approved",
    Act.REJECT: "rejected",
    Act.PAUSE: "paused",
    Act.RESUME: "resumed",
    Act.CANCEL: "cancelled",
}


def refusal_to_approve(*, first_id: int | None, approver_id: int) -> str:
    """Two people, not one twice."""
    if first_id == approver_id:
        return "You have approved this run already. Somebody else has to approve it as well."
    return ""


# The clock ---------------------------------------------------------------------------------------
# A mark is written every hour. A portal that was switched off for a fortnight goes on by itself;
# what looks longer has to be confirmed, for a clock set forward would make everything due.
FORWARD = timedelta(days=14)
BACK = timedelta(hours=2)


def fault_of_clock(last_mark: datetime | None, now: datetime) -> str:
    """Why the clock cannot be trusted; empty if it can.

    The mark is of the database, so that a server whose clock is wrong is found by it as well.
    """
    if last_mark is None:
        return ""
    if now < last_mark - BACK:
        return f"the clock stands at {now:%Y-%m-%d %H:%M}, and was at {last_mark:%Y-%m-%d} before"
    if now - last_mark > FORWARD:
        return f"the clock went from {last_mark:%Y-%m-%d} to {now:%Y-%m-%d} at once"
    return ""
