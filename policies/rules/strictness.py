"""The stricter of two policies, for whatever crosses organisations.

`Terms` are the values of the keys that have an order of strictness. Joining them is commutative,
associative and idempotent, and never weaker than either side (tests/policies/test_strictness.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from policies.rules.purposes import ALWAYS
from policies.rules.schema import CROSSING, KEY


@dataclass(frozen=True)
class Terms:
    """What holds where two organisations meet."""

    values: Mapping[str, Any]

    def __getitem__(self, path: str) -> Any:
        return self.values[path]

    def lists(self, purpose: str, category: str) -> bool:
        if purpose in ALWAYS:
            return True
        record = self.values["purposes"].get(purpose)
        return record is not None and category in record["categories"]

    def may_share_for(self, purpose: str) -> bool:
        record = self.values["purposes"].get(purpose)
        return record is not None and bool(record["share"])


def terms_of(values: Mapping[str, Any]) -> Terms:
    """Take from a pack's values what crosses; joined with itself, so that it is in one form."""
    return stricter_of(*([Terms({key.path: values[key.path] for key in CROSSING})] * 2))


def stricter_of(*terms: Terms) -> Terms:
    """Return the terms that satisfy all of the given ones."""
    return reduce(_joined, terms)


def _joined(one: Terms, other: Terms) -> Terms:
    return Terms(
        {path: KEY[path].kind.join(value, other.values[path]) for path, value in one.values.items()}
    )


def is_at_least_as_strict(one: Terms, other: Terms) -> bool:
    return _joined(one, other).values == one.values


def weaker_keys(one: Terms, other: Terms) -> tuple[str, ...]:
    """Name the keys in which `one` is weaker than `other`."""
    joined = _joined(one, other)
    return tuple(path for path, value in one.values.items() if joined.values[path] != value)
