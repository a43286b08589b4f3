"""Work of this room that outlives a request."""

from __future__ import annotations

from datetime import timedelta

from incidents.services.reminders import remind_of_incidents
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose

REMIND = "incidents.remind"


def register_jobs() -> None:
    """Make known what this room runs, and when."""
    job_kind(REMIND, label="Reminding of incidents that others have to be told of")(_remind)
    # Clocks of hours: each quarter of an hour somebody could be late.
    schedule_job(REMIND, kind=REMIND, every=timedelta(minutes=15), offset=timedelta(minutes=5))


@under(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT)
def _remind(_run: Run) -> None:
    remind_of_incidents()
