"""What a change of policy does to requests (policies.rules.impact)."""

from __future__ import annotations

from uuid import UUID

from dsar.models import Case
from dsar.rules.states import UNANSWERED
from policies.rules.impact import Impact, Values


def impact_on_requests(organisation_id: UUID, before: Values, after: Values) -> list[Impact]:
    """A request keeps the terms under which it came in; clocks of law run beside them."""
    cases = Case.objects.filter(organisation_id=organisation_id, state__in=UNANSWERED)
    days, route = "requests.answer_days", "requests.patient_route"
    found = []
    if after[days] != before[days]:
        found.append(
            Impact(
                cases.exclude(answer_days=after[days]).count(),
                f"open requests keep the term they came in under; new ones get {after[days]} days, "
                "or what a law gives if that is less.",
            )
        )
    if after[route] != before[route]:
        found.append(
            Impact(
                cases.count(),
                "open requests stay where they are; where a patient's request goes changes for "
                "new ones.",
            )
        )
    return found
