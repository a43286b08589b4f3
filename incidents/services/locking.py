"""Somebody says that another uses their account: it is locked at once (LIFEIMAGE-11.5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ApiToken, Organisation, User
from accounts.rules import Actor
from accounts.services.email_change import withdraw_address
from accounts.services.notifications import notify
from accounts.services.password_reset import request_reset_link
from accounts.services.sign_in import end_all_sessions
from accounts.services.tokens import revoke_token
from consent.models import SubjectAccount
from incidents.models import Incident
from incidents.rules.letters import LOCKED
from incidents.rules.states import Source, State
from incidents.services.opening import open_for_account
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose


@transaction.atomic
def report_account_use(*, actor: Actor) -> list[Incident]:
    """End every session and token of the asker's account, take its password away, and open an
    incident wherever the account works. A link for a new password is mailed to its address.

    A wish for another address is withdrawn: whoever uses the account may have made it. Safe to
    repeat: an incident that is open for the account already is left alone.
    """
    user = User.objects.select_for_update().get(pk=actor.user_id)
    end_all_sessions(user=user)
    tokens = ApiToken.objects.filter(membership__user=user, revoked_at=None)
    for token in tokens.select_related("membership"):
        revoke_token(acting=actor, token=token)
    withdraw_address(actor=actor)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    request_reset_link(email=user.email)
    notify(users=[user], template=LOCKED)
    now = timezone.now()
    return [_open_or_known(user, organisation, now) for organisation in _where(user).order_by("pk")]


def _where(user: User) -> QuerySet[Organisation]:
    """Where an account reaches: the organisations that it works for; of a patient, those that
    hold something about them."""
    works = Organisation.objects.filter(memberships__user=user, memberships__is_active=True)
    if works.exists():
        return works.distinct()
    held = SubjectAccount.objects.filter(user=user).values("subject__organisation_id")
    return Organisation.objects.filter(pk__in=held)


def _open_or_known(user: User, organisation: Organisation, now: datetime) -> Incident:
    known = Incident.objects.filter(
        organisation=organisation, account=user, source=Source.ACCOUNT.value
    ).exclude(state=State.CLOSED.value)
    if (row := known.first()) is not None:
        return row
    # Signing in is what the page is for; the incident is the organisation's own, and follows from
    # its duty to keep data secure, whatever the policy lists and whoever has accepted it.
    with using(Purpose.SECURITY, Category.ACCOUNT, Category.TRAIL):
        return open_for_account(user=user, organisation=organisation, at=now)
