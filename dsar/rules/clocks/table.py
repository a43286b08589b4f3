"""Reads the table of what laws ask (table.yaml). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from dsar.rules.clocks.days import Duration
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from policies.rules.document import load_yaml


class Step(StrEnum):
    ANSWER = "answer"
    ACKNOWLEDGE = "acknowledge"
    REFUSE = "refuse"
    INFORM = "inform"
    SUSPEND = "suspend"
    KEEP = "keep"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table; what each field means stands at its head."""

    id: str
    law: Law
    right: str
    kinds: frozenset[Kind]
    step: Step
    cites: str
    sure: str
    within: Duration | None = None
    extends: Duration | None = None
    rolls: bool = False
    pauses: bool = False
    first_day: bool = False
    waits_for_fee: bool = False
    begins: str = "receipt of the request"
    also: str = ""
    valid_from: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from is None or day >= self.valid_from


_DURATIONS = ("within", "extends")
_PLAIN = (
    "right",
    "cites",
    "sure",
    "rolls",
    "pauses",
    "first_day",
    "waits_for_fee",
    "begins",
    "also",
)
_FIELDS = frozenset({"law", "kinds", "step", "from", *_DURATIONS, *_PLAIN})


def _rule(number: str, line: Mapping[str, Any]) -> Rule:
    if unknown := line.keys() - _FIELDS:
        raise ValueError(f"{number}: unknown {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {name: line[name] for name in _PLAIN if name in line}
    values |= {name: Duration.read(line[name]) for name in _DURATIONS if name in line}
    if "from" in line:
        values["valid_from"] = date.fromisoformat(line["from"])
    rule = Rule(
        id=number, law=Law(line["law"]), step=Step(line["step"]),
        kinds=frozenset(Kind(one) for one in line["kinds"]), **values,
    )  # fmt: skip
    if (rule.within is None) != (rule.step is Step.NONE):
        raise ValueError(f"{number}: a clock has a time, and what is no clock has none")
    return rule


_TABLE = load_yaml(Path(__file__).with_name("table.yaml").read_text(encoding="utf-8"))
RULES: dict[str, Rule] = {number: _rule(number, line) for number, line in _TABLE.items()}
