"""Erasure for a request: a plan of all rooms, two approvals, the disposal, and then the rest.

Studies go through retention's disposal, where two people approve what is shown to them. What is
left to do in the rooms follows by a job, a room at a time; then the case can be answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from dsar.models import Case, Erasure
from dsar.rules.erasure import (
    ErasureState,
    identity_lines,
    in_order,
    packed,
    refusal_to_plan,
    study_lines,
    unpacked,
)
from dsar.rules.kinds import Kind
from dsar.rules.states import Act
from dsar.selectors import people_working_on
from dsar.selectors.identity import is_identified
from dsar.services.collecting import collect, whose_of
from dsar.services.entries import CaseRefused, for_officer, write_entry, write_event
from dsar.services.passing_on import pass_on
from jobs.services import Run, create_job
from policies.rules.erasing import Erased, Line, erasers
from policies.rules.holdings import Whose
from retention.models import Certificate, DisposalItem, DisposalRun
from retention.rules.disposal import KEPT_LABELS, Kept, RunState, Step
from retention.rules.duties import DUTIES
from retention.services.certificates import issue_certificate
from retention.services.erasing import plan_erasure
from studies.models import Study

ERASE = "dsar.erase"
CARRIED_OUT = "request-erased"


@transaction.atomic
def plan_case_erasure(*, actor: Actor, case: Case) -> Erasure:
    """Plan what the request asks for, in every room; nothing is touched yet. Repeated: anew."""
    row = for_officer(actor, case, Act.ERASE)
    whose = whose_of(row)
    refusal = refusal_to_plan(
        Kind(row.kind), is_identified=is_identified(row),
        knows_whom=bool(whose.subject_ids or whose.user_id), is_complete=collect(whose).is_complete,
    )  # fmt: skip
    if refusal:
        raise CaseRefused(refusal)
    beside = lines_beside(whose)
    run = plan_erasure(
        actor=actor, organisation=row.organisation, request_id=row.pk,
        subject_ids=whose.subject_ids, beside=[_sentence(line) for line in beside],
    )  # fmt: skip
    erasure, _ = Erasure.objects.update_or_create(
        case=row,
        defaults={
            "run_id": run.pk, "state": ErasureState.PLANNED.value, "planned_by_id": actor.user_id,
            "planned_at": timezone.now(), "lines": packed(in_order([*lines_of_run(run), *beside])),
            "subject_ids": [str(one) for one in sorted(whose.subject_ids)],
        },
    )  # fmt: skip
    write_entry(row, Act.ERASE, by=actor, code="planned", shown=False)
    write_event("request.erasure_planned", row, actor=actor, run=run.number, due=run.due)
    return erasure


def _sentence(line: Line) -> str:
    words = f"{line.fate.label}: {line.what}, {line.number}"
    return f"{words} ({line.why})" if line.why else words


def lines_beside(whose: Whose) -> list[Line]:
    """What becomes of all that is no study, in every room."""
    return in_order(line for eraser in erasers() for line in eraser.plan(whose))


def lines_of_run(run: DisposalRun) -> list[Line]:
    """What becomes of the studies and of what is known of their patients, as it stands now."""
    items = list(run.items.all())
    kept = [item for item in items if item.step == Step.KEPT]
    reasons = Counter(_why(item) for item in kept)
    lines = list(study_lines(len(items) - len(kept), dict(sorted(reasons.items()))))
    staying = Study.objects.filter(
        organisation_id=run.organisation_id, uid__in=[item.study_uid for item in kept]
    ).values_list("subject_id", flat=True)
    return [*lines, *identity_lines(_subjects_of(run), len(set(staying)))]


def _subjects_of(run: DisposalRun) -> int:
    assert run.request_id is not None
    erasure = Erasure.objects.filter(case_id=run.request_id, run_id=run.pk).first()
    if erasure is not None:
        return len(erasure.subject_ids)
    return Case.objects.get(pk=run.request_id).subjects.count()


def _why(item: DisposalItem) -> str:
    words = KEPT_LABELS[Kept(item.kept_for)]
    duty = DUTIES.get(item.duty)
    return f"{words}: {duty.law}, {duty.cites}" if item.kept_for == Kept.LAW and duty else words


# Carrying it out ---------------------------------------------------------------------------------
def note_disposal_ended(request_id: UUID) -> None:
    """Go on when the studies are gone; called in the transaction that ends their disposal."""
    erasure = Erasure.objects.select_for_update().filter(case_id=request_id).first()
    if erasure is None:
        return
    run = DisposalRun.objects.get(pk=erasure.run_id)
    # Whoever cancelled it took the decision back.
    state = ErasureState.RUNNING if run.ended_by_id is None else ErasureState.NOT_DONE
    erasure.state = state.value
    if state is ErasureState.RUNNING:
        erasure.job_id = create_job(
            kind=ERASE, natural_key=f"erase:{run.pk}", payload={"erasure": str(erasure.pk)},
            organisation_id=run.organisation_id,
        ).pk  # fmt: skip
    erasure.save(update_fields=["state", "job_id"])


def erase_rest(job: Run) -> None:
    """Let every room do its part, one after the other. Safe to repeat."""
    erasure = Erasure.objects.select_related("case").get(pk=UUID(job.payload["erasure"]))
    if erasure.state != ErasureState.RUNNING:
        return
    run = DisposalRun.objects.get(pk=erasure.run_id)
    erased = Erased(_whose(erasure), erasure.case_id, _gone(run))
    done = job.cursor.get("done", 0)
    parts = erasers()
    for number, eraser in enumerate(parts[done:], start=done + 1):
        with job.step(cursor={"done": number}, advance=1, total=len(parts)):
            eraser.carry_out(erased)
    with job.step(finish=True):
        _finish(erasure, run)


def carried_out_erasures() -> Iterator[Erased]:
    """Every erasure that was carried out, the first first: what a restore has to do again."""
    done = Erasure.objects.filter(state=ErasureState.DONE).select_related("case")
    for erasure in done.order_by("carried_out_at"):
        run = DisposalRun.objects.get(pk=erasure.run_id)
        yield Erased(_whose(erasure), erasure.case_id, _gone(run))


def _whose(erasure: Erasure) -> Whose:
    """As it was approved: nobody was added since."""
    ids = frozenset(UUID(one) for one in erasure.subject_ids)
    return replace(whose_of(erasure.case), subject_ids=ids)


def _gone(run: DisposalRun) -> frozenset[str]:
    return frozenset(run.items.filter(step=Step.GONE).values_list("study_uid", flat=True))


def _finish(erasure: Erasure, run: DisposalRun) -> None:
    beside = [line for line in unpacked(erasure.lines) if not _is_of_run(line)]
    erasure.state, erasure.carried_out_at = ErasureState.DONE.value, timezone.now()
    erasure.lines = packed(in_order([*lines_of_run(run), *beside]))
    erasure.save(update_fields=["state", "carried_out_at", "lines"])
    case = erasure.case
    if not Certificate.objects.filter(run=run).exists():
        # No study went: the disposal had nothing to certify.
        issue_certificate(run=run)
    write_entry(case, Act.ERASE, by=None, code="done")
    pass_on(erasure)
    record(
        action="request.erased", actor=system_ref(), organisation_id=case.organisation_id,
        target=("request", str(case.pk)), details={"kind": case.kind, "run": run.number},
    )  # fmt: skip
    notify(users=people_working_on(case), template=CARRIED_OUT,
           target_id=case.number)  # fmt: skip


def _is_of_run(line: Line) -> bool:
    return line.what in {one.what for one in (*study_lines(1, {}), *identity_lines(1, 0))}


# Looking at it -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shown:
    """An erasure as pages show it: how it stands, what becomes of what, and the proof."""

    erasure: Erasure
    state: ErasureState
    run: DisposalRun
    lines: list[Line]

    @property
    def certificate(self) -> Certificate | None:
        return getattr(self.run, "certificate", None)

    @property
    def certificate_number(self) -> int | None:
        return self.certificate.number if self.certificate else None


def erasure_of(case: Case) -> Shown | None:
    erasure = Erasure.objects.filter(case=case).first()
    if erasure is None:
        return None
    run = DisposalRun.objects.select_related("certificate", "first_by", "second_by").get(
        pk=erasure.run_id
    )
    return Shown(erasure, state_of(erasure, run), run, unpacked(erasure.lines))


def state_of(erasure: Erasure, run: DisposalRun) -> ErasureState:
    """As its disposal stands: rejected, replaced by none, or begun."""
    if erasure.state != ErasureState.PLANNED:
        return ErasureState(erasure.state)
    if run.state == RunState.REJECTED:
        return ErasureState.NOT_DONE
    if run.state in {RunState.PLANNED, RunState.APPROVED_ONCE}:
        return ErasureState.PLANNED
    return ErasureState.RUNNING


def standing_of_erasure(case: Case) -> ErasureState | None:
    shown = erasure_of(case)
    return shown.state if shown is not None else None
