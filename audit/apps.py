from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from jobs.services import Run


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit.rules.vocabulary import register_action
        from audit.services.seal import is_sealing_wanted, seal_all
        from jobs.rules.kinds import job_kind, schedule_job

        register_action("audit.read", "Trail read", verb="R", dicom="Audit Log Used")
        register_action("audit.exported", "Trail exported", verb="R", dicom="Audit Log Used")
        register_action("audit.verified", "Trail verified", dicom="Audit Log Used")

        @job_kind("audit.seal", label="Sealing the trail")
        def seal_trail(_run: Run) -> None:
            # Sealing is one transaction of its own, under its own lock, and safe to repeat.
            seal_all()

        schedule_job(
            "audit.seal",
            kind="audit.seal",
            every=timedelta(seconds=10),
            wanted=is_sealing_wanted,
        )
