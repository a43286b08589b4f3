"""Acts on jobs."""

from jobs.services.control import (
    JobStateRefused,
    cancel_job,
    pause_job,
    resume_job,
    retry_job,
)
from jobs.services.create import PayloadRefused, create_job, ring_job
from jobs.services.run import JobAborted, LeaseLost, Run, RunOutcome, run_job
from jobs.services.sweep import Swept, sweep_jobs

__all__ = [
    "JobAborted",
    "JobStateRefused",
    "LeaseLost",
    "PayloadRefused",
    "Run",
    "RunOutcome",
    "Swept",
    "cancel_job",
    "create_job",
    "pause_job",
    "resume_job",
    "retry_job",
    "ring_job",
    "run_job",
    "sweep_jobs",
]
