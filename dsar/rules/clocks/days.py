"""Days, months, business days and running hours, as laws count them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from accounts.rules.marketing import EEA

# Is this day a public holiday there?
Holidays = Callable[[date], bool]


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    BUSINESS_DAY = "business day"
    MONTH = "month"
    YEAR = "year"


_WRITTEN = re.compile(r"([1-9][0-9]{0,3}) (hour|day|business day|month|year)(s?)")
_WORDS = ("", "one", "two", "three")


@dataclass(frozen=True, slots=True)
class Duration:
    value: int
    unit: Unit

    @classmethod
    def read(cls, written: str) -> Duration:
        """Read `1 month` or `10 business days`. Raises ValueError."""
        found = _WRITTEN.fullmatch(written)
        if found is None or (found[3] == "s") != (found[1] != "1"):
            raise ValueError(f"{written!r} is no duration such as 1 month or 10 business days")
        return cls(int(found[1]), Unit(found[2]))

    @property
    def words(self) -> str:
        unit = f"calendar {self.unit}" if self.unit in {Unit.MONTH, Unit.DAY} else self.unit
        number = _WORDS[self.value] if self.value < len(_WORDS) else str(self.value)
        return f"{number} {unit}{'s' if self.value != 1 else ''}"


def no_holidays(_day: date) -> bool:
    return False


@lru_cache(maxsize=64)
def _public_holidays(country: str) -> holidays.HolidayBase:
    # Of the United Kingdom those of England; elsewhere those of the whole country, so that a
    # holiday of one region never makes an answer late in another.
    return holidays.country_holidays(country, subdiv="ENG" if country == "GB" else None)


def holidays_of(country: str) -> Holidays:
    """The public holidays of a whole country; none where they are not known."""
    try:
        known = _public_holidays(country)
    except NotImplementedError:
        # What the library raises for a country that it does not know. Without holidays a last day
        # is never later than it could be.
        return no_holidays
    return lambda day: day in known


def holidays_for(law: str, country: str) -> Holidays:
    """The holidays that a law counts for an organisation in this country.

    None but Saturdays and Sundays where the organisation is outside of the law's own area: the
    due date is then never later than it could be. "Business day" is defined in no Californian
    rule; federal holidays are left out and no others.
    """
    if law == "gdpr":
        return holidays_of(country) if country in EEA else no_holidays
    if law == "uk-gdpr":
        return holidays_of("GB") if country == "GB" else no_holidays
    return holidays_of("US")


def is_working_day(day: date, is_holiday: Holidays) -> bool:
    return day.weekday() < 5 and not is_holiday(day)


def next_working_day(day: date, is_holiday: Holidays) -> date:
    while not is_working_day(day, is_holiday):
        day += timedelta(days=1)
    return day


def business_days_after(start: date, days: int, is_holiday: Holidays) -> date:
    """The last of so many working days, the day after `start` being the first that can count."""
    day = start
    for _ in range(days):
        day = next_working_day(day + timedelta(days=1), is_holiday)
    return day


def moment_due(start: datetime, hours: int) -> datetime:
    """Running hours: through nights, weekends and holidays, to the exact moment.

    Reg. 1182/71 Art. 3(3) and (4): the hour of the event would not count and hours never roll;
    the exact moment is never later than what that allows.
    """
    return start + timedelta(hours=hours)


# Where the day of receipt is told: the zone of an organisation's place; UTC elsewhere. Of a
# place with several zones the western one counts, where a day begins last: nothing is due later.
_ZONES = {
    "America/New_York": "US-CT US-DC US-DE US-GA US-MA US-MD US-ME US-MI US-NC US-NH US-NJ US-NY"
    " US-OH US-PA US-RI US-SC US-VA US-VT US-WV",
    "America/Chicago": "US-AL US-AR US-FL US-IA US-IL US-IN US-KY US-LA US-MN US-MO US-MS US-OK"
    " US-TN US-WI",
    "America/Denver": "US-CO US-KS US-MT US-ND US-NE US-NM US-SD US-TX US-UT US-WY",
    "America/Phoenix": "US-AZ",
    "America/Los_Angeles": "US-CA US-ID US-NV US-OR US-WA CA",
    "America/Adak": "US-AK",
    "Pacific/Honolulu": "US-HI US",
    "Europe/London": "GB IE",
    "Atlantic/Azores": "PT",
    "Atlantic/Canary": "ES",
    "Europe/Berlin": "AT BE CH CZ DE DK FR HR HU IT LI LU MT NL NO PL SE SI SK",
    "Europe/Helsinki": "BG CY EE FI GR LT LV RO",
    "America/Rio_Branco": "BR",
    "Asia/Seoul": "KR",
}
_ZONE_OF = {place: zone for zone, places in _ZONES.items() for place in places.split()}


def _zone(country: str, state: str) -> ZoneInfo:
    return ZoneInfo(_ZONE_OF.get(f"{country}-{state}") or _ZONE_OF.get(country, "UTC"))


def local_day(moment: datetime, country: str, state: str = "") -> date:
    """The day that a moment fell on where the organisation is."""
    return moment.astimezone(_zone(country, state)).date()


def noon_of(day: date, country: str, state: str = "") -> datetime:
    """The middle of a day where the organisation is: a moment that is of this day in any count."""
    return datetime.combine(day, time(12), _zone(country, state))
