"""Periods of the calendar, birthdays and ages. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

_WRITTEN = re.compile(r"([1-9][0-9]{0,4}) (day|month|year)s?")


def months_after(start: date, months: int) -> date:
    """The same date so many months on; where the month has none, its last day.

    Reg. (EEC, Euratom) 1182/71 Art. 3(2)(c); BGB 188(3). What would end after the year 9999 ends
    with it.
    """
    year, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + year, month + 1
    if year > date.max.year:
        return date.max
    # Every month has these days; the calendar is asked for the others only.
    return date(year, month, start.day if start.day < 29 else _within(start.day, year, month))


def _within(day: int, year: int, month: int) -> int:
    return min(day, monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in days, months or years of the calendar."""

    value: int
    unit: str

    @classmethod
    def read(cls, written: str) -> Period:
        """Read `7 years`, `24 months` or `90 days`. Raises ValueError."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError(f"{written!r} is no period such as 7 years or 90 days")
        return cls(int(found[1]), found[2])

    @property
    def words(self) -> str:
        return f"{self.value} {self.unit}{'' if self.value == 1 else 's'}"

    def after(self, start: date) -> date:
        """The last day of the period that begins with the day after `start`."""
        if self.unit == "day":
            return start + timedelta(days=min(self.value, (date.max - start).days))
        return months_after(start, self.value * (12 if self.unit == "year" else 1))


def birthday(born: date, age: int) -> date:
    """The day on which an age is reached.

    Who was born on 29 February gets a year older on 1 March where the year has no such day: the
    year of life before is complete at the end of 28 February (BGB 187(2), 188(2)).
    """
    year = born.year + age
    if year > date.max.year:
        return date.max
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
