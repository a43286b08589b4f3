"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta

import structlog

from accounts.models import Organisation
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from retention.services.approving import DISPOSE
from retention.services.archiving import archive_by_schedule, shut_what_is_open
from retention.services.clock import ClockJumped, mark_clock
from retention.services.closing_organisation import CLOSE, archive_organisation
from retention.services.disposing import dispose
from retention.services.holds import remind_of_reviews
from retention.services.planning import plan_disposal
from retention.services.records import purge_records

PLAN = "retention.plan"
WATCH = "retention.watch"
ARCHIVE = "retention.archive"
RECORDS = "retention.records"
# What ends by a term, of every kind; patients' images and reports go another way.
_RECORDS = (
    Category.ACCOUNT, Category.CREDENTIALS, Category.PROFESSIONAL, Category.CONSENT,
    Category.COMMUNICATIONS, Category.REQUESTS, Category.BILLING, Category.TECHNICAL,
)  # fmt: skip
log = structlog.get_logger(__name__)


def register_jobs() -> None:
    """Make known what this room runs, and when."""
    job_kind(DISPOSE, label="Disposing of studies", max_attempts=20)(_dispose)
    job_kind(PLAN, label="Planning disposal", lease=timedelta(minutes=10))(_plan)
    job_kind(WATCH, label="Watching the clock, and holds that are to be looked at again")(_watch)
    job_kind(RECORDS, label="Deleting records whose time is over", lease=timedelta(minutes=10))(
        _purge_records
    )
    job_kind(CLOSE, label="Closing an organisation", max_attempts=20)(_close_organisation)
    job_kind(ARCHIVE, label="Putting studies into the legal archive")(_archive)
    # In the small hours of Europe and America, when few look at images.
    schedule_job(PLAN, kind=PLAN, every=timedelta(days=1), offset=timedelta(hours=2))
    schedule_job(ARCHIVE, kind=ARCHIVE, every=timedelta(days=1), offset=timedelta(hours=1))
    schedule_job(
        RECORDS, kind=RECORDS, every=timedelta(days=1), offset=timedelta(hours=3, minutes=30)
    )
    schedule_job(WATCH, kind=WATCH, every=timedelta(hours=1), offset=timedelta(minutes=45))


@under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def _dispose(run: Run) -> None:
    dispose(run)


@under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def _plan(_run: Run) -> None:
    for organisation in Organisation.objects.filter(is_active=True).order_by("slug"):
        try:
            plan_disposal(organisation=organisation)
        except ClockJumped:
            # It is in the trail; every other organisation would see the same clock.
            log.warning("disposal.clock_jumped")
            return


@under(Purpose.LEGAL_OBLIGATION, *_RECORDS)
def _purge_records(_run: Run) -> None:
    for organisation in Organisation.objects.order_by("slug"):
        try:
            purge_records(organisation=organisation)
        except ClockJumped:
            log.warning("records.clock_jumped")
            return


@under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def _close_organisation(run: Run) -> None:
    archive_organisation(run)


@under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def _archive(_run: Run) -> None:
    shut_what_is_open()
    for organisation in Organisation.objects.filter(is_active=True).order_by("slug"):
        archive_by_schedule(organisation=organisation)


@under(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def _watch(_run: Run) -> None:
    if mark_clock():
        log.warning("disposal.clock_jumped")
    remind_of_reviews()
