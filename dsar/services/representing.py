"""Requests in somebody's name: the person is told directly, and authority is looked at first.

Whoever asks names the person, but where the person can be reached an officer takes from the
record: a forged request would give a forged address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Authority, Case, CaseDocument
from dsar.rules.agents import (
    AuthorityState,
    Fault,
    Relation,
    Shown,
    refusal_to_accept,
)
from dsar.rules.documents import DocumentKind
from dsar.rules.states import UNANSWERED, Act
from dsar.sealing import OpenCase, Person
from dsar.selectors import people_working_on, today_at
from dsar.selectors.agents import authority_of, decides_about
from dsar.services.entries import (
    CaseRefused,
    for_officer,
    locked,
    write_entry,
    write_event,
)
from dsar.services.letters import ANSWERED
from jobs.services import create_job

PERSON_LETTER: Final = "dsar.person_letter"
ASKED: Final = "asked"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer decides about an authority. `fault`: why it is refused; None: accepted."""

    fault: Fault | None = None
    document_id: UUID | None = None
    answer_to_agent: bool = False
    valid_until: date | None = None


def _of(row: Case) -> Authority:
    authority = authority_of(row)
    if authority is None:
        raise CaseRefused("Nobody asks for somebody else here.")
    return authority


@transaction.atomic
def decide_authority(*, actor: Actor, case: Case, decision: Decision) -> Authority:
    """Accept or refuse what shows that somebody may ask for the person. Raises `CaseRefused`."""
    row = for_officer(actor, case, Act.AUTHORITY)
    authority = _of(row)
    if decision.fault is not None:
        return _refuse(authority, decision.fault, actor)
    if authority.fault == Fault.DENIED:
        raise CaseRefused("The person said that nobody asks for them.")
    document = _paper(row, decision.document_id)
    person = OpenCase(row).person_of(authority)
    refusal = refusal_to_accept(
        Shown(
            Relation(authority.relation), document is not None, authority.confirmed_at is not None,
            today_at(row.organisation), decides_about(row, person.age), decision.valid_until,
        )
    )  # fmt: skip
    if refusal:
        raise CaseRefused(refusal)
    authority.state, authority.fault = AuthorityState.ACCEPTED.value, ""
    authority.document, authority.valid_until = document, decision.valid_until
    authority.answer_to_agent = decision.answer_to_agent
    _decided(authority, actor)
    write_event(
        "request.authority_accepted", row, actor=actor, relation=authority.relation,
        answer_to="agent" if authority.answer_to_agent else "person",
    )  # fmt: skip
    return authority


def _paper(row: Case, document_id: UUID | None) -> CaseDocument | None:
    """The paper that shows it: one of this request, and for this purpose."""
    found = row.documents.filter(kind=DocumentKind.AUTHORITY.value, destroyed_at=None)
    return found.filter(pk=document_id).first()


def _refuse(authority: Authority, fault: Fault, actor: Actor | None) -> Authority:
    authority.state, authority.fault = AuthorityState.REFUSED.value, fault.value
    authority.answer_to_agent = False
    _decided(authority, actor)
    write_event(
        "request.authority_refused", authority.case, actor=actor, relation=authority.relation,
        fault=fault.value,
    )  # fmt: skip
    return authority


def _decided(authority: Authority, actor: Actor | None) -> None:
    authority.decided_by_id = actor.user_id if actor else None
    authority.decided_at = timezone.now()
    authority.save()
    write_entry(
        authority.case, Act.AUTHORITY, by=actor, code=authority.fault or authority.state,
        shown=False,
    )  # fmt: skip


# The person --------------------------------------------------------------------------------------
@transaction.atomic
def tell_the_person(*, actor: Actor, case: Case, email: str) -> Authority:
    """Tell the person directly that somebody asked in their name, as the record says.

    Without an address: the officer has sent a letter, and this is its note.
    """
    row = for_officer(actor, case, Act.TELL_PERSON)
    authority = _of(row)
    opened = OpenCase(row)
    person = opened.person_of(authority)
    opened.seal_person(authority, Person(person.name, email.strip().lower(), person.age))
    authority.told_at = timezone.now()
    authority.save(update_fields=["sealed_person", "told_at"])
    write_entry(row, Act.TELL_PERSON, by=actor, code="mail" if email else "letter", shown=False)
    write_event("request.person_told", row, actor=actor, way="mail" if email else "letter")
    if email:
        _mail(authority, ASKED)
    return authority


def _mail(authority: Authority, what: str) -> None:
    now = timezone.now()
    create_job(
        kind=PERSON_LETTER, natural_key=f"{authority.pk}:{what}:{now.isoformat()}",
        payload={"authority": str(authority.pk), "what": what},
        organisation_id=authority.case.organisation_id,
    )  # fmt: skip


@transaction.atomic
def hear_the_person(*, authority: Authority, agrees: bool) -> Authority:
    """Take in what the person says to a request in their name. A no ends it."""
    row = locked(authority.case)
    found = Authority.objects.select_for_update().get(pk=row.pk)
    found.case = row
    if row.state not in UNANSWERED or found.confirmed_at is not None or found.fault:
        raise CaseRefused("This was said already, or the request is answered.")
    if agrees:
        found.confirmed_at = timezone.now()
        found.save(update_fields=["confirmed_at"])
        write_entry(row, "person-confirmed", by=None, shown=False)
        write_event("request.authority_confirmed", row, actor=None)
    else:
        _refuse(found, Fault.DENIED, None)
    notify(users=people_working_on(row), template="request-detail-given", target_id=row.number)
    return found


def tell_of_answer(case: Case) -> None:
    """Where the answer is the person's alone, tell them where it is; whoever asked is told that
    there is one by the ordinary way."""
    authority = authority_of(case)
    if authority is None or authority.answer_to_agent:
        return
    authority.case = case
    if authority.state == AuthorityState.ACCEPTED and OpenCase(case).person_of(authority).email:
        _mail(authority, ANSWERED)
