"""What a change of policy does to how long studies are kept (policies.rules.impact)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation
from policies.rules.findings import Finding
from policies.rules.impact import Impact, Values
from retention.rules.floors import below_law
from retention.rules.schedule import schedule_of
from retention.selectors.keeping import duties_under
from retention.selectors.simulation import simulate
from studies.rules.keeping import day_everywhere


def impact_on_studies(organisation_id: UUID, before: Values, after: Values) -> list[Impact]:
    if schedule_of(before) == schedule_of(after) and before["regimes"] == after["regimes"]:
        return []
    found = simulate(Organisation.objects.get(pk=organisation_id), before, after)
    about = "studies" if found.every == 1 else f"studies, reckoned from every {found.every}th,"
    return [
        Impact(found.sooner, f"{about} would come to an end sooner."),
        Impact(found.later, f"{about} would be kept for longer."),
        Impact(found.otherwise, f"{about} would wait for something else, or end in another way."),
        Impact(found.newly_due, f"{about} would be due for disposal on the first night."),
    ]


def findings_of_law(organisation_id: UUID, before: Values, after: Values) -> Iterable[Finding]:
    """Why a draft cannot be posted: a line was made shorter than the law asks for."""
    organisation = Organisation.objects.get(pk=organisation_id)
    return below_law(
        before, after, duties_under(organisation, after), day_everywhere(timezone.now())
    )
