"""How the records of this room end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.records import delete_rows
from incidents.models import Incident
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from vault.services.data_keys import destroy_data_keys


def _closed(organisation_id: UUID) -> QuerySet[Incident]:
    return Incident.objects.filter(organisation_id=organisation_id).exclude(closed_at=None)


def _end(rows: Sequence[Incident]) -> None:
    destroy_data_keys(ids=[row.key_id for row in rows])
    delete_rows(rows)


KINDS = [
    RecordKind(
        "incidents.register", "Incidents that are closed, whom they touched, and who was told",
        Category.TRAIL,
        ("incidents.Incident", "incidents.IncidentEntry", "incidents.PlanStep",
         "incidents.Affected", "incidents.DutyMark"),
        Ending.TERM,
        term=Term(
            _closed, "closed_at", "the day the incident was closed", _end, person="account_id"
        ),
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
