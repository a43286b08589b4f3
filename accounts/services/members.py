from __future__ import annotations

import secrets
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    MembershipRole,
    Organisation,
    Profile,
    User,
)
from accounts.rules import INVITATION_LASTS, ROLE_LABELS, Actor, Role, digest_of_secret
from accounts.services.acceptance import write_answer
from accounts.services.notifications import notify
from accounts.services.sign_in import end_all_sessions
from accounts.services.trail import record, user_ref
from policies.selectors import effective_pack


class MembershipRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def invite_member(
    *, acting: Actor, organisation_id: UUID, email: str, roles: list[Role]
) -> Invitation:
    """Send a link that lets its holder join in these roles, once, within a week."""
    organisation = Organisation.objects.get(pk=organisation_id)
    email = email.strip().lower()
    if Membership.objects.filter(
        organisation=organisation, user__email__iexact=email, is_active=True
    ).exists():
        raise MembershipRefused("This person is a member already. Change their roles instead.")
    Invitation.objects.filter(
        organisation=organisation, email=email, accepted_at=None, withdrawn_at=None
    ).update(withdrawn_at=timezone.now())
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=email,
        roles=[role.value for role in roles],
        secret_digest=digest_of_secret(secret),
        invited_by_id=acting.user_id,
        expires_at=timezone.now() + INVITATION_LASTS,
    )
    record(
        action="invitation.sent",
        actor=acting,
        organisation_id=organisation_id,
        target=("invitation", str(invitation.pk)),
        details={"roles": invitation.roles},
    )
    transaction.on_commit(lambda: _send_invitation(invitation, secret))
    return invitation


def _send_invitation(invitation: Invitation, secret: str) -> None:
    link = settings.PUBLIC_URL + reverse("accounts:join", args=[secret])
    roles = ", ".join(ROLE_LABELS[Role(role)].lower() for role in invitation.roles)
    send_mail(
        f"Join {invitation.organisation} on Collimate",
        f"You are invited to join {invitation.organisation} as: {roles}.\n\n"
        f"Open this link within seven days to accept:\n{link}\n\n"
        "If you did not expect this, do nothing: the link ends by itself.",
        None,
        [invitation.email],
    )


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, name: str, password: str, read_digest: str
) -> User:
    """Make the account, or use the one that the address has, and join.

    Raises `MembershipRefused` when the address has an account and the password is not its own:
    a link in a mail must not take over an account. `read_digest` is of the policy that was shown
    and accepted.
    """
    pack = effective_pack(invitation.organisation_id)
    if pack.digest != read_digest:
        raise MembershipRefused("The policy has changed since you opened this page. Read it anew.")
    user = User.objects.filter(email__iexact=invitation.email).first()
    if user is None:
        user = User.objects.create_user(email=invitation.email, name=name, password=password)
        Profile.objects.create(user=user)
    elif not user.check_password(password):
        raise MembershipRefused("You have an account already. Give its password to join with it.")
    membership, _ = Membership.objects.update_or_create(
        user=user, organisation=invitation.organisation, defaults={"is_active": True}
    )
    _set_roles(membership, [Role(role) for role in invitation.roles])
    write_answer(membership=membership, pack=pack, accepts=True)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    record(
        action="membership.started",
        actor=user_ref(user),
        organisation_id=invitation.organisation_id,
        target=("membership", str(membership.pk)),
        details={"roles": invitation.roles},
    )
    return user


@transaction.atomic
def change_roles(*, acting: Actor, membership: Membership, roles: list[Role]) -> None:
    if membership.user_id == acting.user_id and Role.ADMINISTRATOR not in roles:
        raise MembershipRefused("You cannot take the administrator's role from yourself.")
    _set_roles(membership, roles)
    record(
        action="membership.changed",
        actor=acting,
        organisation_id=membership.organisation_id,
        target=("membership", str(membership.pk)),
        details={"roles": [role.value for role in roles]},
    )
    if membership.user_id != acting.user_id:
        notify(users=[membership.user], template="roles-changed")


@transaction.atomic
def end_membership(*, acting: Actor, membership: Membership) -> None:
    """End a membership: its tokens and the person's sessions end with it."""
    if membership.user_id == acting.user_id:
        raise MembershipRefused("You cannot end your own membership. Ask another administrator.")
    membership.is_active = False
    membership.save(update_fields=["is_active"])
    membership.tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
    end_all_sessions(user=membership.user)
    record(
        action="membership.ended",
        actor=acting,
        organisation_id=membership.organisation_id,
        target=("membership", str(membership.pk)),
    )


@transaction.atomic
def close_memberships(*, user: User) -> None:
    """End all memberships of a closed account, their tokens, and every session."""
    now = timezone.now()
    ApiToken.objects.filter(membership__user=user, revoked_at=None).update(revoked_at=now)
    Membership.objects.filter(user=user).update(is_active=False, accepted_version_id=None)
    end_all_sessions(user=user)


def _set_roles(membership: Membership, roles: list[Role]) -> None:
    membership.roles.exclude(role__in=roles).delete()
    for role in roles:
        MembershipRole.objects.get_or_create(membership=membership, role=role)
