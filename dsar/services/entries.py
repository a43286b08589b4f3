"""What every act on a case shares: may it be done now, its entry, its event, telling the person."""

from __future__ import annotations

from accounts.models import User
from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import anonymous_ref, record
from audit.services import ActorRef
from dsar.models import Case, CaseEntry
from dsar.permissions import can_answer
from dsar.rules.letters import template_of
from dsar.rules.states import Act, refusal_of
from dsar.rules.words import LONGEST_TEXT, readable
from dsar.sealing import OpenCase
from dsar.selectors import standing_of, today_at
from jobs.services import create_job

LETTER = "dsar.letter"


class CaseRefused(Exception):
    """One sentence that says why it cannot be done, and what to do."""


class NotYours(CaseRefused):
    """Whoever asks has no business with this case."""


def locked(case: Case) -> Case:
    """The row as it is now, held until the transaction ends: of two who act, one is second."""
    return (
        Case.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=case.pk)
    )


def for_officer(actor: Actor, case: Case, act: Act) -> Case:
    """Lock a case for an officer's act, or raise `CaseRefused` with the reason."""
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    require_now(row, act)
    return row


def require_now(case: Case, act: Act) -> None:
    if refusal := refusal_of(act, standing_of(case), today_at(case.organisation)):
        raise CaseRefused(refusal)


def write_entry(
    case: Case,
    act: Act | str,
    *,
    by: Actor | None,
    text: str = "",
    code: str = "",
    shown: bool = True,
    by_person: bool = False,
    opened: OpenCase | None = None,
) -> CaseEntry:
    """Write a step down in the case; what somebody wrote is sealed under the case's key."""
    entry = CaseEntry(
        case=case, act=str(act), by_id=by.user_id if by else None, code=code, shown=shown,
        by_person=by_person,
    )  # fmt: skip
    if text:
        (opened or OpenCase(case)).seal_entry(entry, text)
    entry.save(force_insert=True)
    return entry


def write_event(
    action: str, case: Case, *, actor: Actor | ActorRef | None, **details: object
) -> None:
    record(
        action=action,
        actor=actor or anonymous_ref(),
        organisation_id=case.organisation_id,
        target=("request", str(case.pk)),
        details={"kind": case.kind, **details},
    )


def tell_person(case: Case, entry: CaseEntry) -> None:
    """Tell whoever asked: in the portal, by mail to an address, or by a letter to be printed."""
    people = User.objects.filter(pk=case.person_id, is_active=True)
    # Who closed their account, or had it deleted, reads by the link of a letter.
    if case.person_id is not None and people.exists():
        notify(users=people, template=template_of(entry.act, case.kind), target_id=case.number)
        entry.told = "portal"
    elif case.email_token is not None:
        create_job(
            kind=LETTER,
            natural_key=str(entry.pk),
            payload={"entry": entry.pk},
            organisation_id=case.organisation_id,
        )
        entry.told = "mailing"
    else:
        entry.told = "letter"
    entry.save(update_fields=["told"])


def needed(text: str) -> str:
    """What somebody wrote, made safe, neither empty nor too long. Raises `CaseRefused`."""
    words = readable(text)
    if not words:
        raise CaseRefused("Write it in words: an empty text says nothing.")
    if len(words) > LONGEST_TEXT:
        raise CaseRefused(f"At most {LONGEST_TEXT} characters.")
    return words
