"""Records of use: whether one may be written, and what may be said of many. Pure (C37).

A record says which feature was used on which day, never by which address: no path, no query, no
number of a study. It carries a pseudonym that changes every four weeks. A day and no moment, and
a random number and no running one: nothing in the rows puts a visit's pages in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from policies.rules.categories import Category
from policies.rules.pack import Pack
from policies.rules.purposes import OF_USE, Purpose

# Four weeks, each from a Monday: no week lies in two periods, so nobody counts twice in one.
PERIOD: Final = timedelta(weeks=4)
LATE_SHOWN: Final = 95  # per cent

# Which pages count as which feature. What is not here is never noted: fragments, programs'
# requests, the single images of a study, links with a secret in them.
FEATURES: Final[dict[str, tuple[str, ...]]] = {
    "Worklist": ("studies:worklist", "studies:worklist_remember"),
    "Looking at a study": ("studies:study", "studies:frames", "studies:viewer"),
    "Downloading": ("studies:download",),
    "Sending studies": ("studies:upload", "studies:upload_state"),
    "Sharing": (
        "studies:share", "consent:shares", "consent:share", "consent:share_revoke",
    ),
    "Messages": ("accounts:notifications", "accounts:preferences"),
    "Own account": ("accounts:account", "accounts:token_issue", "consent:my_purposes"),
    "Members": ("accounts:members", "accounts:member_invite", "accounts:member_edit"),
    "Policy": (
        "governance:policy", "governance:policy_part", "governance:policy_record",
        "governance:policy_review", "governance:promises", "governance:inventory",
    ),
    "Trail": ("studies:trail",),
    "Public notice": (
        "accounts:notice", "accounts:notice_version", "accounts:notice_versions",
        "accounts:notice_changes",
    ),
}  # fmt: skip
_FEATURE_OF: Final = {page: feature for feature, pages in FEATURES.items() for page in pages}


class Outcome(StrEnum):
    """How it ended, by the class of the answer alone."""

    DONE = "done"
    INPUT = "input"
    REFUSED = "refused"
    MISSING = "missing"
    FAULT = "fault"


OUTCOME_LABELS: Final = {
    Outcome.DONE: "Done",
    Outcome.INPUT: "Something was filled in wrongly",
    Outcome.REFUSED: "Refused",
    Outcome.MISSING: "Not found",
    Outcome.FAULT: "A fault of the portal",
}


def feature_of(page: str) -> str:
    """Which feature a page belongs to, by the name of its address; empty: never noted."""
    return _FEATURE_OF.get(page, "")


def outcome_of(status: int) -> Outcome:
    if status >= 500:
        return Outcome.FAULT
    if status < 400:
        return Outcome.DONE
    return {403: Outcome.REFUSED, 404: Outcome.MISSING}.get(status, Outcome.INPUT)


def purpose_of_use(pack: Pack | None) -> Purpose | None:
    """The purpose that records of use are for under this policy; None: there is none."""
    if pack is None or "usage" not in pack["optional_events"]:
        return None
    listed = (one for one in OF_USE if pack.lists(one, Category.TECHNICAL))
    return next(listed, None)


@dataclass(frozen=True, slots=True)
class Visitor:
    """What of a request decides whether its use may be noted."""

    objected_to: frozenset[str] = frozenset()
    opts_out: bool = False
    public_computer: bool = False


NOTHING: Final[frozenset[str]] = frozenset()


def noted(pack: Pack | None, visitor: Visitor) -> frozenset[str]:
    """What may be noted of this visitor's use: the kinds the policy lists, or nothing at all.

    Nothing without `usage`, without a purpose for it, on a computer that others use, against a
    signal of the browser that the policy honours, or once somebody has objected.
    """
    if purpose_of_use(pack) is None or visitor.opts_out or visitor.public_computer:
        return NOTHING
    if visitor.objected_to & set(OF_USE):
        return NOTHING
    assert pack is not None
    return frozenset(pack["optional_events"])


# Periods -----------------------------------------------------------------------------------------
def period_of(day: date) -> int:
    """Number the four weeks that a day lies in; 1 January of the year 1 was a Monday."""
    return (day.toordinal() - 1) // PERIOD.days


def first_day_of(period: int) -> date:
    return date.fromordinal(period * PERIOD.days + 1)


def periods_kept(today: date, keep_days: int) -> list[int]:
    """The periods of which rows can still be there, the running one first."""
    oldest = period_of(today - timedelta(days=keep_days))
    return list(range(period_of(today), oldest - 1, -1))


# What is said of many ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Count:
    """How often, and by how many. `people` is None where visitors have no pseudonym."""

    label: str
    uses: int
    people: int | None = None

    def is_shown(self, at_least: int) -> bool:
        """Only of groups that are large enough; of the unknown, by their number of visits."""
        return (self.uses if self.people is None else self.people) >= at_least


def shown(counts: Iterable[Count], at_least: int) -> list[Count]:
    """Leave out what would be said of a group that is too small (LIFEIMAGE-9.1)."""
    return [one for one in counts if one.is_shown(at_least)]


def quantile(sorted_values: list[int], per_cent: int) -> int:
    """The value that so many per cent do not exceed (nearest rank)."""
    rank = -(-per_cent * len(sorted_values) // 100)
    return sorted_values[max(rank, 1) - 1]
