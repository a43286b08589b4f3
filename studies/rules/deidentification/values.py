"""Values that stand for what was there: valid for their VR, and about nobody (PS3.5 6.2)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, Final

REMOVED: Final = "REMOVED"
# For Action D. Text says that something was removed; numbers and moments are no real ones.
DUMMIES: Final[dict[str, Any]] = {
    "AE": REMOVED, "AS": "000D", "CS": REMOVED, "DA": "19000101", "DS": "0",
    "DT": "19000101000000", "IS": "0", "LO": REMOVED, "LT": REMOVED, "PN": "Removed^",
    "SH": REMOVED, "ST": REMOVED, "TM": "000000", "UC": REMOVED, "UR": "urn:removed",
    "UT": REMOVED, "US": 0, "SS": 0, "UL": 0, "SL": 0, "UV": 0, "SV": 0, "FL": 0.0, "FD": 0.0,
    "OB": b"\0\0", "OW": b"\0\0", "OD": bytes(8), "OF": bytes(4), "OL": bytes(4), "OV": bytes(8),
    "UN": b"\0\0", "AT": 0,
}  # fmt: skip
TEXT_VRS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT", "CS", "AE", "UR"})
FREE_TEXT_VRS: Final = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
# Stored as numbers or bytes; IS and DS are letters, which can be anything.
NUMBER_VRS: Final = frozenset("AT FL FD OB OD OF OL OV OW SL SS SV UL US UV".split())
MOMENT_VRS: Final = frozenset({"DA", "DT", "TM"})
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DATE_TIME: Final = re.compile(r"(\d{8})((?:\d{2}){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?)")
_TIME: Final = re.compile(r"\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?")
_AGE: Final = re.compile(r"(\d{3})([DWMY])")
# Above it an age counts as identifying (45 CFR 164.514(b)(2)(i)(C)).
OLDEST: Final = 89


def moved_date(value: str, days: int) -> str | None:
    """Move a DA by days; None if it is no date, or would fall out of the calendar."""
    found = _DATE.fullmatch(value.strip())
    if found is None:
        return None
    try:
        moved = date(*(int(one) for one in found.groups())) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return moved.strftime("%Y%m%d") if moved.year >= 1000 else None


def moved_moment(vr: str, value: str, days: int) -> str | None:
    """Move a DA or DT by days, and leave the time of day; None for what is none."""
    text = value.strip()
    if vr == "TM":
        return text if _TIME.fullmatch(text) else None
    if vr == "DA":
        return moved_date(text, days)
    found = _DATE_TIME.fullmatch(text)
    moved = moved_date(found[1], days) if found else None
    return f"{moved}{found[2]}" if found and moved else None


def capped_age(value: str) -> str | None:
    """An AS as it is, or 90 years where it is above 89; None for what is no age."""
    found = _AGE.fullmatch(value.strip())
    if found is None:
        return None
    per_year = {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}[found[2]]
    return "090Y" if int(found[1]) / per_year >= OLDEST + 1 else found[0]
