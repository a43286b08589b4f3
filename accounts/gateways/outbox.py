"""Mail of the embedded default: kept in memory-sized files for the outbox page, sent nowhere."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

KEEP = 100


class OutboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = settings.EMAIL_OUTBOX_DIR
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            now = timezone.now()
            letter = {
                "to": message.to,
                "subject": message.subject,
                "body": message.body,
                "at": now.isoformat(),
            }
            name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.json"
            (folder / name).write_text(json.dumps(letter), encoding="utf-8")
        for old in sorted(folder.glob("*.json"))[:-KEEP]:
            old.unlink(missing_ok=True)
        return len(email_messages)


def read_outbox() -> list[dict]:
    folder = settings.EMAIL_OUTBOX_DIR
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))[::-1]]
