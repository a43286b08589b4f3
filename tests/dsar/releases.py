"""Requests for archived records, as far as a test wants them, by the services of the pages."""

from __future__ import annotations

from datetime import date
from typing import Any

from dsar.models import ArchiveRelease, Case, CaseDocument, Package
from dsar.rules.documents import DocumentKind
from dsar.rules.kinds import Kind
from dsar.rules.releasing import Authorization, Basis, checks_for
from dsar.rules.states import Proof
from dsar.services.collecting import link_subjects
from dsar.services.documents import add_document
from dsar.services.identifying import identify_person
from dsar.services.releasing_archive import (
    approve_release,
    check_authorization,
    papers_of,
    prepare_release,
)
from jobs.services import run_job
from studies.models import Study
from tests.dsar.asking import by_form
from tests.dsar.papers import pdf
from tests.factories import Cast, actor_of

SIGNED, ENDS = date(2026, 11, 1), date(2027, 11, 1)


def asked(cast: Cast, *studies: Study) -> Case:
    """Somebody without an account asks, is known, and it is known whose records they are."""
    officer = actor_of(cast.officer)
    case = by_form(kind=Kind.RECORDS_RELEASE)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    if studies:
        link_subjects(actor=officer, case=case, subject_ids=[one.subject_id for one in studies])
    case.refresh_from_db()
    return case


def with_paper(cast: Cast, case: Case, kind: DocumentKind = DocumentKind.RELEASE) -> CaseDocument:
    return add_document(actor=actor_of(cast.officer), case=case, kind=kind, content=pdf())


def authorization(**more: Any) -> Authorization:
    basis = more.pop("basis", Basis.AUTHORIZATION)
    facts: dict[str, Any] = {
        "basis": basis, "signed_on": SIGNED, "ends_on": ENDS,
        "checks": frozenset(checks_for(basis)),
    }  # fmt: skip
    return Authorization(**(facts | more))


def checked(cast: Cast, case: Case, *studies: Study, **more: Any) -> ArchiveRelease:
    return check_authorization(
        actor=actor_of(cast.officer, fresh=True), case=case, given=authorization(**more),
        document_id=papers_of(case)[0].pk, covers=[one.uid for one in studies],
    )  # fmt: skip


def approved(cast: Cast, case: Case) -> ArchiveRelease:
    return approve_release(actor=actor_of(cast.administrator, fresh=True), case=case)


def made(cast: Cast, case: Case) -> tuple[Package, str]:
    package, code = prepare_release(actor=actor_of(cast.officer, fresh=True), case=case)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    package.refresh_from_db()
    return package, code
