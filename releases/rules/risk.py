"""How easily somebody could be told from what stays: k-anonymity (MEDDIM-2.24). Pure.

Source: Sweeney 2002; the group size is that of the policy. Only what the project keeps counts:
where nothing of a person stays, all of them look the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Attributes of a person that others may know too, as the cleaned objects have them.
QUASI_IDENTIFIERS: Final = ("sex", "age", "size", "weight", "ethnic_group", "species", "breed")


@dataclass(frozen=True, slots=True)
class Risk:
    """`smallest`: people in the smallest group that look the same; None: nothing of them stays."""

    people: int
    smallest: int | None
    # Those who stand in groups below the threshold.
    exposed: tuple[str, ...]
    threshold: int

    @property
    def is_too_high(self) -> bool:
        return self.smallest is not None and self.smallest < self.threshold

    @property
    def words(self) -> str:
        if self.smallest is None:
            return "nothing stays by which one person could be told from another"
        return (
            f"the smallest group of people who look the same has {self.smallest}, "
            f"the policy asks for {self.threshold}"
        )


def risk_of(people: Mapping[str, Iterable[Mapping[str, Any]]], *, threshold: int) -> Risk:
    """Measure the smallest group. `people`: by pseudonym, the facts of each of their objects."""
    profiles = {code: _profile(facts) for code, facts in people.items()}
    if not any(profiles.values()):
        return Risk(len(profiles), None, (), threshold)
    sizes = Counter(profiles.values())
    exposed = tuple(sorted(code for code, one in profiles.items() if sizes[one] < threshold))
    return Risk(len(profiles), min(sizes.values()), exposed, threshold)


def _profile(facts: Iterable[Mapping[str, Any]]) -> Hashable:
    """Everything that the objects of one person say of them: each saying narrows it down."""
    return frozenset(
        (name, str(one[name])) for one in facts for name in QUASI_IDENTIFIERS if one.get(name)
    )
