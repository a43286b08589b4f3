"""What people decide about a run: two of them approve it, and it can be stopped at any time."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from jobs.models import Job
from jobs.rules.states import MAY_PAUSE, MAY_RESUME, MAY_RETRY
from jobs.services import create_job, pause_job, resume_job, retry_job
from retention.models import DisposalItem, DisposalRun
from retention.permissions import can_approve
from retention.rules.disposal import (
    APPROVAL_LASTS,
    CAN_STAY,
    STEPS_OF_ONE,
    UNDER_WAY,
    Act,
    Kept,
    RunState,
    Step,
    refusal_of,
    refusal_to_approve,
)
from retention.services.clock import ClockJumped, require_clock
from retention.services.holds import lock_organisation
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from retention.services.steps import keep_item

DISPOSE = "retention.dispose"
_APPROVAL = [
    "first_by", "first_at", "second_by", "second_at", "state", "job_id", "destroys_doubtful",
]  # fmt: skip


@transaction.atomic
def approve_run(
    *, actor: Actor, run: DisposalRun, destroys_doubtful: bool | None = None
) -> DisposalRun:
    """Approve what the plan shows. The second person's approval starts it.

    The first says what becomes of studies that cannot be made anonymous as a whole: they stay, or
    they go. The second approves what the first said.
    """
    row = _locked(actor, run, Act.APPROVE)
    _require_fresh(actor)
    try:
        require_clock(not_before=row.planned_at)
    except ClockJumped as jumped:
        raise RetentionRefused(f"The clock has to be looked at first: {jumped}.") from None
    now = timezone.now()
    if row.first_at is not None and now - row.first_at > APPROVAL_LASTS:
        row.first_by, row.first_at = None, None
    if refusal := refusal_to_approve(first_id=row.first_by_id, approver_id=actor.user_id):
        raise RetentionRefused(refusal)
    if row.first_by_id is None:
        row.first_by_id, row.first_at, row.state = actor.user_id, now, RunState.APPROVED_ONCE.value
        row.destroys_doubtful = bool(destroys_doubtful)
    elif destroys_doubtful not in (None, row.destroys_doubtful):
        raise RetentionRefused("The first approval was of something else. Look at the run again.")
    else:
        _require_alone(row)
        row.second_by_id, row.second_at, row.state = actor.user_id, now, RunState.APPROVED.value
        row.job_id = create_job(
            kind=DISPOSE, natural_key=f"run:{row.pk}", payload={"run": row.pk},
            organisation_id=row.organisation_id, created_by_id=actor.user_id,
            total=row.due * STEPS_OF_ONE + row.anonymised,
        ).id  # fmt: skip
    row.save(update_fields=_APPROVAL)
    nth = 2 if row.second_by_id else 1
    doubtful = {"destroys_doubtful": row.destroys_doubtful} if row.anonymised else {}
    _write("disposal.approved", actor, row, nth=nth, due=row.due, digest=row.digest, **doubtful)
    return row


@transaction.atomic
def reject_run(*, actor: Actor, run: DisposalRun) -> DisposalRun:
    """Say no to a plan: nothing of it is destroyed. The next night plans anew."""
    row = _locked(actor, run, Act.REJECT)
    row.state, row.ended_by_id, row.ended_at = (
        RunState.REJECTED.value, actor.user_id, timezone.now(),
    )  # fmt: skip
    row.save(update_fields=["state", "ended_by", "ended_at"])
    _write("disposal.rejected", actor, row)
    return row


@transaction.atomic
def pause_run(*, actor: Actor, run: DisposalRun) -> DisposalRun:
    """Stop after the present step. What has lost its key is finished when it goes on."""
    row = _locked(actor, run, Act.PAUSE)
    job = _job_of(row)
    if job.state in MAY_PAUSE:
        pause_job(job_id=job.id)
    return _moved(actor, row, RunState.PAUSED, "disposal.paused")


@transaction.atomic
def resume_run(*, actor: Actor, run: DisposalRun) -> DisposalRun:
    """Go on from where it stopped; what failed is tried again."""
    row = _locked(actor, run, Act.RESUME)
    _require_fresh(actor)
    row.items.exclude(failure="").update(failure="", tries=0)
    row.stopped_for = ""
    row.save(update_fields=["stopped_for"])
    _restart(row)
    return _moved(actor, row, RunState.RUNNING, "disposal.resumed")


@transaction.atomic
def cancel_run(*, actor: Actor, run: DisposalRun) -> DisposalRun:
    """Keep all whose key is there; what has none any more can only be finished, and is."""
    row = _locked(actor, run, Act.CANCEL)
    waiting = row.items.select_for_update().filter(step__in=CAN_STAY)
    for item in waiting:
        keep_item(item, Kept.CANCELLED)
    row.ended_by_id, row.stopped_for = actor.user_id, ""
    row.save(update_fields=["ended_by", "stopped_for"])
    _restart(row)
    return _moved(actor, row, RunState.RUNNING, "disposal.cancelled")


def _require_alone(run: DisposalRun) -> None:
    """One after the other: what one destroys is looked at by the next before it begins."""
    others = DisposalRun.objects.filter(organisation_id=run.organisation_id, state__in=UNDER_WAY)
    if other := others.first():
        raise RetentionRefused(
            f"Run {other.number} is under way. Approve this one when that has ended."
        )


def _restart(run: DisposalRun) -> None:
    job = _job_of(run)
    if job.state in MAY_RESUME:
        resume_job(job_id=job.id)
    elif job.state in MAY_RETRY:
        retry_job(job_id=job.id)


def _job_of(run: DisposalRun) -> Job:
    return Job.objects.get(pk=run.job_id)


def _moved(actor: Actor, run: DisposalRun, state: RunState, action: str) -> DisposalRun:
    run.state = state.value
    run.save(update_fields=["state"])
    left = DisposalItem.objects.filter(run=run, step=Step.PLANNED).count()
    _write(action, actor, run, left=left)
    return run


def _locked(actor: Actor, run: DisposalRun, act: Act) -> DisposalRun:
    if not can_approve(actor, run.organisation_id):
        raise NotYours("Only privacy officers and administrators decide about disposal.")
    lock_organisation(run.organisation_id)
    row = DisposalRun.objects.select_for_update().get(pk=run.pk)
    if refusal := refusal_of(act, RunState(row.state)):
        raise RetentionRefused(refusal)
    return row


def _require_fresh(actor: Actor) -> None:
    if not actor.is_fresh(timezone.now()):
        raise ProveAgain("Prove again that it is you, then decide.")


def _write(action: str, actor: Actor, run: DisposalRun, **details: object) -> None:
    record(
        action=action, actor=actor, organisation_id=run.organisation_id,
        target=("disposal", str(run.pk)), details={"number": run.number, **details},
    )  # fmt: skip
