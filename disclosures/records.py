"""How cases of disclosure end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.records import delete_rows
from disclosures.models import Disclosure, Item, Paper, Release
from disclosures.services.packaging import end_package
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from vault.services.blobs import delete_blob
from vault.services.data_keys import destroy_data_keys


def _closed(organisation_id: UUID) -> QuerySet[Disclosure]:
    return Disclosure.objects.filter(organisation_id=organisation_id).exclude(closed_at=None)


def _end(rows: Sequence[Disclosure]) -> None:
    """Packages and documents first, whose files lie in the store; then the key of the words."""
    releases = Release.objects.filter(disclosure__in=rows).select_related("disclosure")
    for release in releases:
        if release.state != Release.State.GONE:
            end_package(release)
    releases.delete()
    papers = list(Paper.objects.filter(disclosure__in=rows))
    destroy_data_keys(ids=[*(one.key_id for one in papers), *(row.key_id for row in rows)])
    for one in papers:
        delete_blob(name=one.blob_name)
    # Items point at the clause that names them.
    Item.objects.filter(disclosure__in=rows).delete()
    delete_rows(rows)


KINDS = [
    RecordKind(
        "disclosures.cases", "Cases of disclosure under law that are closed", Category.REQUESTS,
        ("disclosures.Disclosure", "disclosures.Statement", "disclosures.Paper",
         "disclosures.Clause", "disclosures.Item", "disclosures.Notice"),
        Ending.TERM,
        term=Term(_closed, "closed_at", "the day the case was closed", _end),
    ),
    RecordKind(
        "disclosures.packages", "Packages that were made under law", Category.REQUESTS,
        ("disclosures.Release",), Ending.OWN,
        "each is deleted thirty days after it was made; that it was made stays with its case",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
