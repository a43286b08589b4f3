"""How old somebody is who wants an account, and whether that is old enough. Pure (C38).

COPPA (16 CFR 312.2): below 13 nothing is asked of a child itself; GDPR Art. 8(1): 16, or what the
country says instead, down to 13. The question is neutral: no answer is shown to be the right one.
"""

from __future__ import annotations

from datetime import date
from typing import Final

OLDEST: Final = 125


def age_on(born: date, day: date) -> int:
    """Whole years on that day; who was born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def fault_of_birth(born: date, today: date) -> str:
    """Say why that cannot be somebody's day of birth; empty if it can."""
    if born > today:
        return "That day has not come yet. Check the year."
    if age_on(born, today) > OLDEST:
        return "Check the year: that is very long ago."
    return ""


def is_old_enough(born: date, today: date, *, youngest: int) -> bool:
    return age_on(born, today) >= youngest
