"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from dsar.services.copying import make_package
from dsar.services.documents import end_documents
from dsar.services.entries import LETTER
from dsar.services.erasing import ERASE, erase_rest
from dsar.services.letters import CONFIRMING, mail_confirmation, mail_person, mail_step
from dsar.services.packaging import MAKE, end_packages
from dsar.services.passing_on import TELL, tell_processors
from dsar.services.releasing_archive import RELEASE, make_release
from dsar.services.reminders import forget_drafts, remind_of_cases
from dsar.services.representing import PERSON_LETTER
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose

REMIND = "dsar.remind"
FORGET = "dsar.forget"
END_COPIES = "dsar.end_copies"
END_DOCUMENTS = "dsar.end_documents"


def register_jobs() -> None:
    """Make known what this room runs, and when."""
    job_kind(LETTER, label="Mail about a request")(_mail_step)
    job_kind(CONFIRMING, label="Mail to confirm a request")(_mail_confirmation)
    job_kind(PERSON_LETTER, label="Mail to somebody in whose name another asked")(_mail_person)
    job_kind(REMIND, label="Reminding of requests that are due")(_remind)
    job_kind(FORGET, label="Deleting requests that nobody confirmed")(_forget)
    job_kind(MAKE, label="Making a copy of what is held")(_make_package)
    job_kind(RELEASE, label="Releasing archived records")(_release_archived)
    job_kind(ERASE, label="Erasing what a request asks for")(_erase)
    job_kind(TELL, label="Telling processors of an erasure")(_pass_on)
    job_kind(END_COPIES, label="Deleting copies whose term is over")(_end_packages)
    job_kind(END_DOCUMENTS, label="Destroying papers of requests whose time is over")(
        _end_documents
    )
    hour = timedelta(hours=1)
    schedule_job(END_DOCUMENTS, kind=END_DOCUMENTS, every=hour, offset=timedelta(minutes=50))
    schedule_job(END_COPIES, kind=END_COPIES, every=hour, offset=timedelta(minutes=45))
    schedule_job(REMIND, kind=REMIND, every=hour, offset=timedelta(minutes=30))
    schedule_job(FORGET, kind=FORGET, every=hour, offset=timedelta(minutes=15))


@under(Purpose.RIGHTS, Category.REQUESTS)
def _mail_step(run: Run) -> None:
    mail_step(entry_id=UUID(run.payload["entry"]))


@under(Purpose.RIGHTS, Category.REQUESTS)
def _mail_confirmation(run: Run) -> None:
    mail_confirmation(draft_id=UUID(run.payload["draft"]))


@under(Purpose.RIGHTS, Category.REQUESTS)
def _mail_person(run: Run) -> None:
    mail_person(
        authority_id=UUID(run.payload["authority"]), what=run.payload["what"], letter_id=run.job_id
    )


@under(Purpose.RIGHTS, Category.REQUESTS)
def _remind(_run: Run) -> None:
    remind_of_cases()


@under(Purpose.RIGHTS, Category.REQUESTS)
def _forget(_run: Run) -> None:
    forget_drafts()


# What is held of every category: a right of the person, whatever the policy lists (GDPR Art. 15).
@under(Purpose.RIGHTS, *Category)
def _make_package(run: Run) -> None:
    make_package(run)


@under(Purpose.RIGHTS, *Category)
def _release_archived(run: Run) -> None:
    make_release(run)


@under(Purpose.RIGHTS, *Category)
def _erase(run: Run) -> None:
    erase_rest(run)


@under(Purpose.RIGHTS, Category.REQUESTS, Category.PROFESSIONAL)
def _pass_on(run: Run) -> None:
    tell_processors(run)


@under(Purpose.RIGHTS, Category.REQUESTS)
def _end_packages(_run: Run) -> None:
    end_packages()


@under(Purpose.RIGHTS, Category.REQUESTS)
def _end_documents(_run: Run) -> None:
    end_documents()
