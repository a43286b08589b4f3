"""An erasure in words: the plan's lines, the letter that tells of it, and how it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome
from policies.rules.erasing import Fate, Line


class ErasureState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    NOT_DONE = "not-done"


ERASURE_LABELS = {
    ErasureState.PLANNED: "Planned: two people have to approve it",
    ErasureState.RUNNING: "Under way",
    ErasureState.DONE: "Carried out",
    ErasureState.NOT_DONE: "Not carried out: it was rejected or cancelled",
}


def refusal_to_plan(kind: Kind, *, is_identified: bool, knows_whom: bool, is_complete: bool) -> str:
    """Why no erasure can be planned now; empty if it can."""
    if kind is not Kind.ERASURE:
        return "Nobody asked for erasure here."
    if not is_identified:
        return "Note first how it is known who asks."
    if not knows_whom:
        return "Find first whom the request is about."
    if not is_complete:
        return "A part of the portal cannot say what it holds. Try again later."
    return ""


def refusal_to_answer(kind: Kind, outcome: Outcome, state: ErasureState | None) -> str:
    """Nothing is called erased that is not; empty: the answer can go out."""
    if kind is not Kind.ERASURE:
        return ""
    if state in {ErasureState.PLANNED, ErasureState.RUNNING}:
        return "An erasure is planned or under way. Answer when it has ended."
    if outcome in {Outcome.GRANTED, Outcome.PARTLY} and state is not ErasureState.DONE:
        return "Nothing was erased yet. Plan the erasure first, and have it approved."
    return ""


def study_lines(going: int, kept: Mapping[str, int]) -> Iterable[Line]:
    """What becomes of studies; `kept` counts those that stay by the reason, in words."""
    if going:
        yield Line(Fate.GOES, "Studies, with all images and reports", going)
    for why, count in kept.items():
        yield Line(Fate.STAYS, "Studies, with all images and reports", count, why)


def identity_lines(subjects: int, staying: int) -> Iterable[Line]:
    """What is known of whose studies they are: it goes with the last of them."""
    if subjects > staying:
        yield Line(Fate.GOES, "Name, numbers and dates of the patient", subjects - staying)
    if staying:
        yield Line(
            Fate.STAYS, "Name, numbers and dates of the patient", staying,
            "with the studies that stay",
        )  # fmt: skip


def in_order(lines: Iterable[Line]) -> list[Line]:
    order = list(Fate)
    return sorted(lines, key=lambda line: order.index(line.fate))


def packed(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {"fate": one.fate.value, "what": one.what, "number": one.number, "why": one.why}
        for one in lines
    ]


def unpacked(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    return [Line(Fate(row["fate"]), row["what"], row["number"], row["why"]) for row in rows]


_LETTER = {
    Fate.GOES: "This was erased, and cannot be brought back:",
    Fate.CHANGES: "This has changed:",
    Fate.STAYS: "This stays, and why:",
}


def letter_text(lines: Iterable[Line], certificate: int | None) -> str:
    """What the person is told, for an officer to look over and complete."""
    parts = []
    for fate, opening in _LETTER.items():
        told = [_told(line) for line in lines if line.fate is fate]
        if told:
            parts.append("\n".join([opening, *told]))
    if certificate is not None:
        parts.append(f"Certificate of destruction {certificate}, on this page, shows it.")
    return "\n\n".join(parts)


def _told(line: Line) -> str:
    return f"- {line.what}: {line.number}" + (f" ({line.why})" if line.why else "")
