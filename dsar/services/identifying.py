"""How it becomes known who asks: looks of officers, and codes that go to a record's address.

Whatever comes of it, whoever asks learns nothing of whether a record is there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Case, IdentityCheck
from dsar.permissions import is_person_of
from dsar.rules.identity import (
    CODE_LASTS,
    CODE_TRIES,
    REACHED_BY,
    Fact,
    level_for,
    refusal_to_check,
)
from dsar.rules.kinds import Kind
from dsar.rules.packages import digest_of_code, is_code, new_code
from dsar.rules.states import UNANSWERED, Act, Proof
from dsar.selectors import people_working_on
from dsar.selectors.identity import level_known, waiting_code
from dsar.services.entries import (
    CaseRefused,
    NotYours,
    for_officer,
    locked,
    write_entry,
    write_event,
)

State = IdentityCheck.State
WRONG_CODE: Final = "This is not the code, or it has ended. Ask the privacy officer for another."


@transaction.atomic
def identify_person(
    *,
    actor: Actor,
    case: Case,
    proof: Proof,
    facts: Collection[Fact] = (),
    subject_id: UUID | None = None,
    declared: bool = False,
    passed: bool = True,
) -> Case:
    """Note one look at who asks, and whether it agreed; enough of them, and it is known.

    What is compared with a record counts for that record alone. Raises `CaseRefused`.
    """
    row = for_officer(actor, case, Act.IDENTIFY)
    subject_id = _record(row, proof, subject_id)
    _require_check(row, proof, facts, subject_id, passed=passed)
    if proof is Proof.CALLED_BACK:
        facts = {*facts, Fact.PHONE}
    check = IdentityCheck.objects.create(
        case=row, way=proof.value, state=State.PASSED if passed else State.FAILED,
        facts=sorted(facts), subject_id=subject_id, declared=declared, by_id=actor.user_id,
    )  # fmt: skip
    if not passed:
        write_event("request.not_identified", row, actor=actor, proof=proof.value)
        return row
    _note(row, check, actor=actor)
    return row


def _record(row: Case, proof: Proof, subject_id: UUID | None) -> UUID | None:
    """Which record it is compared with: where the request is about one, that one."""
    if proof in {Proof.DOCUMENT, Proof.KNOWN}:
        return None
    linked = set(row.subjects.values_list("subject_id", flat=True))
    if subject_id is not None and subject_id not in linked:
        raise CaseRefused("Choose a record that the request is about.")
    return linked.pop() if subject_id is None and len(linked) == 1 else subject_id


def _require_check(
    row: Case, proof: Proof, facts: Collection[Fact], subject_id: UUID | None, *, passed: bool
) -> None:
    several = row.subjects.count() > 1
    failed = row.checks.filter(state=State.FAILED).count()
    refusal = refusal_to_check(
        proof, facts, failed_before=failed, passed=passed,
        knows_which=subject_id is not None or not several,
    )  # fmt: skip
    if refusal:
        raise CaseRefused(refusal)


def _note(row: Case, check: IdentityCheck, *, actor: Actor | None) -> None:
    """Write down that it agreed; and that it is known who asks, once it is sure enough."""
    if level_known(row) >= level_for(Kind(row.kind)):
        row.identified_at, row.proof = row.identified_at or timezone.now(), _proof(row, check)
        row.save(update_fields=["identified_at", "proof"])
    write_entry(row, Act.IDENTIFY, by=actor, code=check.way, shown=False)
    write_event(
        "request.identified", row, actor=actor, proof=check.way, facts=check.facts,
        level=int(level_known(row)),
    )  # fmt: skip


def _proof(row: Case, check: IdentityCheck) -> str:
    """That somebody asked while signed in stays the proof, whatever is looked at beside it."""
    return row.proof if row.proof == Proof.ACCOUNT else check.way


# Codes -------------------------------------------------------------------------------------------
@transaction.atomic
def make_code(
    *, actor: Actor, case: Case, fact: Fact, subject_id: UUID | None = None
) -> tuple[IdentityCheck, str]:
    """Make a code that the officer sends to where the record says the person can be reached.

    Its person gives it on the request's page. An earlier code ends. Raises `CaseRefused`.
    """
    row = for_officer(actor, case, Act.IDENTIFY)
    if fact not in REACHED_BY:
        raise CaseRefused("A code goes to a telephone number or an address of the record.")
    subject_id = _record(row, Proof.CODE, subject_id)
    if subject_id is None:
        raise CaseRefused("Find first whom the request is about: the code goes where their record"
                          " says, never where the request says.")  # fmt: skip
    _require_check(row, Proof.CODE, [fact], subject_id, passed=True)
    row.checks.filter(state=State.WAITING).update(expires_at=timezone.now())
    code = new_code()
    check = IdentityCheck.objects.create(
        case=row, way=Proof.CODE.value, state=State.WAITING, facts=[fact.value],
        subject_id=subject_id, code_digest=digest_of_code(code), by_id=actor.user_id,
        expires_at=timezone.now() + CODE_LASTS,
    )  # fmt: skip
    write_event("request.code_sent", row, actor=actor, fact=fact.value)
    return check, code


def give_code(*, case: Case, code: str, actor: Actor | None = None) -> None:
    """Take the code from whoever asks. Raises `CaseRefused` with one sentence for all that fails.

    A wrong one is counted for good before it is refused; after five it opens nothing any more.
    """
    if actor is not None and not is_person_of(actor, case):
        raise NotYours("This request is somebody else's.")
    if not _took(case, code, actor):
        raise CaseRefused(WRONG_CODE)


@transaction.atomic
def _took(case: Case, code: str, actor: Actor | None) -> bool:
    row = locked(case)
    check = waiting_code(row)
    if check is None or row.state not in UNANSWERED:
        return False
    if not is_code(code, check.code_digest):
        IdentityCheck.objects.filter(pk=check.pk).update(failed_tries=F("failed_tries") + 1)
        if check.failed_tries + 1 >= CODE_TRIES:
            IdentityCheck.objects.filter(pk=check.pk).update(state=State.FAILED)
        write_event("request.code_refused", row, actor=actor)
        return False
    check.state, check.code_digest = State.PASSED, ""
    check.save(update_fields=["state", "code_digest"])
    _note(row, check, actor=actor)
    notify(users=people_working_on(row), template="request-detail-given", target_id=row.number)
    return True
