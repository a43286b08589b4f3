"""What would come of it if other laws counted for a case: the old picture and the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dsar.models import Case
from dsar.rules.changing_laws import (
    Change,
    Counting,
    change_words,
    changed,
    cites_of,
    day_of,
    refusal_to_change,
)
from dsar.rules.clocks import Deadlines, reckon
from dsar.rules.laws import Law, known_laws
from dsar.selectors import deadlines_of, laws_of, request_of


@dataclass(frozen=True, slots=True)
class Picture:
    """The laws of a case, its clocks, and the day by which it is to be answered."""

    counting: Counting
    deadlines: Deadlines
    answer_on: date

    @property
    def mark(self) -> str:
        """What whoever decides has seen: it is another one once somebody has changed it."""
        laws = "+".join(self.counting.laws)
        return f"{self.answer_on.isoformat()}/{self.counting.residence}/{laws}"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Before and after; `refusal`: why it cannot be done, and then both are the same."""

    before: Picture
    after: Picture
    cites: dict[Law, str]
    refusal: str

    @property
    def words(self) -> str:
        """What the person reads of it, beside the officer's own words."""
        days = self.before.answer_on, self.after.answer_on
        return change_words(self.before.counting, self.after.counting, self.cites, days)

    @property
    def moves(self) -> bool:
        return self.before.answer_on != self.after.answer_on


def picture_of(case: Case) -> Picture:
    counting = Counting(known_laws(case.laws), case.residence)
    return Picture(counting, deadlines_of(case), case.answer_on)


def pictures_of(case: Case, change: Change) -> Pictures:
    """Reckon the clocks of a case as if it ran under these laws; changes nothing."""
    before = picture_of(case)
    if refusal := refusal_to_change(before.counting, change):
        return Pictures(before, before, {}, refusal)
    after = changed(before.counting, change, laws_of(case.organisation, change.residence))
    cites = cites_of(before.counting, after, change.reason)
    due = reckon(request_of(case, laws=after.laws))
    day = day_of(case.answer_on, due.answer_on, cites)
    return Pictures(before, Picture(after, due, day), cites, "")
