"""How requests of data subjects end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.records import delete_rows
from dsar.models import ArchiveRelease, Case, CaseDocument, Package
from dsar.services.documents import end_documents_of
from dsar.services.packaging import end_packages_of
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from vault.services.data_keys import destroy_data_keys


def _closed(organisation_id: UUID) -> QuerySet[Case]:
    return Case.objects.filter(organisation_id=organisation_id).exclude(closed_at=None)


def _end(rows: Sequence[Case]) -> None:
    """Copies and papers first, whose files lie in the store; then the key of the words."""
    copies = Package.objects.filter(case__in=rows).exclude(state=Package.State.GONE)
    end_packages_of(copies.select_related("case"))
    papers = CaseDocument.objects.filter(case__in=rows, destroyed_at=None)
    end_documents_of(papers.select_related("case"))
    # It points at the paper that it rests on, and goes with it.
    ArchiveRelease.objects.filter(case__in=rows).delete()
    destroy_data_keys(ids=[row.key_id for row in rows])
    delete_rows(rows)


KINDS = [
    RecordKind(
        "requests.cases", "Requests that are closed, with letters and answers", Category.REQUESTS,
        ("dsar.Case", "dsar.CaseEntry", "dsar.CaseSubject", "dsar.Erasure",
         "dsar.ErasureNotice", "dsar.Authority", "dsar.ArchiveRelease", "dsar.FeeQuote",
         "dsar.IdentityCheck", "dsar.Transfer"),
        Ending.TERM,
        term=Term(_closed, "closed_at", "the day the case was closed", _end, person="person_id"),
    ),
    RecordKind(
        "requests.copies", "Copies that were made for requests", Category.REQUESTS,
        ("dsar.Package",), Ending.OWN, "each is deleted on the day that it names, or with its case",
    ),
    RecordKind(
        "requests.papers", "Papers that came with requests", Category.REQUESTS,
        ("dsar.CaseDocument",), Ending.OWN,
        "what shows who somebody is goes with the answer; others on the day that is noted with "
        "them, or with their case",
    ),
    RecordKind(
        "requests.drafts", "Forms whose address nobody confirmed", Category.REQUESTS,
        ("dsar.RequestDraft",), Ending.OWN, "the key of each is destroyed after a day",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
