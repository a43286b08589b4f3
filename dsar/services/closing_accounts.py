"""Closing an account for whoever asked by form, e-mail, post or telephone (C28).

Until it is known who asks, the account is what it was; nothing here undoes that by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from accounts.rules import Actor
from consent.rules.closing import told_of_closing
from consent.services.closing import (
    ClosedFor,
    ClosingRefused,
    belongs_elsewhere,
    belongs_here,
    close_account_for,
)
from dsar.models import Case
from dsar.permissions import can_answer
from dsar.rules.closing import refusal_to_answer, refusal_to_close
from dsar.rules.kinds import Kind
from dsar.rules.states import UNANSWERED, Outcome
from dsar.sealing import OpenCase, email_token
from dsar.selectors.identity import is_identified
from dsar.services.entries import CaseRefused, NotYours, locked, write_entry, write_event

CLOSED = "account-closed"


@dataclass(frozen=True, slots=True)
class Meant:
    """The account that a request means, and what closing it does."""

    user: User
    is_whole: bool
    images: tuple[str, ...]


def account_meant(case: Case, email: str = "") -> User | None:
    """The open account of whoever asks, at the organisation that was asked.

    Of those who asked while signed in, theirs; else that of the address, as an officer gives it.
    """
    address = email.strip() or OpenCase(case).written.email
    found = User.objects.filter(pk=case.person_id) if case.person_id else (
        User.objects.with_email(address) if address else User.objects.none()
    )  # fmt: skip
    user = found.filter(is_active=True).first()
    return user if user is not None and belongs_here(user.pk, case.organisation_id) else None


def meant_by(case: Case, email: str = "") -> Meant | None:
    """What the page shows before anything happens."""
    user = account_meant(case, email)
    if user is None:
        return None
    here = case.organisation_id
    return Meant(user, not belongs_elsewhere(user.pk, here), told_of_closing(user.pk, here))


def refusal_now(case: Case) -> str:
    return refusal_to_close(
        Kind(case.kind), is_open=case.state in UNANSWERED,
        is_identified=is_identified(case),
    )  # fmt: skip


@transaction.atomic
def close_for_case(*, actor: Actor, case: Case, email: str = "") -> ClosedFor:
    """Close the account that a request means. Raises `CaseRefused`; then nothing has changed."""
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    if refusal := refusal_now(row):
        raise CaseRefused(refusal)
    user = account_meant(row, email)
    if user is None:
        raise CaseRefused("There is no open account of this organisation with that address.")
    try:
        closed = close_account_for(actor=actor, user=user, case_number=row.number)
    except ClosingRefused as refused:
        raise CaseRefused(str(refused)) from None
    if closed.is_whole and row.person_id is not None:
        _write_by_mail_from_now_on(row, user)
    write_entry(row, CLOSED, by=actor, code="whole" if closed.is_whole else "part")
    write_event("request.account_closed", row, actor=actor, archived=closed.archived)
    return closed


def _write_by_mail_from_now_on(row: Case, user: User) -> None:
    """Whoever cannot sign in any more reads the answer by the link of a letter."""
    row.person = None
    row.email_token = email_token(row.organisation_id, OpenCase(row).written.email or user.email)
    row.save(update_fields=["person", "email_token"])


def refusal_to_call_closed(case: Case, outcome: Outcome) -> str:
    """Why an answer cannot say that the account is closed; empty if it can."""
    if case.kind != Kind.ACCOUNT_CLOSURE:
        return ""
    return refusal_to_answer(outcome, has_open_account=account_meant(case) is not None)
