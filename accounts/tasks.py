"""Work of this room that outlives a request: ids in, a service called, safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from accounts.services.agreements import TELL, mail_partners
from accounts.services.email_change import LETTERS, send_letters
from accounts.services.housekeeping import forget_technical_records
from accounts.services.notifications import MAIL, mail_batch
from accounts.services.password_reset import SEND_LINK, send_reset_link
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import Run
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose

FORGET = "accounts.forget"


def register_jobs() -> None:
    """Make known what this room runs, and when."""
    mail = under(Purpose.COMMUNICATION, Category.ACCOUNT, Category.COMMUNICATIONS)
    job_kind(MAIL, label="Sending mail")(mail(mail_batch))
    tell = under(Purpose.LEGAL_OBLIGATION, Category.PROFESSIONAL)
    job_kind(TELL, label="Telling partners of a change of the policy")(tell(mail_partners))
    job_kind(SEND_LINK, label="Sending a link for a new password")(_send_link)
    job_kind(LETTERS, label="Telling of a change of address")(_change_letters)
    job_kind(FORGET, label="Deleting technical records that have had their time")(_forget)
    schedule_job(FORGET, kind=FORGET, every=timedelta(days=1), offset=timedelta(hours=3))


@under(Purpose.AUTHENTICATION, Category.ACCOUNT)
def _send_link(run: Run) -> None:
    send_reset_link(user_id=run.payload["user_id"])


@under(Purpose.AUTHENTICATION, Category.ACCOUNT)
def _change_letters(run: Run) -> None:
    send_letters(change_id=UUID(run.payload["change"]), about=run.payload["about"])


@under(Purpose.SECURITY, Category.TECHNICAL)
def _forget(_run: Run) -> None:
    forget_technical_records()
