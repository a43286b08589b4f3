"""Work of this room by night: make, rotate, keep the ledgers, and say when a drill is overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from backups.rules.messages import DRILL_DUE
from backups.rules.refusals import BackupRefused
from backups.selectors import is_drill_overdue, makes_backups
from backups.services.hardware import remind_of_devices
from backups.services.ledgers import refresh_ledgers
from backups.services.making import make_backup, places_named
from backups.services.recovery import remind_of_plans
from backups.services.register import tell_administrators
from backups.services.rotating import rotate_backups
from jobs.rules.kinds import job_kind, schedule_job
from jobs.services import JobAborted
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose

if TYPE_CHECKING:
    from jobs.services import Run

MAKE, ROTATE, LEDGERS = "backups.make", "backups.rotate", "backups.ledgers"
log = structlog.get_logger(__name__)


def register_jobs() -> None:
    """Make known what this room runs, and when."""

    @job_kind(MAKE, label="Making a backup", max_attempts=2, lease=timedelta(minutes=30))
    @under(Purpose.SECURITY, *CARE_DATA)
    def make(_run: Run) -> None:
        try:
            make_backup(places_named(), made_by="job")
        except BackupRefused as refusal:
            log.error("backup.refused", why=str(refusal))  # noqa: TRY400 - a sentence of ours
            raise JobAborted("backup-refused") from None

    @job_kind(ROTATE, label="Ending backups whose time is over", lease=timedelta(minutes=30))
    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def rotate(_run: Run) -> None:
        done = rotate_backups(by="job")
        if done.unreached:
            log.warning("backup.out_of_reach", why=done.unreached[0], times=len(done.unreached))
        if is_drill_overdue():
            tell_administrators(DRILL_DUE, at_most_every=timedelta(days=7))
        remind_of_devices()
        remind_of_plans()

    @job_kind(LEDGERS, label="Writing ledgers beside the backups")
    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def ledgers(_run: Run) -> None:
        refresh_ledgers()

    # After disposals are planned and projects ended, which begin at two.
    schedule_job(
        MAKE, kind=MAKE, every=timedelta(days=1), offset=timedelta(hours=3),
        wanted=lambda: bool(settings.BACKUP_URL and settings.BACKUP_KEYS_URL),
    )  # fmt: skip
    # Without backups too: it reminds of hardware that nobody has destroyed.
    schedule_job(ROTATE, kind=ROTATE, every=timedelta(days=1), offset=timedelta(hours=5))
    # What happens between two of these and the loss of the machine comes back with a restore.
    schedule_job(LEDGERS, kind=LEDGERS, every=timedelta(minutes=10), wanted=makes_backups)
