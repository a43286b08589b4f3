"""What this room holds about a person: letters about incidents that touched their data.

An incident of which they were not told (yet) is not in it: whether and when is for the assessment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import QuerySet

from incidents.models import Affected
from incidents.sealing import OpenIncident
from incidents.selectors import letter_parts
from policies.rules.categories import Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder


def _told(whose: Whose) -> QuerySet[Affected]:
    rows = Affected.objects.filter(
        incident__organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    )
    return rows.exclude(told="").select_related("incident__organisation").order_by("told_at", "pk")


def _holdings(whose: Whose) -> Iterator[Holding]:
    rows = list(_told(whose))
    if rows:
        yield Holding(
            Category.TRAIL, "Letters about incidents that touched the data", len(rows),
            rows[0].told_at, "made by the portal, from its trail", (),
            "with the register of incidents", file="incidents.json",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    found = [
        {
            "told": row.told_at.isoformat() if row.told_at else "",
            "how": row.get_told_display(),
            "studies": row.study_uids,
            "lives in": row.residence,
            "letter": {
                part.heading: part.text
                for part in letter_parts(row.incident, OpenIncident(row.incident))
            },
        }
        for row in _told(whose)
    ]
    if found:
        yield one_file("incidents.json", json.dumps(found, indent=2, ensure_ascii=False).encode())


def register() -> None:
    register_holder(Holder("incidents", "Incidents that touched the data", _holdings, _files))
