"""What falls due when, as a picture: years, with how many studies come to an end in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Mod

from retention.selectors.batches import batches_of
from retention.selectors.keeping import Ends, facts_of
from studies.models import Study
from studies.selectors import HIDDEN, THERE

OPEN = "open"
# Of more studies every so many is looked at, and counts for as many: it is a picture.
MOST_LOOKED_AT = 20_000
# As many years are drawn one by one; what comes later is one bar.
MOST_YEARS = 15


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: int
    width: int
    is_due: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many studies there are, and how many come to an end in which year, or wait."""

    studies: int
    years: dict[str, int]


def looked_at_of(studies: int) -> int:
    """Every so many is looked at; 1: all."""
    return max(1, -(-studies // MOST_LOOKED_AT))


def forecast_of(organisation_id: UUID, ends: Ends) -> Forecast:
    """Of all that can be seen, and of what is kept out of sight."""
    rows = Study.objects.filter(THERE | HIDDEN, organisation_id=organisation_id)
    studies = rows.count()
    if not ends.terms.schedule:
        return Forecast(studies, {OPEN: studies} if studies else {})
    every = looked_at_of(studies)
    if every > 1:
        rows = rows.annotate(place=Mod(F("id"), every)).filter(place=0)
    years: Counter[str] = Counter()
    for batch in batches_of(rows):
        facts = facts_of(batch)
        for study in batch:
            years[_year(ends.of_study(study, facts[study.pk]))] += every
    return Forecast(studies, dict(sorted(years.items())))


def _year(end: date | None) -> str:
    return OPEN if end is None else str(end.year)


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
    if waiting := forecast.get(OPEN, 0):
        rows.append(("not known yet", waiting, False))
    most = max((count for _, count, _ in rows), default=0) or 1
    return [Bar(label, count, round(100 * count / most), due) for label, count, due in rows]
