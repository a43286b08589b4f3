from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.fields import token_of_email
from accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    MembershipRole,
    Organisation,
    Profile,
    User,
    WorkSettings,
)
from accounts.rules import INVITATION_LASTS, ROLE_LABELS, Actor, Role, digest_of_secret
from accounts.rules.contacts import ContactsRefused, checked_contacts
from accounts.services.acceptance import write_answer
from accounts.services.notifications import notify
from accounts.services.sign_in import end_all_sessions
from accounts.services.trail import record, system_ref, user_ref
from accounts.services.usage import forget_use_of
from policies.rules.pack import Pack
from policies.selectors import effective_pack

# Roles that an organisation cannot be without, and why (XENRAD-11.1).
INDISPENSABLE = {
    Role.OFFICER: "whom people can ask about their data",
    Role.ADMINISTRATOR: "without whom nobody can be invited",
}


class MembershipRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def invite_contacts(
    *, acting: Actor, text: str, roles: list[Role], source: str, basis: str
) -> list[Invitation]:
    """Invite people whose addresses a third party gave: all of the list, or nobody (MEDDIM-2.13).

    Raises `ContactsRefused` where source or basis is missing or the policy takes none in, and
    `MembershipRefused` for somebody who is a member already.
    """
    assert acting.organisation_id is not None
    if not effective_pack(acting.organisation_id)["secondary.brokers"]:
        raise ContactsRefused(
            "The privacy policy takes in no data from third parties. Invite people one by one, by"
            " the address that they gave."
        )
    contacts = checked_contacts(text, source=source, basis=basis)
    return [
        invite_member(
            acting=acting,
            organisation_id=acting.organisation_id,
            email=one,
            roles=roles,
            source=source.strip(),
            basis=basis,
        )
        for one in contacts
    ]


@transaction.atomic
def invite_member(
    *,
    acting: Actor,
    organisation_id: UUID,
    email: str,
    roles: list[Role],
    source: str = "",
    basis: str = "",
) -> Invitation:
    """Send a link that lets its holder join in these roles, once, within a week.

    `source` and `basis` where the address came from a third party: the letter says so.
    """
    organisation = Organisation.objects.get(pk=organisation_id)
    _require_open(organisation, roles)
    email = email.strip().lower()
    if Membership.objects.filter(
        organisation=organisation, user__email_token=token_of_email(email), is_active=True
    ).exists():
        raise MembershipRefused("This person is a member already. Change their roles instead.")
    return _invite(organisation, email, roles, acting=acting, source=source, basis=basis)


@transaction.atomic
def invite_first(*, organisation: Organisation, email: str, roles: list[Role]) -> Invitation:
    """Invite somebody to an organisation in which there is nobody yet who could, by its operator.

    Raises `MembershipRefused` once somebody is in it.
    """
    if organisation.memberships.exists():
        raise MembershipRefused("Somebody is in this organisation, who can invite others.")
    return _invite(organisation, email.strip().lower(), roles, acting=None)


def _invite(
    organisation: Organisation, email: str, roles: list[Role], *,
    acting: Actor | None, source: str = "", basis: str = "",
) -> Invitation:  # fmt: skip
    Invitation.objects.filter(
        organisation=organisation,
        email_token=token_of_email(email),
        accepted_at=None,
        withdrawn_at=None,
    ).update(withdrawn_at=timezone.now())
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=email,
        roles=[role.value for role in roles],
        secret_digest=digest_of_secret(secret),
        invited_by_id=acting.user_id if acting else None,
        source=source,
        basis=basis,
        expires_at=timezone.now() + INVITATION_LASTS,
    )
    record(
        action="invitation.sent",
        actor=acting or system_ref(),
        organisation_id=organisation.pk,
        target=("invitation", str(invitation.pk)),
        details={"roles": invitation.roles, "basis": basis},
    )
    transaction.on_commit(lambda: _send_invitation(invitation, secret))
    return invitation


def _send_invitation(invitation: Invitation, secret: str) -> None:
    link = settings.PUBLIC_URL + reverse("accounts:join", args=[secret])
    roles = ", ".join(ROLE_LABELS[Role(role)].lower() for role in invitation.roles)
    came = f"Your address came from: {invitation.source}.\n\n" if invitation.source else ""
    send_mail(
        f"Join {invitation.organisation} on Collimate",
        f"You are invited to join {invitation.organisation} as: {roles}.\n\n"
        f"Open this link within seven days to accept:\n{link}\n\n"
        f"{came}If you did not expect this, do nothing: the link ends by itself.",
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
    require_read(pack, read_digest)
    _require_open(invitation.organisation, [Role(role) for role in invitation.roles])
    user = User.objects.with_email(invitation.email).first()
    if user is None:
        user = User.objects.create_user(email=invitation.email, name=name, password=password)
        Profile.objects.create(user=user)
    elif not user.is_active:
        raise MembershipRefused(
            "The account of this address was closed. Ask the privacy office to delete it, or be "
            "invited under another address."
        )
    elif not user.check_password(password):
        raise MembershipRefused("You have an account already. Give its password to join with it.")
    membership, _ = Membership.objects.update_or_create(
        user=user, organisation=invitation.organisation,
        defaults={"is_active": True, "ended_at": None},
    )  # fmt: skip
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


def require_read(pack: Pack, read_digest: str) -> None:
    """Raise `MembershipRefused` unless this very version was shown to whoever accepts it."""
    if pack.digest != read_digest:
        raise MembershipRefused("The policy has changed since you opened this page. Read it anew.")


@transaction.atomic
def change_roles(*, acting: Actor, membership: Membership, roles: list[Role]) -> None:
    _require_open(membership.organisation, roles)
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
    _require_successor(membership, losing=set(INDISPENSABLE))
    membership.is_active, membership.ended_at = False, timezone.now()
    membership.save(update_fields=["is_active", "ended_at"])
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
    """End all memberships of a closed account, their tokens, and every session.

    Raises `MembershipRefused` where somebody else has to take a role over first.
    """
    for membership in user.memberships.filter(is_active=True).order_by("organisation_id"):
        _require_successor(membership, losing=set(INDISPENSABLE))
    now = timezone.now()
    ApiToken.objects.filter(membership__user=user, revoked_at=None).update(revoked_at=now)
    held = Membership.objects.filter(user=user)
    held.filter(is_active=True).update(is_active=False, ended_at=now)
    held.update(accepted_version_id=None)
    end_all_sessions(user=user)
    forget_use_of(user_id=user.pk)
    WorkSettings.objects.filter(membership__user=user).delete()


def sole_roles_of(membership: Membership, among: Iterable[Role] = INDISPENSABLE) -> list[Role]:
    """The roles of a membership that nobody else in the organisation has."""
    others = MembershipRole.objects.filter(
        membership__organisation_id=membership.organisation_id,
        membership__is_active=True,
        membership__user__is_active=True,
    ).exclude(membership=membership)
    covered = set(others.filter(role__in=INDISPENSABLE).values_list("role", flat=True))
    held = set(membership.roles.values_list("role", flat=True))
    return [role for role in INDISPENSABLE if role in among and role in held - covered]


def _require_successor(membership: Membership, *, losing: Collection[Role]) -> None:
    """Refuse to leave an organisation without anybody in a role that it cannot do without.

    The organisation is locked, so that two who leave at the same time are not each other's
    successor.
    """
    Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    for role in sole_roles_of(membership, losing) if membership.is_active else []:
        raise MembershipRefused(
            f"This is the organisation's last active {ROLE_LABELS[role].lower()}, "
            f"{INDISPENSABLE[role]}. First give this role to another member."
        )


def _require_open(organisation: Organisation, roles: Iterable[Role]) -> None:
    """In a closed organisation there are only those who answer for what is left."""
    if organisation.closed_at is not None and set(roles) - INDISPENSABLE.keys():
        raise MembershipRefused(
            "This organisation is closed. Only officers and administrators work for it."
        )


def _set_roles(membership: Membership, roles: list[Role]) -> None:
    _require_successor(membership, losing=set(INDISPENSABLE) - set(roles))
    membership.roles.exclude(role__in=roles).delete()
    for role in roles:
        MembershipRole.objects.get_or_create(membership=membership, role=role)
