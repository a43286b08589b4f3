"""What an erasure does with the account of whoever asks: it goes, unless others need it too."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Acceptance, Membership, Notification, Organisation, User
from accounts.rules import ROLE_LABELS
from accounts.services.erasing import erase_account
from accounts.services.members import close_memberships, sole_roles_of
from accounts.services.sign_in import end_all_sessions
from accounts.services.trail import record, system_ref
from consent.models import Grant, SubjectAccount
from consent.selectors import in_force
from consent.services.grants import end_grant
from policies.rules.erasing import Erased, Fate, Line
from policies.rules.holdings import Whose

ACCOUNT = "The account: name, address, telephone, profession, settings, what signs in"


def elsewhere(user: User, organisation_id: UUID) -> int:
    """How many other organisations the account is for."""
    works = Membership.objects.filter(user=user, is_active=True)
    known = SubjectAccount.objects.filter(user=user)
    others = {
        *works.values_list("organisation_id", flat=True),
        *known.values_list("subject__organisation_id", flat=True),
    }
    return len(others - {organisation_id})


def sole_roles_at(user: User, organisation_id: UUID) -> list[str]:
    """The roles that nobody else there has."""
    held = user.memberships.filter(organisation_id=organisation_id, is_active=True)
    return [ROLE_LABELS[role].lower() for one in held for role in sole_roles_of(one)]


def plan_account(whose: Whose) -> Iterator[Line]:
    user = User.objects.filter(pk=whose.user_id, erased_at=None).first()
    if user is None:
        return
    others = elsewhere(user, whose.organisation_id)
    if not whose.ends_account:
        yield Line(
            Fate.STAYS, "The account of whoever asks", 1,
            "nobody asked for it to go; its person does, on the account's page",
        )  # fmt: skip
        return
    if roles := sole_roles_at(user, whose.organisation_id):
        yield Line(
            Fate.STAYS, ACCOUNT, 1,
            f"its person is the last active {roles[0]}: somebody has to take this over first",
        )  # fmt: skip
    elif others:
        yield Line(
            Fate.CHANGES, "The account", 1,
            "what ties it to this organisation ends; other organisations have it too, and are "
            "asked for themselves",
        )  # fmt: skip
    else:
        yield Line(Fate.GOES, ACCOUNT, 1)
        if messages := Notification.objects.filter(user=user).count():
            yield Line(Fate.GOES, "Messages to the account", messages)
    if accepted := Acceptance.objects.filter(user=user).count():
        yield Line(
            Fate.STAYS, "Answers to the policy, and acts in the trail", accepted,
            "by the number of the account alone, as evidence (GDPR Art. 17(3)(e))",
        )  # fmt: skip


def end_account(erased: Erased) -> None:
    """Close and erase the account, or end what ties it here. Safe to repeat."""
    whose = erased.whose
    if not whose.ends_account:
        return
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=whose.user_id, erased_at=None).first()
        if user is None or sole_roles_at(user, whose.organisation_id):
            return
        if elsewhere(user, whose.organisation_id):
            _leave(user, whose.organisation_id)
            return
        _close(user)
        erase_account(user=user, reason="request")


def close_at_once(*, user: User, organisation_id: UUID) -> None:
    """Let nobody sign in with an account any more, or act here; its images are not touched.

    Before an erasure that is planned. Call it in a transaction. Safe to repeat.
    """
    if elsewhere(user, organisation_id):
        _leave(user, organisation_id)
        return
    _close(user)
    end_all_sessions(user=user)


def _close(user: User) -> None:
    _end_shares_of(user)
    if user.closed_at is None:
        user.is_active, user.closed_at = False, timezone.now()
        user.save(update_fields=["is_active", "closed_at"])
        close_memberships(user=user)


def _leave(user: User, organisation_id: UUID) -> None:
    now = timezone.now()
    SubjectAccount.objects.filter(user=user, subject__organisation_id=organisation_id).delete()
    mine = Membership.objects.filter(user=user, organisation_id=organisation_id, is_active=True)
    for membership in mine:
        membership.tokens.filter(revoked_at=None).update(revoked_at=now)
        membership.is_active, membership.ended_at = False, now
        membership.save(update_fields=["is_active", "ended_at"])
        record(
            action="membership.ended", actor=system_ref(), organisation_id=organisation_id,
            target=("membership", str(membership.pk)),
        )  # fmt: skip


def _end_shares_of(user: User) -> None:
    """Shares of a patient by their own hand; those of a member are their organisation's."""
    own = Grant.objects.filter(
        in_force(timezone.now()), granted_by=user,
        subject_id__in=SubjectAccount.objects.filter(user=user).values("subject_id"),
    )  # fmt: skip
    for grant in own.select_for_update():
        end_grant(actor=system_ref(), grant=grant, at=timezone.now(), reason="erasure")


def organisations_of(user_id: int) -> list[Organisation]:
    """Where somebody's account is known: each is asked for itself."""
    works = Membership.objects.filter(user_id=user_id, is_active=True).values("organisation")
    known = SubjectAccount.objects.filter(user_id=user_id).values("subject__organisation")
    found = Organisation.objects.filter(pk__in=works) | Organisation.objects.filter(pk__in=known)
    return list(found.order_by("name").distinct())
