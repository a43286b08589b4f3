"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta

from disclosures.services.noticing import end_prohibitions
from disclosures.services.packaging import end_packages, make_package
from disclosures.services.releasing import PACKAGE, escalate_reviews
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose

END_PACKAGES = "disclosures.end_packages"
NOTICES = "disclosures.notices"
REVIEWS = "disclosures.reviews"


def register_jobs() -> None:
    """Make known what this room runs, and when."""
    job_kind(PACKAGE, label="Making the package of a disclosure under law")(_make_package)
    job_kind(END_PACKAGES, label="Deleting packages of disclosures whose term is over")(_end)
    job_kind(NOTICES, label="Giving notices whose prohibition has ended")(_notices)
    job_kind(REVIEWS, label="Looking for late reviews of emergencies")(_reviews)
    hour = timedelta(hours=1)
    schedule_job(END_PACKAGES, kind=END_PACKAGES, every=hour, offset=timedelta(minutes=40))
    schedule_job(NOTICES, kind=NOTICES, every=hour, offset=timedelta(minutes=10))
    schedule_job(REVIEWS, kind=REVIEWS, every=hour, offset=timedelta(minutes=20))


# What an order can name is of every category; it is law that asks for it.
@under(Purpose.LEGAL_OBLIGATION, *Category)
def _make_package(run: Run) -> None:
    make_package(run)


@under(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def _end(_run: Run) -> None:
    end_packages()


@under(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def _notices(_run: Run) -> None:
    end_prohibitions()


@under(Purpose.LEGAL_OBLIGATION, Category.REQUESTS)
def _reviews(_run: Run) -> None:
    escalate_reviews()
