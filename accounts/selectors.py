from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    MembershipRole,
    Organisation,
    SignIn,
    User,
)
from accounts.rules import (
    Actor,
    Factor,
    Role,
    Scope,
    capabilities_of,
    digest_of_secret,
)


def _actor(user: User, roles: Iterable[MembershipRole], **more: object) -> Actor:
    """Build the actor from rows that all belong to one membership."""
    rows = list(roles)
    if not rows:
        return Actor(user_id=user.pk, name=user.name, **more)  # type: ignore[arg-type]
    membership = rows[0].membership
    held = frozenset(Role(row.role) for row in rows)
    return Actor(
        user_id=user.pk,
        name=user.name,
        organisation_id=membership.organisation_id,
        organisation_name=membership.organisation.name,
        membership_id=membership.pk,
        roles=held,
        capabilities=capabilities_of(held),
        **more,  # type: ignore[arg-type]
    )


def actor_of_session(user: User, session: SessionBase) -> Actor:
    """Say who asks in a signed-in browser, in the organisation they chose to work for."""
    rows = list(
        MembershipRole.objects.filter(
            membership__user=user,
            membership__is_active=True,
            membership__organisation__is_active=True,
        )
        .select_related("membership__organisation")
        .order_by("membership__created_at", "pk")
    )
    chosen = session.get("membership_id")
    ids = [str(row.membership_id) for row in rows]
    current = chosen if chosen in ids else (ids[0] if ids else None)
    stepped_up = session.get("stepped_up_at")
    return _actor(
        user,
        [row for row in rows if str(row.membership_id) == current],
        session=digest_of_secret(session.session_key or "")[:16],
        stepped_up_at=datetime.fromisoformat(stepped_up) if stepped_up else None,
        factor=session.get("factor", ""),
    )


# Asked on every request of a program, so it is not put together anew each time.
_ASKER_SQL = """
    SELECT t.id, t.scopes, m.id, o.id, o.name, u.id, u.name, r.role
    FROM accounts_apitoken t
    JOIN accounts_membership m ON m.id = t.membership_id
    JOIN accounts_organisation o ON o.id = m.organisation_id
    JOIN accounts_user u ON u.id = m.user_id
    JOIN accounts_membershiprole r ON r.membership_id = m.id
    WHERE t.secret_digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s
      AND m.is_active AND o.is_active AND u.is_active
"""


def actor_of_token(secret: str) -> Actor | None:
    """Say who asks with a bearer token, or None if it is unknown, expired or revoked."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKER_SQL, [digest_of_secret(secret), timezone.now()])
        rows = cursor.fetchall()
    if not rows:
        return None
    token_id, scopes, membership_id, organisation_id, organisation, user_id, name, _ = rows[0]
    held = frozenset(Role(row[-1]) for row in rows)
    return Actor(
        user_id=user_id,
        name=name,
        organisation_id=as_uuid(organisation_id),
        organisation_name=organisation,
        membership_id=as_uuid(membership_id),
        roles=held,
        capabilities=capabilities_of(held),
        token_id=as_uuid(token_id),
        scopes=frozenset(Scope(scope) for scope in json.loads(scopes)),
    )


def as_uuid(value: UUID | str) -> UUID:
    """SQLite keeps identifiers as text."""
    return value if isinstance(value, UUID) else UUID(value)


def actor_of_user(user: User, organisation: Organisation | None = None) -> Actor:
    """Say who acts where there is no request: a command or a job on someone's behalf."""
    rows = MembershipRole.objects.filter(
        membership__user=user, membership__is_active=True
    ).select_related("membership__organisation")
    if organisation is not None:
        rows = rows.filter(membership__organisation=organisation)
    held = list(rows.order_by("membership__created_at", "pk"))
    return _actor(user, [row for row in held if row.membership_id == held[0].membership_id])


def factors_of(user: User) -> dict[Factor, int]:
    """Count a person's ways to prove who they are, beyond the password."""
    counts = {
        Factor.TOTP: TOTPDevice.objects.filter(user=user, confirmed=True).count(),
        Factor.PASSKEY: WebAuthnCredential.objects.filter(user=user, confirmed=True).count(),
        Factor.RECOVERY: sum(
            device.token_set.count() for device in StaticDevice.objects.filter(user=user)
        ),
    }
    return {factor: count for factor, count in counts.items() if count}


def has_second_factor(user: User) -> bool:
    found = factors_of(user)
    return Factor.TOTP in found or Factor.PASSKEY in found


def live_sign_ins_of(user: User) -> QuerySet[SignIn]:
    return SignIn.objects.filter(user=user, ended_at=None).order_by("-seen_at")


def live_tokens_of(membership_id: UUID | None) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(
        membership_id=membership_id, revoked_at=None, expires_at__gt=timezone.now()
    ).order_by("-created_at")


def memberships_of_user(user_id: int) -> QuerySet[Membership]:
    return (
        Membership.objects.filter(user_id=user_id, is_active=True, organisation__is_active=True)
        .select_related("organisation")
        .order_by("created_at")
    )


def members_of(organisation_id: UUID) -> QuerySet[Membership]:
    return (
        Membership.objects.filter(organisation_id=organisation_id)
        .select_related("user")
        .prefetch_related("roles")
        .order_by("-is_active", "user__name")
    )


def open_invitations_of(organisation_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        organisation_id=organisation_id,
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=timezone.now(),
    ).order_by("-created_at")


def open_invitation(secret: str) -> Invitation | None:
    return (
        Invitation.objects.select_related("organisation")
        .filter(
            secret_digest=digest_of_secret(secret),
            accepted_at=None,
            withdrawn_at=None,
            expires_at__gt=timezone.now(),
        )
        .first()
    )


def possible_recipients(asker: Actor) -> QuerySet[Membership]:
    """Clinicians of other organisations, whom images can be shared with."""
    return (
        Membership.objects.filter(
            is_active=True,
            user__is_active=True,
            organisation__is_active=True,
            roles__role=Role.CLINICIAN,
        )
        .exclude(organisation_id=asker.organisation_id)
        .select_related("user", "organisation")
        .order_by("organisation__name", "user__name")
    )


def officers_of(organisation_id: UUID) -> QuerySet[User]:
    return User.objects.filter(
        is_active=True,
        memberships__organisation_id=organisation_id,
        memberships__is_active=True,
        memberships__roles__role=Role.OFFICER,
    ).distinct()
