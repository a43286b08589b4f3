"""Mail to people without an account: a sentence and a link that opens their case."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.gateways.post import MailFailed, send_letter
from accounts.rules.messages import template_named
from dsar.models import Authority, CaseEntry, RequestDraft
from dsar.rules.letters import ANSWERED_TO_YOU, CONFIRM, IN_YOUR_NAME, template_of
from dsar.sealing import OpenCase, open_draft
from dsar.selectors import confirm_token, read_token
from dsar.selectors.agents import person_token

CONFIRMING = "dsar.confirming"
ANSWERED = "answered"
_PERSON_FOOT = "--\nCollimate sends this because a request was made in your name.\n"
_FOOT = "--\nCollimate sends this because of a request that was made with this address.\n"


def mail_step(*, entry_id: UUID) -> None:
    """Mail what a step of a case has to tell. Sent twice, it is known as the same letter."""
    entry = CaseEntry.objects.select_related("case", "case__organisation").get(pk=entry_id)
    if entry.told != "mailing":
        return
    template = template_named(template_of(entry.act, entry.case.kind))
    link = settings.PUBLIC_URL + reverse("dsar:read", args=[read_token(entry.case)])
    failed = _send(entry.pk, OpenCase(entry.case).written.email, template.title,
                   f"{template.sentence}\n\n{link}\n\n{_FOOT}")  # fmt: skip
    CaseEntry.objects.filter(pk=entry.pk).update(told="mail-failed" if failed else "mailed")


def mail_confirmation(*, draft_id: UUID) -> None:
    """Mail the link by which an address is confirmed; nothing for a draft that is gone."""
    draft = RequestDraft.objects.filter(pk=draft_id, confirmed_at=None).first()
    if draft is None or not draft.sealed_record:
        return
    link = settings.PUBLIC_URL + reverse("dsar:confirm", args=[confirm_token(draft)])
    _send(draft.pk, open_draft(draft)["email"], CONFIRM.title,
          f"{CONFIRM.sentence}\n\n{link}\n\n{_FOOT}")  # fmt: skip


def mail_person(*, authority_id: UUID, what: str, letter_id: UUID) -> None:
    """Mail somebody in whose name another asked: that it is so, or that it is answered."""
    authority = Authority.objects.select_related("case", "case__organisation").get(pk=authority_id)
    to = OpenCase(authority.case).person_of(authority).email
    if not to:
        return
    template = ANSWERED_TO_YOU if what == ANSWERED else IN_YOUR_NAME
    link = settings.PUBLIC_URL + reverse("dsar:person", args=[person_token(authority)])
    _send(letter_id, to, template.title, f"{template.sentence}\n\n{link}\n\n{_PERSON_FOOT}")


def _send(letter_id: UUID, to: str, title: str, body: str) -> bool:
    """Send; True if the address is refused for good. Raises `MailFailed` to be tried again."""
    try:
        send_letter(letter_id=letter_id, to=to, title=title, body=body)
    except MailFailed as failure:
        if not failure.final:
            raise
        return True
    return False
