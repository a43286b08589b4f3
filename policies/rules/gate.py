"""The purpose gate: may data of these categories be used for this purpose, under this policy?

(C12.) Three answers short of yes: the policy lists no such purpose; not for this category; or not
for data that was collected before the policy listed it (MEDDIM-3.14).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.rules.categories import CATEGORY_LABELS, Category
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, PURPOSE_LABELS, Purpose


class Why(StrEnum):
    NOT_LISTED = "purpose-not-listed"
    NOT_FOR_CATEGORY = "purpose-not-for-category"
    COLLECTED_BEFORE = "collected-before-purpose"
    NO_PURPOSE = "no-purpose"
    NO_POLICY = "no-policy"


@dataclass(frozen=True, slots=True)
class Use:
    """A use of personal data: what for, and of which categories."""

    purpose: Purpose
    categories: frozenset[Category]


def use(purpose: Purpose, *categories: Category) -> Use:
    return Use(purpose, frozenset(categories))


class PurposeRefused(Exception):
    """The policy in force does not let this use happen. Says which purpose and category."""

    def __init__(self, why: Why, purpose: str, category: Category | None = None) -> None:
        self.why, self.purpose, self.category = why, purpose, category
        super().__init__(_sentence(why, purpose, category))


def _sentence(why: Why, purpose: str, category: Category | None) -> str:
    label = PURPOSE_LABELS[Purpose(purpose)] if purpose in set(Purpose) else purpose
    data = CATEGORY_LABELS[category] if category else ""
    match why:
        case Why.NO_PURPOSE:
            return "This use of personal data names no purpose, so it is refused."
        case Why.NO_POLICY:
            return "The organisation has no policy in force, so nothing can be used under it."
        case Why.NOT_LISTED:
            return f"The privacy policy in force does not list the purpose “{label}”."
        case Why.NOT_FOR_CATEGORY:
            return f"The privacy policy in force lists “{label}”, but not for: {data}."
        case Why.COLLECTED_BEFORE:
            return (
                f"This was collected before the privacy policy listed “{label}”. "
                "It needs fresh consent of the person concerned."
            )


def check_use(pack: Pack | None, wanted: Use) -> None:
    """Raise `PurposeRefused` unless the pack lists the purpose for every category."""
    if wanted.purpose in ALWAYS:
        return
    if pack is None:
        raise PurposeRefused(Why.NO_POLICY, wanted.purpose)
    listed = pack.purpose(wanted.purpose)
    if listed is None:
        raise PurposeRefused(Why.NOT_LISTED, wanted.purpose)
    for category in sorted(wanted.categories):
        if category.value not in listed.categories:
            raise PurposeRefused(Why.NOT_FOR_CATEGORY, wanted.purpose, category)


def listed_since(packs: Sequence[Pack], purpose: str, category: Category) -> datetime | None:
    """From when on has a policy listed this use without a break? None: it does not now.

    `packs` are the versions that have held, the one in force last. A use that the very first
    version listed has been listed from the beginning, whatever was collected before it.
    """
    since = None
    for pack in reversed(packs):
        if not pack.lists(purpose, category):
            break
        since = pack.effective_at
    if since is not None and packs and since == packs[0].effective_at:
        return datetime.min.replace(tzinfo=since.tzinfo)
    return since


def check_collected(
    packs: Sequence[Pack],
    purpose: str,
    categories: Iterable[Category],
    *,
    collected_at: datetime,
    consented: bool,
) -> None:
    """Raise `PurposeRefused` where a purpose is younger than the data, and nobody consented."""
    for category in categories:
        since = listed_since(packs, purpose, category)
        if since is not None and collected_at < since and not consented:
            raise PurposeRefused(Why.COLLECTED_BEFORE, purpose, category)
