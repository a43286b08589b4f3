"""Requests for erasure, planned, approved and carried out by the services that pages call."""

from __future__ import annotations

from typing import Any

from dsar.models import Case, Erasure
from dsar.rules.kinds import Kind
from dsar.rules.states import Proof
from dsar.services.collecting import link_subjects
from dsar.services.erasing import erasure_of, plan_case_erasure
from dsar.services.identifying import identify_person
from jobs.models import Job
from jobs.services import RunOutcome, run_job
from retention.models import DisposalRun
from retention.services.approving import approve_run
from studies.models import Study
from tests.dsar.asking import by_form
from tests.factories import Cast, actor_of
from tests.retention.cases import carried_out


def asked(cast: Cast, *studies: Study, **more: Any) -> Case:
    """Somebody without an account asks; an officer knows who it is, and whom it is about."""
    officer = actor_of(cast.officer)
    case = by_form(kind=Kind.ERASURE, **more)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    link_subjects(actor=officer, case=case, subject_ids=[one.subject_id for one in studies])
    case.refresh_from_db()
    return case


def run_of(case: Case) -> DisposalRun:
    return DisposalRun.objects.get(pk=Erasure.objects.get(case=case).run_id)


def approve(cast: Cast, run: DisposalRun) -> DisposalRun:
    approve_run(actor=actor_of(cast.officer, fresh=True), run=run)
    return approve_run(actor=actor_of(cast.administrator, fresh=True), run=run)


def erased(cast: Cast, case: Case) -> None:
    """Planned, approved by two, and carried out to its end."""
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    carry_out(cast, case)


def carry_out(cast: Cast, case: Case) -> None:
    """Approve what is planned, and do it."""
    run = approve(cast, run_of(case))
    assert carried_out(run) is RunOutcome.DONE
    for job in Job.objects.filter(kind="dsar.erase", state="waiting"):
        assert run_job(job_id=job.pk) is RunOutcome.DONE


def said(case: Case) -> dict[tuple[str, str], int]:
    shown = erasure_of(case)
    assert shown is not None
    return {(line.fate.value, line.what): line.number for line in shown.lines}
