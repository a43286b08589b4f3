"""A report that an account is a child's: closed at once, then erased by a case within hours (C38).

Nothing but the account is meant: a child's own images stay with whoever treats them.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor, Capability
from accounts.services.notifications import notify
from accounts.services.trail import system_ref
from consent.services.closing import belongs_here
from consent.services.ending_accounts import close_at_once, sole_roles_at
from dsar.models import Case, Erasure
from dsar.rules.children import delete_by, hours_to_delete, refusal_of_report
from dsar.rules.erasure import ErasureState
from dsar.rules.kinds import Kind
from dsar.rules.states import RECORDED_BY_OFFICER, UNANSWERED, Door, Proof
from dsar.selectors import people_accountable, today_at
from dsar.services.entries import CaseRefused, NotYours, write_entry, write_event
from dsar.services.erasing import plan_case_erasure
from dsar.services.intake import Asking, open_case
from policies.selectors import effective_pack

REPORTED, LATE = "child-reported", "child-late"


@transaction.atomic
def report_child(*, actor: Actor, email: str, how: str, door: Door) -> Case:
    """Close an account that is a child's, and plan what goes; two people approve that.

    Raises `CaseRefused`; then nothing has changed.
    """
    if actor.organisation_id is None or not actor.can(Capability.ANSWER_REQUESTS):
        raise NotYours("Only privacy officers report an account as a child's.")
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then report it.")
    if refusal := refusal_of_report(how):
        raise CaseRefused(refusal)
    organisation = Organisation.objects.get(pk=actor.organisation_id)
    user = _account(organisation, email)
    case = _case(organisation, user, how, door)
    write_event("request.child_reported", case, actor=actor, account=user.pk)
    write_entry(case, REPORTED, by=actor, code=door.value)
    close_at_once(user=user, organisation_id=organisation.pk)
    plan_case_erasure(actor=actor, case=case)
    notify(users=people_accountable(organisation.pk).exclude(pk=actor.user_id),
           template=REPORTED, target_id=case.number)  # fmt: skip
    return case


def _account(organisation: Organisation, email: str) -> User:
    user = User.objects.with_email(email.strip()).filter(is_active=True).first()
    if user is None or not belongs_here(user.pk, organisation.pk):
        raise CaseRefused(
            f"No open account at {organisation.name} has this address. Look at the spelling."
        )
    if roles := sole_roles_at(user, organisation.pk):
        raise CaseRefused(
            f"This is the last active {roles[0]}. Give the role to somebody else first."
        )
    return User.objects.select_for_update().get(pk=user.pk)


def _case(organisation: Organisation, user: User, how: str, door: Door) -> Case:
    if door not in RECORDED_BY_OFFICER:
        raise CaseRefused("Say how it came: by e-mail, post or telephone.")
    now = timezone.now()
    by = delete_by(now, hours_to_delete(effective_pack(organisation.pk).values))
    asking = Asking(
        organisation=organisation, kind=Kind.ERASURE, residence=user.residence,
        name=user.name, email=user.email, text=how,
    )  # fmt: skip
    # Nobody has to prove who they are: it is the account itself that is looked at. Nor is the
    # child written to before it is gone.
    case = open_case(
        asking, door=door, received_at=now, person=user, ends_account=True, delete_by=by,
        identified_at=now, proof=Proof.ACCOUNT.value, acknowledged_at=now,
    )  # fmt: skip
    case.answer_on = min(case.answer_on, today_at(organisation, by))
    case.save(update_fields=["answer_on"])
    return case


@transaction.atomic
def tell_of_late_children() -> int:
    """Tell those above of accounts that are not gone in time, once each. Safe to repeat."""
    rows = overdue_children().filter(escalated_at=None).select_for_update()
    late = [case for case in rows if not is_gone(case)]
    for case in late:
        case.escalated_at = timezone.now()
        case.save(update_fields=["escalated_at"])
        write_event("request.escalated", case, actor=system_ref())
        notify(users=people_accountable(case.organisation_id), template=LATE, target_id=case.number)
    return len(late)


def overdue_children() -> QuerySet[Case]:
    """Reports whose time is over and that nobody has answered."""
    return Case.objects.filter(delete_by__lt=timezone.now(), state__in=UNANSWERED).order_by("pk")


def is_gone(case: Case) -> bool:
    """Was what the report means carried out?"""
    return Erasure.objects.filter(case=case, state=ErasureState.DONE).exists()
