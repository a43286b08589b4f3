"""How requests of data subjects end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.records import delete_rows
from dsar.models import Case, Package
from dsar.services.packaging import end_packages_of
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from vault.services.data_keys import destroy_data_keys


def _closed(organisation_id: UUID) -> QuerySet[Case]:
    return Case.objects.filter(organisation_id=organisation_id).exclude(closed_at=None)


def _end(rows: Sequence[Case]) -> None:
    """Copies first, whose files lie in the store; then the key of the words, then the rows."""
    copies = Package.objects.filter(case__in=rows).exclude(state=Package.State.GONE)
    end_packages_of(copies.select_related("case"))
    destroy_data_keys(ids=[row.key_id for row in rows])
    delete_rows(rows)


KINDS = [
    RecordKind(
        "requests.cases", "Requests that are closed, with letters and answers", Category.REQUESTS,
        ("dsar.Case", "dsar.CaseEntry", "dsar.CaseSubject", "dsar.Erasure"), Ending.TERM,
        term=Term(_closed, "closed_at", "the day the case was closed", _end, person="person_id"),
    ),
    RecordKind(
        "requests.copies", "Copies that were made for requests", Category.REQUESTS,
        ("dsar.Package",), Ending.OWN, "each is deleted on the day that it names, or with its case",
    ),
    RecordKind(
        "requests.drafts", "Forms whose address nobody confirmed", Category.REQUESTS,
        ("dsar.RequestDraft",), Ending.OWN, "the key of each is destroyed after a day",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
