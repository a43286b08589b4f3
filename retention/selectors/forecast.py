"""What falls due when, as a picture: years, with how many studies come to an end in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# As many years are drawn one by one; what comes later is one bar.
MOST_YEARS = 15


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: int
    width: int
    is_due: bool


def bars_of(forecast: Mapping[str, int], this_year: int) -> list[Bar]:
    """Bars from what is over to what comes last; those that wait for something come at the end."""
    years = {int(year): count for year, count in forecast.items() if year.isdigit()}
    over = sum(count for year, count in years.items() if year < this_year)
    rows: list[tuple[str, int, bool]] = []
    if over:
        rows.append((f"before {this_year}", over, True))
    later = 0
    for year in range(this_year, max(years, default=this_year) + 1):
        if year < this_year + MOST_YEARS:
            rows.append((str(year), years.get(year, 0), False))
        else:
            later += years.get(year, 0)
    if later:
        rows.append(("later", later, False))
    if waiting := forecast.get("open", 0):
        rows.append(("not known yet", waiting, False))
    most = max((count for _, count, _ in rows), default=0) or 1
    return [Bar(label, count, round(100 * count / most), due) for label, count, due in rows]
