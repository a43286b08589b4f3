"""Asking for one's account to be deleted: what that would do, then a request with its clock.

Closing ends signing in, at once, and leaves what is known of the person for the policy's term.
Deleting is an erasure: two people approve it, and it takes whatever no law keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from consent.models import DataSubject, SubjectAccount
from consent.services.ending_accounts import organisations_of
from dsar.models import Case, CaseSubject
from dsar.rules.erasure import in_order, study_lines
from dsar.rules.kinds import Kind
from dsar.rules.states import UNANSWERED
from dsar.services.entries import CaseRefused, write_event
from dsar.services.erasing import lines_beside
from dsar.services.intake import Asking, submit_request
from policies.rules.erasing import Line
from policies.rules.holdings import Whose
from retention.selectors.erasing import erasure_forecast

TEXT = "Delete my account, and what is held about me."


@dataclass(frozen=True, slots=True)
class Prospect:
    """What deleting would do at one organisation, and the request that is open there already."""

    organisation: Organisation
    lines: list[Line]
    case: Case | None


def prospects(actor: Actor) -> list[Prospect]:
    """Say for each organisation that has the account what goes, changes and stays, and why."""
    found = []
    for organisation in organisations_of(actor.user_id):
        whose = _whose(actor, organisation)
        lines = [*_of_studies(organisation, whose), *lines_beside(whose)]
        found.append(Prospect(organisation, in_order(lines), _open_case(actor, organisation)))
    return found


@transaction.atomic
def ask_to_delete_account(*, actor: Actor) -> list[Case]:
    """Make a request of each organisation that has the account and none yet.

    Raises `CaseRefused`.
    """
    if actor.token_id is not None or not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then ask for your account to be deleted.")
    user = User.objects.select_for_update().get(pk=actor.user_id)
    cases = [
        _ask(actor, user, organisation)
        for organisation in organisations_of(user.pk)
        if _open_case(actor, organisation) is None
    ]
    if not cases:
        raise CaseRefused("You have asked for this already. Your requests show how it stands.")
    return cases


def _ask(actor: Actor, user: User, organisation: Organisation) -> Case:
    asking = Asking(
        organisation=organisation, kind=Kind.ERASURE, residence=user.residence,
        name=user.name, email=user.email, text=TEXT,
    )  # fmt: skip
    case = submit_request(actor=actor, asking=asking)
    case.ends_account = True
    case.save(update_fields=["ends_account"])
    # Whose records are theirs is known: by the account, that somebody tied to them.
    for subject in _own_subjects(actor, organisation):
        CaseSubject.objects.create(case=case, subject_id=subject.pk, linked_by=user)
        write_event("request.subject_linked", case, actor=actor, subject=str(subject.pk))
    return case


def _own_subjects(actor: Actor, organisation: Organisation) -> Iterable[DataSubject]:
    ties = SubjectAccount.objects.filter(user_id=actor.user_id).values("subject")
    return DataSubject.objects.filter(pk__in=ties, organisation=organisation)


def _whose(actor: Actor, organisation: Organisation) -> Whose:
    ids = frozenset(one.pk for one in _own_subjects(actor, organisation))
    return Whose(organisation.pk, ids, actor.user_id, ends_account=True)


def _of_studies(organisation: Organisation, whose: Whose) -> Iterable[Line]:
    going, kept = erasure_forecast(organisation, whose.subject_ids)
    return study_lines(going, kept)


def _open_case(actor: Actor, organisation: Organisation) -> Case | None:
    return Case.objects.filter(
        person_id=actor.user_id, organisation=organisation, kind=Kind.ERASURE.value,
        ends_account=True, state__in=UNANSWERED,
    ).first()  # fmt: skip
