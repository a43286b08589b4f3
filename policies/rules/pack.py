"""One version of a policy, as plain values that code can ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from policies.rules.categories import Category
from policies.rules.purposes import ALWAYS, PURPOSE_LABELS, Purpose
from policies.rules.strictness import Terms, terms_of


@dataclass(frozen=True, slots=True)
class ListedPurpose:
    """A purpose as a pack lists it; `listed_since` says from when on, for each category."""

    code: str
    label: str
    basis: str
    categories: frozenset[str]
    shareable: bool
    cites: str = ""
    assessment: str = ""

    @property
    def may_be_objected_to(self) -> bool:
        """GDPR Art. 21(1): what rests on legitimate interests can be objected to."""
        return self.basis == "legitimate-interests"


@dataclass(frozen=True)
class Pack:
    """The policy that an organisation runs under at a moment."""

    id: UUID
    code: str
    revision: int
    effective_at: datetime
    values: Mapping[str, Any]
    digest: str

    def __getitem__(self, path: str) -> Any:
        """Return the value of a key, such as `notice.min_days`."""
        return self.values[path]

    def get(self, path: str) -> Any:
        """Return the value of an optional key, or None."""
        return self.values.get(path)

    @property
    def title(self) -> str:
        return str(self.values["title"])

    @property
    def version(self) -> str:
        return str(self.revision)

    @property
    def name(self) -> str:
        """As agreements and events name it."""
        return f"{self.title}, version {self.revision}"

    @cached_property
    def purposes(self) -> tuple[ListedPurpose, ...]:
        return tuple(
            ListedPurpose(
                code=code,
                label=record.get("words") or PURPOSE_LABELS[Purpose(code)],
                basis=record["basis"],
                categories=frozenset(record["categories"]),
                shareable=record["share"],
                cites=record.get("cites", ""),
                assessment=record.get("assessment", ""),
            )
            for code, record in self.values["purposes"].items()
        )

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.values)

    def purpose(self, code: str) -> ListedPurpose | None:
        return next((purpose for purpose in self.purposes if purpose.code == code), None)

    @property
    def shareable_purposes(self) -> tuple[ListedPurpose, ...]:
        return tuple(purpose for purpose in self.purposes if purpose.shareable)

    @property
    def share_lasts_at_most(self) -> timedelta:
        return timedelta(days=self.values["consent.share_days_at_most"])

    def lists(self, purpose: str, category: Category) -> bool:
        """May data of this category be used for this purpose under this policy?"""
        if purpose in ALWAYS:
            return True
        found = self.purpose(purpose)
        return found is not None and category.value in found.categories


def youngest_age(pack: Pack, place: str) -> int:
    """How old one must be for an account there; the strictest where the place is not known."""
    ages: Mapping[str, int] = pack["account.min_age"]
    return ages.get(place, ages["default"]) if place else max(ages.values())
