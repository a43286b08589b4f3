"""Carrying out an approved run: each study a step at a time, until each is gone or kept.

Run by a job, whose row holds how far it is; any kill leaves every study in one of its steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.rules import Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from jobs.models import Job
from jobs.rules.states import MAY_PAUSE
from jobs.services import JobAborted, Run, pause_job
from jobs.services.run import Step as JobStep
from retention.models import DisposalItem, DisposalRun
from retention.rules.disposal import (
    APPROVAL_LASTS,
    CAN_STAY,
    ENDED,
    FINAL,
    MOST_TRIES,
    Fate,
    RunState,
    Step,
    steps_left,
)
from retention.rules.requests import tell_carried_out
from retention.services.anonymising import Copier, destroy_way_back, give_key
from retention.services.certificates import issue_certificate
from retention.services.clock import ClockJumped, require_clock
from retention.services.steps import advance, delete_files, keep_what_is_barred
from vault.rules.errors import VaultError

STOPPED = "disposal-stopped"
BEFORE_KEYS = CAN_STAY
AFTER_KEYS = FINAL - {Step.GONE}
# So many studies take a step together, and hold their organisation's lock for as long.
TOGETHER = 100


class Unfinished(Exception):
    """Some studies could not be finished; the job tries them again."""


def dispose(job: Run) -> None:
    """Carry a run on from where it is. Raises `Unfinished`, or `JobAborted` where it must stop."""
    run = DisposalRun.objects.get(pk=UUID(job.payload["run"]))
    try:
        _begin(job, run)
        _make_anonymous(job, run)
        # First the keys of all: from then on nothing of them can be read, whatever else takes long.
        for batch in _batches(_ready(run)):
            _take(job, run, batch, BEFORE_KEYS)
        for batch in _batches(_left(run, AFTER_KEYS)):
            _take(job, run, batch, AFTER_KEYS)
    except ClockJumped as jumped:
        _stop(run, str(jumped), "clock")
        raise JobAborted("clock") from None
    unfinished = run.items.exclude(step__in=ENDED)
    if unfinished.filter(tries__gte=MOST_TRIES).exists():
        _stop(run, f"{unfinished.count()} studies could not be finished", "unfinished")
        raise JobAborted("unfinished")
    if unfinished.exists():
        raise Unfinished
    # Of another database, so before the end is written down.
    destroy_way_back(run)
    with job.step(finish=True):
        _end(run)


def _begin(job: Run, run: DisposalRun) -> None:
    assert run.second_at is not None
    require_clock(not_before=run.second_at)
    if run.begun_at is None and timezone.now() - run.second_at > APPROVAL_LASTS:
        _stop(run, "the approvals are older than two weeks", "stale")
        raise JobAborted("stale")
    with job.step():
        fresh = run.begun_at is None
        now = timezone.now()
        run.state, run.begun_at = RunState.RUNNING.value, run.begun_at or now
        run.save(update_fields=["state", "begun_at"])
        give_key(run)
        if fresh:
            _write("disposal.begun", run, due=run.due)


def _make_anonymous(job: Run, run: DisposalRun) -> None:
    """Make the copies that the policy wants, of all studies before the first goes."""
    waiting = _to_copy(run)
    for at in range(0, len(waiting), TOGETHER):
        these = waiting[at : at + TOGETHER]
        with job.step() as step:
            before = _steps_left(these)
            keep_what_is_barred(these)
            step.save(advance=before - _steps_left(these))
    items = list(DisposalItem.objects.filter(pk__in=_to_copy(run)).select_related("run"))
    if not items:
        return
    assert run.second_at is not None
    with Copier(run) as copier:
        for item in copier.in_order(items):
            require_clock(not_before=run.second_at)
            try:
                copier.copy(job, item)
            except (VaultError, DatabaseError) as error:
                _note_failure(job, item.pk, type(error).__name__)


def _to_copy(run: DisposalRun) -> list[int]:
    rows = run.items.filter(step=Step.PLANNED, fate=Fate.ANONYMISE).order_by("id")
    return list(rows.values_list("pk", flat=True))


def _left(run: DisposalRun, at: Collection[Step]) -> list[int]:
    """The studies at such a step, by number; a run is bounded, so the list is."""
    rows = DisposalItem.objects.filter(run=run, step__in=at).order_by("id")
    return list(rows.values_list("pk", flat=True))


def _ready(run: DisposalRun) -> list[int]:
    """Of these with a key, what is not waiting for a copy that could not be made yet."""
    waiting = set(_to_copy(run))
    return [pk for pk in _left(run, BEFORE_KEYS) if pk not in waiting]


def _batches(item_ids: list[int]) -> Iterator[list[int]]:
    for at in range(0, len(item_ids), TOGETHER):
        yield item_ids[at : at + TOGETHER]


def _take(job: Run, run: DisposalRun, item_ids: list[int], through: Collection[Step]) -> None:
    """Take studies through these steps together; if one fails, each by itself."""
    assert run.second_at is not None
    going = item_ids
    while going:
        require_clock(not_before=run.second_at)
        try:
            deleted = delete_files(going) if through is AFTER_KEYS else set()
            with job.step() as step:
                before = _steps_left(going)
                items = advance(going, deleted)
                # Whoever stays has no steps left: the progress comes to its end as well.
                step.save(advance=before - _steps_left(going))
                _note_what_is_left(step, items)
        except (VaultError, DatabaseError) as error:
            if len(going) == 1:
                return _note_failure(job, going[0], type(error).__name__)
            for item_id in going:
                _take(job, run, [item_id], through)
            return None
        going = [item.pk for item in items if item.step in through and not item.failure]
    return None


def _steps_left(item_ids: list[int]) -> int:
    rows = DisposalItem.objects.filter(pk__in=item_ids).values_list("step", "fate")
    return sum(steps_left(Step(step), Fate(fate)) for step, fate in rows)


def _note_what_is_left(step: JobStep, items: list[DisposalItem]) -> None:
    """Of what was looked for and found although it should be gone."""
    for item in items:
        if item.step == Step.ROWS_DELETED and item.failure:
            item.tries += 1
            item.save(update_fields=["failure", "tries"])
            step.fail_item(what=item.study_uid, why=item.failure)


def _note_failure(job: Run, item_id: int, why: str) -> None:
    with job.step() as step:
        item = DisposalItem.objects.select_for_update().get(pk=item_id)
        item.failure, item.tries = why, item.tries + 1
        item.save(update_fields=["failure", "tries"])
        step.fail_item(what=item.study_uid, why=why)


def stop_after_restore() -> int:
    """Let no disposal go on that was approved before a backup: it may have been cancelled since,
    or something of it held, and both would be lost. Returns how many were stopped."""
    rows = DisposalRun.objects.filter(state__in=[RunState.APPROVED, RunState.RUNNING])
    going = list(rows.order_by("pk"))
    for run in going:
        waiting = Job.objects.filter(pk=run.job_id, state__in=MAY_PAUSE)
        if job := waiting.first():
            pause_job(job_id=job.pk)
        _stop(run, "the portal was restored, and holds that were placed since are lost", "restored")
    return len(going)


@transaction.atomic
def _stop(run: DisposalRun, why: str, code: str) -> None:
    """Let nothing go on until a person has looked."""
    row = DisposalRun.objects.select_for_update().get(pk=run.pk)
    row.state, row.stopped_for = RunState.STOPPED.value, why
    row.save(update_fields=["state", "stopped_for"])
    record(
        action="disposal.stopped", actor=system_ref(), organisation_id=row.organisation_id,
        outcome="failed", reason=code, target=("disposal", str(row.pk)),
        details={"number": row.number},
    )  # fmt: skip
    people = people_with([row.organisation_id], Role.OFFICER, Role.ADMINISTRATOR)
    notify(users=people, template=STOPPED, target_id=row.number)


def _end(run: DisposalRun) -> None:
    """End a run whose every study is gone or kept, with its certificate."""
    row = DisposalRun.objects.select_for_update().get(pk=run.pk)
    row.state, row.ended_at = RunState.DONE.value, timezone.now()
    row.save(update_fields=["state", "ended_at"])
    gone = row.items.filter(step=Step.GONE).count()
    _write("disposal.finished", row, gone=gone, kept=row.items.count() - gone)
    if gone:
        issue_certificate(run=row)
    if row.request_id is not None:
        tell_carried_out(row.request_id)


def _write(action: str, run: DisposalRun, **details: Any) -> None:
    record(
        action=action, actor=system_ref(), organisation_id=run.organisation_id,
        target=("disposal", str(run.pk)), details={"number": run.number, **details},
    )  # fmt: skip
