"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.rules.kinds import job_kind, schedule_job
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from studies.services.integrity import CHECK, check_blobs
from studies.services.sweeping import sweep_store

if TYPE_CHECKING:
    from jobs.services import Run

SWEEP = "studies.sweep"
# A file of gigabytes may outlast the time that a run gives itself.
CHECK_LEASE = timedelta(minutes=60)


def register_jobs() -> None:
    """Make known what this room runs, and when."""

    @job_kind(SWEEP, label="Looking for leftovers in the store", lease=timedelta(minutes=30))
    @under(Purpose.OPERATIONS, Category.IMAGES)
    def sweep(_run: Run) -> None:
        sweep_store()

    @job_kind(CHECK, label="Reading stored files, to see that they are whole", lease=CHECK_LEASE)
    @under(Purpose.SECURITY, Category.IMAGES)
    def check(_run: Run) -> None:
        check_blobs()

    schedule_job(CHECK, kind=CHECK, every=timedelta(hours=1), offset=timedelta(minutes=37))
    schedule_job(SWEEP, kind=SWEEP, every=timedelta(hours=6), offset=timedelta(minutes=17))
