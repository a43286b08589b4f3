from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from jobs.services import Run


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import inventory
        from accounts.actions import ACTIONS
        from accounts.services.password_reset import SEND_LINK, send_reset_link
        from audit.rules.vocabulary import register_action
        from jobs.rules.kinds import job_kind

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        inventory.register()

        @job_kind(SEND_LINK, label="Sending a link for a new password")
        def send_link(run: Run) -> None:
            send_reset_link(user_id=run.payload["user_id"])
