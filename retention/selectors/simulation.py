"""What would fall due when under a draft, beside what does under the policy in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.db.models.functions import Mod
from django.utils import timezone

from accounts.models import Organisation
from policies.rules.categories import CARE_DATA
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from retention.rules.keeping import Keeping, keeping_of
from retention.rules.schedule import schedule_of
from retention.selectors.batches import batches_of
from retention.selectors.keeping import duties_under, facts_of
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.selectors import THERE

# Of more studies every so many is looked at, and counts for as many.
MOST_LOOKED_AT = 2_000
OPEN = "open"


@dataclass(slots=True)
class Simulation:
    """How many studies come to an end in which year, now and then; and what is different."""

    studies: int
    # Every so many was looked at; 1: all.
    every: int
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    sooner: int = 0
    later: int = 0
    otherwise: int = 0
    newly_due: int = 0

    @property
    def changed(self) -> int:
        return self.sooner + self.later

    @property
    def about(self) -> str:
        return "" if self.every == 1 else "about "


def simulate(
    organisation: Organisation, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Simulation:
    """Reckon each study under both policies. Nothing is stored, and nothing is planned."""
    rows = Study.objects.filter(THERE, organisation=organisation, is_anonymous=False)
    studies = rows.count()
    every = max(1, -(-studies // MOST_LOOKED_AT))
    looked_at = rows.annotate(place=Mod(F("id"), every)).filter(place=0)
    found, today = Simulation(studies, every), day_everywhere(timezone.now())
    terms = [(duties_under(organisation, one), schedule_of(one)) for one in (before, after)]
    # A use of its own: the pages of policies name none.
    with using(Purpose.LEGAL_OBLIGATION, *CARE_DATA):
        for batch in batches_of(looked_at):
            for facts in facts_of(batch).values():
                now, then = (
                    keeping_of(facts, duties=duties, schedule=schedule)
                    for duties, schedule in terms
                )
                _count(found, now, then)
                is_newly_due = then.is_due(today) and not now.is_due(today)
                found.newly_due += every * is_newly_due
    return found


def _count(found: Simulation, now: Keeping, then: Keeping) -> None:
    found.before[_year(now)] += found.every
    found.after[_year(then)] += found.every
    if now.is_open or then.is_open:
        found.otherwise += found.every * (now.is_open != then.is_open or now.action != then.action)
        return
    found.sooner += found.every * (then.until < now.until)
    found.later += found.every * (then.until > now.until)
    found.otherwise += found.every * (then.until == now.until and then.action != now.action)


def _year(keeping: Keeping) -> str:
    return OPEN if keeping.is_open else str(keeping.until.year)
