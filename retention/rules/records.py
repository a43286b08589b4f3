"""Until when records that are no study are kept: by the policy's line, and by the laws. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from policies.rules.categories import UNDER_LAW, Category
from policies.rules.schema.care_of_data import TRIGGERS
from retention.rules.duties import Duty
from retention.rules.facts import Facts
from retention.rules.periods import Period

# Made anonymous, an account has lost what says who it was: the same as deleting it.
CARRIED_OUT = frozenset({"delete", "anonymise"})
_THEN = {
    "delete": "then deleted", "anonymise": "then deleted",
    "review": "then looked at by a person", "archive": "and stays as archive after that",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one category is kept here. `keep` is None where no purpose uses it any more."""

    category: Category
    keep: Period | None
    trigger: str
    action: str
    cites: str
    duties: tuple[Duty, ...]

    @property
    def is_carried_out(self) -> bool:
        """Does it end by itself, or does it wait for a person?"""
        return self.action in CARRIED_OUT

    @property
    def words(self) -> str:
        return self.words_from(TRIGGERS[self.trigger])

    def words_from(self, start: str) -> str:
        """How long, counted from what `start` says for one kind of record."""
        if self.keep is None:
            return "no purpose of the policy uses it any more, so only the law keeps it"
        return f"{self.keep.words} from {start}, {_THEN[self.action]}"

    @property
    def laws(self) -> list[str]:
        """What the policy cites, and what the catalogue adds."""
        return sorted({*filter(None, [self.cites]), *(duty.cites for duty in self.duties)})

    def until(self, start: date) -> date:
        """The last day on which something is kept whose time began on `start`."""
        return max(end(start) for end in self._ends())

    def last_start_over(self, today: date) -> date:
        """The latest day of which everything that began on it is over today."""
        return min(_last_over(end, today) for end in self._ends())

    def _ends(self) -> list[Callable[[date], date]]:
        own = self.keep.after if self.keep else lambda start: start
        return [own, *(_end_of(duty) for duty in self.duties)]


def _end_of(duty: Duty) -> Callable[[date], date]:
    def end(start: date) -> date:
        facts = Facts(start, start)
        return max((found for term in duty.terms if (found := term.until(facts))), default=start)

    return end


def _last_over(end: Callable[[date], date], today: date) -> date:
    """`end` never goes back as its start goes on, so the last one can be walked to."""
    start = today - (end(today) - today)
    while end(start) >= today:
        start -= timedelta(days=1)
    while end(start + timedelta(days=1)) < today:
        start += timedelta(days=1)
    return start


def is_used(values: Mapping[str, Any], category: Category) -> bool:
    """Does any purpose of the policy still use it (MEDDIM-5.1)? Law keeps some without one."""
    return category in UNDER_LAW or any(
        category.value in facts["categories"] for facts in values["purposes"].values()
    )


def rule_of(values: Mapping[str, Any], category: Category, duties: Iterable[Duty]) -> Rule | None:
    """The rule for a category; None where the policy says nothing of it, and nothing ends."""
    line = values["retention"].get(category.value)
    if line is None:
        return None
    used = is_used(values, category)
    return Rule(
        category, Period.read(line["keep"]) if used else None, line["trigger"],
        line["action"] if used else "delete", line.get("cites", ""), tuple(duties),
    )  # fmt: skip
