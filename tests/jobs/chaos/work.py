from __future__ import annotations

import time
from datetime import timedelta

from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from tests.jobs.chaos import STEPS
from tests.jobs.chaos.models import Effect

PAUSE = 0.05


@job_kind("chaos.work", max_attempts=1000, lease=timedelta(seconds=2))
def work(run: Run) -> None:
    for step in range(run.cursor.get("step", 0), STEPS):
        # A kill may fall before, inside and after the transaction of the step.
        time.sleep(PAUSE)
        with run.step(cursor={"step": step + 1}, advance=1, total=STEPS):
            Effect.objects.create(job_id=run.job_id, step=step)
            time.sleep(PAUSE / 5)


@job_kind("chaos.tick", max_attempts=1000, lease=timedelta(seconds=2))
def tick(run: Run) -> None:
    with run.step(finish=True):
        Effect.objects.create(job_id=run.job_id, step=0)


schedule_job("chaos.tick", kind="chaos.tick", every=timedelta(seconds=2))
