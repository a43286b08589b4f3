"""What the policy in force says of how long a study is kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from policies.rules.categories import CATEGORY_LABELS, Category
from retention.rules.facts import MILESTONE_LABELS, Facts, Milestone
from retention.rules.periods import Period

# A study is one thing with one key: whatever belongs to it goes with it, or stays with it.
OF_ANONYMOUS = (Category.DEIDENTIFIED,)
OF_STUDIES = (Category.IDENTITY, Category.MEDICAL, Category.IMAGES, Category.REPORTS)
_DATED: dict[str, Callable[[Facts], date]] = {
    "examination": lambda facts: facts.examination,
    "last-contact": lambda facts: facts.last_contact,
    "created": lambda facts: facts.received_on,
}


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A line of the policy for one category: counted from what, how long, and then."""

    category: Category
    trigger: str
    keep: Period
    action: str
    and_until: str = ""

    def until(self, facts: Facts) -> date | None:
        """The last day; None while something it waits for has not been noted."""
        start = day_of(self.trigger, facts)
        if start is None:
            return None
        last = self.keep.after(start)
        if not self.and_until:
            return last
        also = day_of(self.and_until, facts)
        return max(last, also) if also else None

    def waits_for(self, facts: Facts) -> tuple[Milestone, ...]:
        """What somebody has to note before this line comes to an end."""
        named = (self.trigger, self.and_until)
        return tuple(
            Milestone(one) for one in named
            if one in MILESTONE_LABELS and day_of(one, facts) is None
        )  # fmt: skip

    @property
    def words(self) -> str:
        return f"{CATEGORY_LABELS[self.category].lower()}: {self.keep.words}"


def day_of(trigger: str, facts: Facts) -> date | None:
    """The day of what a policy counts from; what studies do not know ends with their receipt."""
    if trigger in _DATED:
        return _DATED[trigger](facts)
    if trigger in MILESTONE_LABELS:
        return facts.milestones.get(trigger)
    # The account of a patient is not what a study hangs on.
    return facts.received_on


def schedule_of(
    values: Mapping[str, Any], categories: Iterable[Category] = OF_STUDIES
) -> tuple[Scheduled, ...]:
    """The lines of a policy that speak of what makes up a study."""
    lines = values["retention"]
    return tuple(
        Scheduled(
            category=category, trigger=lines[category.value]["trigger"],
            keep=Period.read(lines[category.value]["keep"]),
            action=lines[category.value]["action"],
            and_until=lines[category.value].get("and_until", ""),
        )
        for category in categories
        if category.value in lines
    )  # fmt: skip
