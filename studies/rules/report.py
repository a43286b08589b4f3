"""A structured report's content tree as words (DICOM PS3.3 C.17.3). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from consent.rules.identity import readable_name
from studies.rules.attributes import DicomJson, text_of

MOST_NODES: Final = 5_000
_CONTENT, _CONCEPT, _MEANING = "0040A730", "0040A043", "00080104"
_REFERENCED: Final = "0040DB73"
_REFERENCES: Final = {
    "IMAGE": "an image", "COMPOSITE": "an object", "WAVEFORM": "a waveform",
    "SCOORD": "a place in an image", "SCOORD3D": "a place in space", "TCOORD": "a stretch of time",
}  # fmt: skip


@dataclass(slots=True)
class Node:
    """One content item: its concept, its value in words, and what it holds."""

    concept: str
    value: str
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    state: str
    root: Node
    cut: bool  # more content items than are shown


def report_of(attributes: DicomJson) -> Report | None:
    """Read the content tree of an object; None if it has none."""
    if "0040A040" not in attributes:
        return None
    budget = [MOST_NODES]
    root = _node(attributes, budget)
    words = [text_of(attributes, "0040A491"), text_of(attributes, "0040A493")]
    state = ", ".join(word.lower() for word in words if word)
    return Report(root.concept or "Structured report", state, root, budget[0] <= 0)


def _node(item: DicomJson, budget: list[int]) -> Node:
    budget[0] -= 1
    node = Node(_meaning(item, _CONCEPT), _value(item))
    if not node.concept and not node.value:
        node.concept = "Group"
    for child in item.get(_CONTENT, {}).get("Value", ()):
        if budget[0] <= 0:
            break
        if isinstance(child, dict):
            node.children.append(_node(child, budget))
    return node


def _value(item: DicomJson) -> str:
    kind = text_of(item, "0040A040")
    if _REFERENCED in item:
        place = ".".join(str(one) for one in item[_REFERENCED].get("Value", ()))
        return f"refers to item {place} of this report"
    if kind in _REFERENCES:
        return f"refers to {_REFERENCES[kind]}"
    return _READERS[kind](item) if kind in _READERS else ""


def _measured(item: DicomJson) -> str:
    measured = _first(item, "0040A300")
    unit = text_of(_first(measured, "004008EA"), "00080100")
    return f"{text_of(measured, '0040A30A')} {'' if unit == '1' else unit}".strip()


def readable_moment(text: str, kind: str) -> str:
    """Put a DICOM date, time or both (PS3.5 section 6.2) into words; what is none stays."""
    day, clock = (text[:8], text[8:]) if kind == "DATETIME" else (text, text)
    digits = clock.partition(".")[0].partition("+")[0].partition("-")[0]
    shown = ":".join(digits[at : at + 2] for at in range(0, min(len(digits), 6), 2))
    if kind == "TIME":
        return shown if digits.isdecimal() else text
    try:
        when = f"{date(int(day[:4]), int(day[4:6]), int(day[6:8])):%d %B %Y}".lstrip("0")
    except ValueError:
        return text
    return f"{when}, {shown}" if kind == "DATETIME" and shown else when


def _meaning(item: DicomJson, tag: str) -> str:
    return text_of(_first(item, tag), _MEANING)


def _first(item: DicomJson, tag: str) -> dict[str, Any]:
    values = item.get(tag, {}).get("Value") or [{}]
    return values[0] if isinstance(values[0], dict) else {}


_READERS: Final[dict[str, Callable[[DicomJson], str]]] = {
    "TEXT": lambda item: text_of(item, "0040A160"),
    "UIDREF": lambda item: text_of(item, "0040A124"),
    "DATE": lambda item: readable_moment(text_of(item, "0040A121"), "DATE"),
    "TIME": lambda item: readable_moment(text_of(item, "0040A122"), "TIME"),
    "DATETIME": lambda item: readable_moment(text_of(item, "0040A120"), "DATETIME"),
    "CODE": lambda item: _meaning(item, "0040A168"),
    "PNAME": lambda item: readable_name(text_of(item, "0040A123")),
    "NUM": _measured,
}
