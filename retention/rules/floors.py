"""Where a policy would say that something is kept for less long than the law asks for. Pure.

The law counts anyway; but a notice that names the shorter time would say what does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from policies.rules.categories import CATEGORY_LABELS
from policies.rules.findings import Finding
from retention.rules.duties import Duty
from retention.rules.facts import Facts
from retention.rules.schedule import Scheduled, schedule_of

# Of an adult, as most people are: what counts for minors or for kinds of images comes on top.
_BORN = 40


def below_law(
    before: Mapping[str, Any], after: Mapping[str, Any], duties: Sequence[Duty], today: date
) -> list[Finding]:
    """Name each line that was changed and is shorter than a duty of the organisation's laws."""
    kept = {line.category: line for line in schedule_of(before)}
    facts = _ordinary(today, is_animal=after["subject.mode"] == "veterinary")
    changed = [line for line in schedule_of(after) if line != kept.get(line.category)]
    return [found for line in changed if (found := _finding(line, duties, facts))]


def _ordinary(today: date, *, is_animal: bool) -> Facts:
    born = today.replace(year=today.year - _BORN, day=min(today.day, 28))
    return Facts(
        today, today, None if is_animal else born, modalities=frozenset({"CT"}),
        is_animal=is_animal,
    )  # fmt: skip


def _finding(line: Scheduled, duties: Sequence[Duty], facts: Facts) -> Finding | None:
    until = line.until(facts)
    if until is None:
        # It waits for something, and may last for any time.
        return None
    ends = [
        (end, duty) for duty in duties if duty.concerns(facts)
        for term in duty.terms if (end := term.until(facts))
    ]  # fmt: skip
    end, duty = max(ends, key=lambda pair: pair[0], default=(until, None))
    if duty is None or end <= until:
        return None
    years = end.year - facts.received_on.year
    return Finding(
        "retention",
        f"says that {CATEGORY_LABELS[line.category].lower()} are kept for {line.keep.words}, and "
        f"the law asks for about {years} years here ({duty.law}, {duty.cites}). It would be kept "
        "for longer than people read: say at least as much.",
    )
