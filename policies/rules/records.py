"""How every kind of record ends (C25, C26): with a study, with something else, or by its own term.

Each room registers its kinds from its `AppConfig.ready`; `manage.py check` fails on a model with
personal data that stands in none (policies.checks), for what nobody ends is kept for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from policies.rules.categories import Category


class Ending(StrEnum):
    """What brings a kind of record to its end."""

    # The policy's line for its category; carried out each night (retention.services.records).
    TERM = "term"
    # Two people approve what falls due (retention.services.disposing).
    DISPOSAL = "disposal"
    # It goes with what it belongs to.
    WITH = "with"
    # Its room deletes it by a term that stands with it.
    OWN = "own"
    # It is needed as evidence for as long as the portal runs, and why is said.
    STAYS = "stays"


ENDING_LABELS = {
    Ending.TERM: "By the policy's schedule, each night",
    Ending.DISPOSAL: "By a disposal that two people approve",
    Ending.WITH: "With what it belongs to",
    Ending.OWN: "By a term of its own",
    Ending.STAYS: "Stays",
}


@dataclass(frozen=True, slots=True)
class Term:
    """Where the records of a kind are, from when they count, and how some of them end.

    `rows` gives a query of the records of an organisation that can end at all; `start` names the
    moment from which the term runs. `purge` ends those that it is given, in the transaction of
    whoever calls.
    """

    rows: Callable[[UUID], Any]
    start: str
    counted_from: str
    purge: Callable[[Sequence[Any]], None]
    # The way to whom a record is about (a subject, an account), so that holds can be asked.
    subject: str = ""
    person: str = ""
    # The ways to other organisations that may keep it for longer, if it is not one's alone.
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordKind:
    code: str
    label: str
    category: Category
    # As in the inventory: `app.Model`.
    models: tuple[str, ...]
    ending: Ending
    # With what it ends, by which term, or why it stays; in words a person reads.
    words: str = ""
    term: Term | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if (self.term is None) == (self.ending is Ending.TERM):
            raise ValueError(f"{self.code}: a term belongs to what ends by one")
        if self.term is None and not self.words:
            raise ValueError(f"{self.code}: say how it ends, or why it stays")


_kinds: dict[str, RecordKind] = {}


def register_records(kinds: Iterable[RecordKind]) -> None:
    """Raises ValueError if another kind has the code."""
    for kind in kinds:
        if _kinds.setdefault(kind.code, kind) != kind:
            raise ValueError(f"two kinds of record are called {kind.code}")


def record_kinds() -> list[RecordKind]:
    """Every kind, in the order of the categories."""
    order = list(Category)
    return sorted(_kinds.values(), key=lambda kind: (order.index(kind.category), kind.code))


def without_ending(personal_models: Iterable[str]) -> list[str]:
    """Which of these models no kind of record brings to an end."""
    ended = {model for kind in _kinds.values() for model in kind.models}
    return sorted(set(personal_models) - ended)
