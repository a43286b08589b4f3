"""Letters out: each is a sentence and a link to the portal, under an id of its own."""

from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.utils import DNS_NAME


class MailFailed(Exception):
    """The mail server did not take the letter; `code` says why, `final` that it never will."""

    def __init__(self, code: str, *, final: bool = False) -> None:
        super().__init__(code)
        self.code, self.final = code, final


def send_letter(*, letter_id: UUID, to: str, title: str, body: str, opt_out: str = "") -> None:
    """Send one letter.

    Its Message-ID follows from `letter_id`: if a worker dies between sending and writing that
    down, the second copy is known as the same letter. `opt_out` is the address of
    one-click unsubscription (RFC 8058). Raises `MailFailed`, which names nobody.
    """
    headers = {"Message-ID": f"<{letter_id}@{DNS_NAME}>", "Auto-Submitted": "auto-generated"}
    if opt_out:
        headers["List-Unsubscribe"] = f"<{opt_out}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter = EmailMessage(title, body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)
    try:
        letter.send()
    except SMTPRecipientsRefused:
        raise MailFailed("recipient-refused", final=True) from None
    except (SMTPException, OSError):
        raise MailFailed("server-failed") from None
