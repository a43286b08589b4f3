"""What an officer does with a case, and what its person replies."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Case
from dsar.permissions import can_answer, is_person_of
from dsar.rules.directing import corrects, sets_directive
from dsar.rules.erasure import refusal_to_answer as refusal_to_call_erased
from dsar.rules.kinds import Kind
from dsar.rules.states import Act, Outcome, State, refusal_to_answer
from dsar.sealing import OpenCase, email_token
from dsar.selectors import (
    colleagues_of,
    deadlines_of,
    people_working_on,
    standing_of,
)
from dsar.services.closing_accounts import refusal_to_call_closed
from dsar.services.documents import end_with_answer
from dsar.services.entries import (
    CaseRefused,
    NotYours,
    for_officer,
    locked,
    needed,
    require_now,
    tell_person,
    write_entry,
    write_event,
)
from dsar.services.erasing import standing_of_erasure
from dsar.services.pausing import announce_end_of_pause, end_pause
from dsar.services.releasing_archive import refusal_to_call_released
from dsar.services.representing import tell_of_answer


@transaction.atomic
def acknowledge_case(*, actor: Actor, case: Case) -> Case:
    """Note that somebody who gave no e-mail address was told by letter that it came."""
    row = for_officer(actor, case, Act.ACKNOWLEDGE)
    row.acknowledged_at = timezone.now()
    row.save(update_fields=["acknowledged_at"])
    entry = write_entry(row, Act.ACKNOWLEDGE, by=actor)
    tell_person(row, entry)
    write_event("request.acknowledged", row, actor=actor)
    return row


@transaction.atomic
def assign_case(*, actor: Actor, case: Case, officer: User) -> Case:
    row = for_officer(actor, case, Act.ASSIGN)
    if not colleagues_of(actor).filter(pk=officer.pk).exists():
        raise CaseRefused("A case can be assigned to a privacy officer of your organisation.")
    if row.officer_id == officer.pk:
        return row
    row.officer = officer
    row.save(update_fields=["officer"])
    write_entry(row, Act.ASSIGN, by=actor, code=str(officer.pk), shown=False)
    write_event("request.assigned", row, actor=actor, officer=officer.pk)
    if officer.pk != actor.user_id:
        notify(users=[officer], template="request-assigned", target_id=row.number)
    return row


@transaction.atomic
def note_on_case(*, actor: Actor, case: Case, text: str) -> Case:
    """Write a note among officers; the person does not see it here."""
    row = for_officer(actor, case, Act.NOTE)
    write_entry(row, Act.NOTE, by=actor, text=needed(text), shown=False)
    write_event("request.noted", row, actor=actor)
    return row


@transaction.atomic
def readdress_case(*, actor: Actor, case: Case, email: str) -> Case:
    """Write to another address from now on, or by letter; the links of earlier letters are dead."""
    row = for_officer(actor, case, Act.READDRESS)
    if row.person_id is not None:
        raise CaseRefused("They asked while signed in, and read the answer there.")
    opened = OpenCase(row)
    opened.reseal(replace(opened.written, email=email.strip().lower()))
    row.email_token = email_token(row.organisation_id, email.strip())
    row.link_epoch += 1
    row.save(update_fields=["sealed_name", "sealed_email", "sealed_text", "email_token",
                            "link_epoch"])  # fmt: skip
    write_entry(row, Act.READDRESS, by=actor, shown=False)
    write_event("request.readdressed", row, actor=actor)
    return row


@transaction.atomic
def ask_for_detail(*, actor: Actor, case: Case, text: str) -> Case:
    """Ask the person for what is needed; only the clocks that wait for it stand still."""
    row = for_officer(actor, case, Act.ASK_DETAIL)
    row.state, row.waiting_since = State.NEEDS_DETAIL.value, timezone.now()
    row.save(update_fields=["state", "waiting_since"])
    entry = write_entry(row, Act.ASK_DETAIL, by=actor, text=needed(text))
    tell_person(row, entry)
    write_event("request.detail_asked", row, actor=actor)
    return row


@transaction.atomic
def give_detail(*, case: Case, text: str, actor: Actor | None = None) -> Case:
    """Take in what the person replies: the one who is signed in, or who holds the letter's link.

    The caller has found the case by one of these two.
    """
    row = locked(case)
    if actor is not None and not is_person_of(actor, row):
        raise NotYours("This request is somebody else's.")
    require_now(row, Act.GIVE_DETAIL)
    _end_waiting(row)
    write_entry(row, Act.GIVE_DETAIL, by=actor, text=needed(text), by_person=True)
    write_event("request.detail_given", row, actor=actor)
    notify(users=people_working_on(row), template="request-detail-given", target_id=row.number)
    return row


@transaction.atomic
def extend_case(*, actor: Actor, case: Case, text: str) -> Case:
    """Extend the time once, with reasons, told before the first time is over."""
    row = for_officer(actor, case, Act.EXTEND)
    until = deadlines_of(row).extends_to
    assert until is not None
    row.extended_at, row.answer_on = timezone.now(), until
    row.reminded_at = None
    row.save(update_fields=["extended_at", "answer_on", "reminded_at"])
    entry = write_entry(row, Act.EXTEND, by=actor, text=needed(text), code=until.isoformat())
    tell_person(row, entry)
    write_event("request.extended", row, actor=actor, due_on=until)
    return row


@transaction.atomic
def answer_case(*, actor: Actor, case: Case, text: str, outcome: Outcome, denial: str = "") -> Case:
    """Give the answer in writing. It is read on the case's page, by whoever asked.

    A refusal has a reason, an explanation, and says where to complain.
    """
    row = for_officer(actor, case, Act.ANSWER)
    if sets_directive(Kind(row.kind), outcome):
        raise CaseRefused("Granting this sets what holds from now on: choose how far it reaches.")
    if corrects(Kind(row.kind), outcome):
        raise CaseRefused("Granting this puts something right: write what it says from now on.")
    return give_answer(actor=actor, row=row, text=text, outcome=outcome, denial=denial)


def give_answer(*, actor: Actor, row: Case, text: str, outcome: Outcome, denial: str = "") -> Case:
    """Write the answer into a case that the caller holds for an officer."""
    if refusal := refusal_to_answer(outcome, denial, standing_of(row)):
        raise CaseRefused(refusal)
    for refuses in (refusal_to_call_closed, refusal_to_call_released):
        if refusal := refuses(row, outcome):
            raise CaseRefused(refusal)
    if refusal := refusal_to_call_erased(Kind(row.kind), outcome, standing_of_erasure(row)):
        raise CaseRefused(refusal)
    _end_waiting(row)
    row.state, row.answered_at = State.ANSWERED.value, timezone.now()
    row.outcome, row.denial = outcome.value, denial
    row.save(update_fields=["state", "answered_at", "outcome", "denial"])
    entry = write_entry(row, Act.ANSWER, by=actor, text=needed(text), code=outcome.value)
    announce_end_of_pause(row)
    end_with_answer(row)
    tell_person(row, entry)
    tell_of_answer(row)
    write_event("request.answered", row, actor=actor, outcome=outcome.value, denial=denial)
    return row


@transaction.atomic
def close_case(*, actor: Actor, case: Case) -> Case:
    row = for_officer(actor, case, Act.CLOSE)
    row.state, row.closed_at = State.CLOSED.value, timezone.now()
    row.save(update_fields=["state", "closed_at"])
    end_pause(actor=actor, case=row)
    write_entry(row, Act.CLOSE, by=actor)
    write_event("request.closed", row, actor=actor)
    return row


@transaction.atomic
def note_looking(*, actor: Actor, case: Case) -> OpenCase:
    """Open a case for an officer, and write down that they looked."""
    if not can_answer(actor, case):
        raise NotYours("Only privacy officers of the organisation that was asked see it.")
    write_event("request.viewed", case, actor=actor)
    return OpenCase(case)


@transaction.atomic
def note_reading(*, case: Case, actor: Actor | None = None) -> OpenCase:
    """Open a case for its person, and write down that it was read."""
    write_event("request.read", case, actor=actor)
    return OpenCase(case)


def _end_waiting(row: Case) -> None:
    """Go on with the clocks that stood still; whole days that the wait took are not counted."""
    if row.waiting_since is None:
        return
    row.waited_days += (timezone.now() - row.waiting_since).days
    row.state, row.waiting_since = State.OPEN.value, None
    # Never earlier than it was said before.
    row.answer_on = max(row.answer_on, deadlines_of(row).answer_on)
    row.save(update_fields=["waited_days", "state", "waiting_since", "answer_on"])
