"""How sure it is who asks."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from consent.models import SubjectAccount
from dsar.models import Case, Erasure, IdentityCheck
from dsar.rules.erasure import ErasureState
from dsar.rules.identity import Check, Fact, Level, level_for, level_of, level_of_all
from dsar.rules.kinds import Kind
from dsar.rules.states import Proof
from dsar.selectors.agents import authority_of


def checks_of(case: Case) -> list[Check]:
    """Every look at who asks that agreed; asking while signed in is one."""
    rows = case.checks.filter(state=IdentityCheck.State.PASSED)
    found = [
        Check(Proof(row.way), frozenset(map(Fact, row.facts)), row.subject_id, row.declared)
        for row in rows
    ]
    if case.proof == Proof.ACCOUNT:
        found.append(Check(Proof.ACCOUNT))
    return found


def _own_subjects(case: Case) -> set[UUID]:
    """The records that belong to the account that asked, for themself."""
    if case.person_id is None or authority_of(case) is not None:
        return set()
    own = SubjectAccount.objects.filter(
        user_id=case.person_id, subject__organisation_id=case.organisation_id
    )
    return set(own.values_list("subject_id", flat=True))


def levels_of(case: Case) -> dict[UUID, Level]:
    """Of each record that a request is about: how sure it is that it is theirs."""
    checks, own = checks_of(case), _own_subjects(case)
    subjects = case.subjects.values_list("subject_id", flat=True)
    return {one: level_of(checks, one, own) for one in subjects}


def level_known(case: Case) -> Level:
    """How sure it is who asks, of all records that the request is about.

    It was sure enough when an erasure was planned; the records that showed it may be gone with it.
    """
    if (
        case.kind == Kind.ERASURE
        and Erasure.objects.filter(case=case, state=ErasureState.DONE).exists()
    ):
        return level_for(Kind.ERASURE)
    subjects = set(case.subjects.values_list("subject_id", flat=True))
    return level_of_all(checks_of(case), subjects, _own_subjects(case))


def is_identified(case: Case) -> bool:
    """Is it as sure who asks as a request of this kind needs?"""
    return case.identified_at is not None and level_known(case) >= level_for(Kind(case.kind))


def waiting_code(case: Case) -> IdentityCheck | None:
    """The code that its person can still answer with; the latest counts."""
    return case.checks.filter(
        state=IdentityCheck.State.WAITING, expires_at__gt=timezone.now()
    ).order_by("-at").first()  # fmt: skip
