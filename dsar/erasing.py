"""What an erasure does with requests: copies go, and what was asked and answered stays."""

from __future__ import annotations

from collections.abc import Iterator

from dsar.models import CaseDocument, Package
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind
from dsar.selectors import cases_about
from dsar.services.documents import end_documents_of
from dsar.services.packaging import end_packages_of
from dsar.services.passing_on import processors_of
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _copies(whose: Whose) -> list[Package]:
    rows = Package.objects.filter(case__in=cases_about(whose)).exclude(state=Package.State.GONE)
    return list(rows.select_related("case"))


def _papers(whose: Whose) -> tuple[list[CaseDocument], int]:
    """What can go, and how many papers stay: as long as requests are kept as evidence."""
    there = CaseDocument.objects.filter(case__in=cases_about(whose), destroyed_at=None)
    rows = list(there.select_related("case"))
    going = [
        one for one in rows
        if DOCUMENT_KINDS[DocumentKind(one.kind)].at_decision and one.case.answered_at is not None
    ]  # fmt: skip
    return going, len(rows) - len(going)


def _plan(whose: Whose) -> Iterator[Line]:
    if copies := _copies(whose):
        yield Line(Fate.GOES, "Copies made for requests", len(copies))
    if told := len(processors_of(whose.organisation_id)):
        yield Line(
            Fate.CHANGES, "What others hold for the organisation", told,
            "they are told to erase it too (GDPR Art. 28(3)(g); Cal. Civ. Code 1798.105(c)(1))",
        )  # fmt: skip
    going, staying = _papers(whose)
    if going:
        yield Line(Fate.GOES, "Identity documents of answered requests", len(going))
    if staying:
        yield Line(
            Fate.STAYS, "Papers that came with requests", staying,
            "they show on what a request was decided, and go when that time is over",
        )  # fmt: skip
    if number := cases_about(whose).count():
        yield Line(
            Fate.STAYS, "Requests and their answers", number,
            "they show that the law was kept (GDPR Art. 5(2); 11 CCR 7101)",
        )  # fmt: skip


def _carry_out(erased: Erased) -> None:
    end_packages_of(_copies(erased.whose))
    end_documents_of(_papers(erased.whose)[0])


def register() -> None:
    register_eraser(Eraser("requests", _plan, _carry_out))
