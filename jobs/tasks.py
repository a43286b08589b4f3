"""Doors through which Celery reaches the jobs: an id comes in, the row says what is to do."""

from __future__ import annotations

from uuid import UUID

from config.celery import app
from config.restoring import is_restoring
from jobs.services import run_job, sweep_jobs


@app.task(name="jobs.run")  # type: ignore[untyped-decorator]
def run(job_id: str) -> None:
    # Its row stays, and is rung for again once what was restored is what it should be.
    if not is_restoring():
        run_job(job_id=UUID(job_id))


@app.task(name="jobs.sweep", expires=30)  # type: ignore[untyped-decorator]
def sweep() -> None:
    if not is_restoring():
        sweep_jobs()
