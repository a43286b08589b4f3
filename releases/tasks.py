"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.rules.kinds import job_kind, schedule_job
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from releases.services.building import build_project
from releases.services.ending import END, END_DUE, end_due_projects, finish_end
from releases.services.projects import BUILD

if TYPE_CHECKING:
    from jobs.services import Run


def register_jobs() -> None:
    """Make known what this room runs, and when."""

    # 45 CFR 164.501: making data without people in it is part of running the organisation.
    @job_kind(BUILD, label="De-identifying the images of a release project")
    @under(Purpose.OPERATIONS, Category.IMAGES, Category.IDENTITY, Category.MEDICAL)
    def build(run: Run) -> None:
        build_project(run)

    @job_kind(END, label="Ending a release project")
    @under(Purpose.LEGAL_OBLIGATION, Category.DEIDENTIFIED)
    def end(run: Run) -> None:
        finish_end(run)

    @job_kind(END_DUE, label="Ending release projects whose last day has passed")
    @under(Purpose.LEGAL_OBLIGATION, Category.DEIDENTIFIED)
    def end_due(_run: Run) -> None:
        end_due_projects()

    schedule_job(END_DUE, kind=END_DUE, every=timedelta(days=1), offset=timedelta(hours=2))
