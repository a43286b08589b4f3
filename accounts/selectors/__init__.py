from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from accounts.fields import open_text
from accounts.models import (
    ApiToken,
    Authenticator,
    ChannelChoice,
    Invitation,
    Membership,
    MembershipRole,
    Notification,
    Organisation,
    RecoveryCode,
    SignIn,
    User,
)
from accounts.rules import (
    STEP_UP_LASTS,
    Actor,
    Factor,
    Role,
    Scope,
    capabilities_of,
    digest_of_secret,
    first_factor_of,
)
from accounts.rules.messages import Category, Channel
from accounts.rules.tracking import SignalFlags
from policies.rules.pack import Pack
from policies.selectors import packs_held
from vault.rules.blind_index import normalised


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
        organisation_slug=membership.organisation.slug,
        membership_id=membership.pk,
        roles=held,
        capabilities=capabilities_of(held),
        accepted_version=membership.accepted_version_id,
        objected_to=frozenset(membership.objected_to),
        step_up_lasts=step_up_lasts(membership.organisation_id),
        **more,  # type: ignore[arg-type]
    )


def step_up_lasts(organisation_id: UUID) -> timedelta:
    held = packs_held(organisation_id)
    return timedelta(minutes=held[-1]["auth.step_up_minutes"]) if held else STEP_UP_LASTS


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
    stepped_up, proved = session.get("stepped_up_at"), session.get("first_proved_at")
    return _actor(
        user,
        [row for row in rows if str(row.membership_id) == current],
        session=digest_of_secret(session.session_key or "")[:16],
        stepped_up_at=datetime.fromisoformat(stepped_up) if stepped_up else None,
        factor=session.get("factor", ""),
        first_factor=session.get("first_factor") or first_factor_of(session.get("factor", "")),
        first_proved_at=datetime.fromisoformat(proved) if proved else None,
    )


# Asked on every request of a program, so it is not put together anew each time.
_ASKER_SQL = """
    SELECT t.id, t.scopes, m.id, o.id, o.name, u.id, u.name, u.seal_id,
           m.accepted_version_id, t.agreement_id, r.role
    FROM accounts_apitoken t
    LEFT JOIN accounts_agreement a ON a.id = t.agreement_id
    JOIN accounts_membership m ON m.id = t.membership_id
    JOIN accounts_organisation o ON o.id = m.organisation_id
    JOIN accounts_user u ON u.id = m.user_id
    JOIN accounts_membershiprole r ON r.membership_id = m.id
    WHERE t.secret_digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s
      AND m.is_active AND o.is_active AND u.is_active
      AND (t.agreement_id IS NULL OR (
        a.starts_on <= %s AND (a.ends_on IS NULL OR a.ends_on >= %s)
        AND (a.ended_on IS NULL OR a.ended_on > %s)
      ))
"""


def actor_of_token(secret: str) -> Actor | None:
    """Say who asks with a bearer token, or None if it is unknown, expired or revoked."""
    with connection.cursor() as cursor:
        today = timezone.localdate()
        cursor.execute(_ASKER_SQL, [digest_of_secret(secret), timezone.now(), today, today, today])
        rows = cursor.fetchall()
    if not rows:
        return None
    token_id, scopes, membership_id, organisation_id, organisation, user_id = rows[0][:6]
    name, seal_id, accepted, agreement = rows[0][6:10]
    held = frozenset(Role(row[-1]) for row in rows)
    return Actor(
        user_id=user_id,
        name=open_text(bytes(name), place="account.name", row=as_uuid(seal_id)),
        organisation_id=as_uuid(organisation_id),
        organisation_name=organisation,
        membership_id=as_uuid(membership_id),
        roles=held,
        capabilities=capabilities_of(held),
        accepted_version=as_uuid(accepted) if accepted else None,
        token_id=as_uuid(token_id),
        agreement_id=as_uuid(agreement) if agreement else None,
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
        Factor.TOTP: Authenticator.objects.filter(user=user, confirmed=True).count(),
        Factor.PASSKEY: WebAuthnCredential.objects.filter(user=user, confirmed=True).count(),
        Factor.RECOVERY: RecoveryCode.objects.filter(codes__user=user).count(),
    }
    return {factor: count for factor, count in counts.items() if count}


def packs_of_user(user: User) -> list[Pack]:
    """The policies in force of all organisations that a person works for."""
    ids = memberships_of_user(user.pk).values_list("organisation_id", flat=True)
    return [held[-1] for one in ids if (held := packs_held(one))]


def password_length_for(user: User) -> int:
    """The longest of what the policies of the person's organisations ask for."""
    lengths: list[int] = [pack["auth.password_length"] for pack in packs_of_user(user)]
    return max([12, *lengths])


def factors_allowed_to(user: User) -> frozenset[Factor]:
    """The second factors that all of the person's organisations allow."""
    allowed = set(Factor)
    for pack in packs_of_user(user):
        allowed &= {Factor(one) for one in pack["auth.factors"]} | {Factor.DEMO}
    return frozenset(allowed)


def usable_factors_of(user: User) -> dict[Factor, int]:
    """Of what a person has set up, what the policies let prove anything."""
    allowed = factors_allowed_to(user)
    return {factor: count for factor, count in factors_of(user).items() if factor in allowed}


def must_enrol(user: User) -> bool:
    """Has this person no second factor left that the policies allow?"""
    return not {Factor.TOTP, Factor.PASSKEY} & set(usable_factors_of(user))


def entry_factors_of(user: User) -> dict[Factor, int]:
    """What a person can begin a session with.

    Where a policy has dropped all that they had, that still opens one thing: setting up another.
    A password alone must not, for whoever stole it would set up a factor of their own.
    """
    if not must_enrol(user):
        return usable_factors_of(user)
    held = factors_of(user)
    return {factor: held[factor] for factor in (Factor.TOTP, Factor.PASSKEY) if factor in held}


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
        .order_by("-is_active", "pk")
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


def members_to_tell(organisation_id: UUID) -> QuerySet[User]:
    """Everybody who works for an organisation and has an open account."""
    return User.objects.filter(
        is_active=True,
        memberships__organisation_id=organisation_id,
        memberships__is_active=True,
    ).distinct()


def possible_recipients(asker: Actor) -> list[Membership]:
    """Clinicians of other organisations, whom images can be shared with."""
    found = (
        Membership.objects.filter(
            is_active=True,
            user__is_active=True,
            organisation__is_active=True,
            roles__role=Role.CLINICIAN,
        )
        .exclude(organisation_id=asker.organisation_id)
        .select_related("user", "organisation")
    )
    return sorted(found, key=lambda one: (one.organisation.name, normalised(one.user.name)))


def officers_of(organisation_id: UUID) -> QuerySet[User]:
    return people_with([organisation_id], Role.OFFICER)


def other_organisations(organisation_id: UUID | None) -> QuerySet[Organisation]:
    """Who else takes part in the portal."""
    return Organisation.objects.filter(is_active=True).exclude(pk=organisation_id).order_by("name")


def those_who_answer(organisation_ids: Collection[UUID]) -> QuerySet[User]:
    """Officers and administrators of these organisations: whom others turn to."""
    return people_with(organisation_ids, Role.OFFICER, Role.ADMINISTRATOR)


def administrators_of(organisation_id: UUID) -> QuerySet[User]:
    return people_with([organisation_id], Role.ADMINISTRATOR)


def clinicians_of(organisation_id: UUID) -> QuerySet[User]:
    """Whom a share with a whole organisation reaches."""
    return people_with([organisation_id], Role.CLINICIAN)


def people_with(organisation_ids: Collection[UUID], *roles: Role) -> QuerySet[User]:
    """Who has one of these roles in one of these organisations, with an open account."""
    return User.objects.filter(
        is_active=True,
        memberships__organisation_id__in=organisation_ids,
        memberships__is_active=True,
        memberships__roles__role__in=roles,
    ).distinct()


# Messages -----------------------------------------------------------------------------------------
def notifications_of(actor: Actor) -> QuerySet[Notification]:
    return Notification.objects.filter(user_id=actor.user_id, in_portal=True).order_by(
        "-created_at", "pk"
    )


@dataclass(frozen=True, slots=True)
class OpenMessages:
    """What a person has not read, and which announcements wait to be acknowledged."""

    unread: int
    waiting: int


def open_messages_of(actor: Actor) -> OpenMessages:
    counts = Notification.objects.filter(user_id=actor.user_id).aggregate(
        unread=Count("pk", filter=Q(in_portal=True, read_at=None)),
        waiting=Count("pk", filter=Q(needs_acknowledgement=True, acknowledged_at=None)),
    )
    return OpenMessages(**counts)


def announcements_waiting_for(actor: Actor) -> QuerySet[Notification]:
    return Notification.objects.filter(
        user_id=actor.user_id, needs_acknowledgement=True, acknowledged_at=None
    ).order_by("created_at")


def choices_of(user_ids: Iterable[int], category: Category) -> dict[int, dict[Channel, bool]]:
    """What these people chose for one category, by person and way."""
    chosen: dict[int, dict[Channel, bool]] = {}
    for row in ChannelChoice.objects.filter(user_id__in=list(user_ids), category=category):
        chosen.setdefault(row.user_id, {})[Channel(row.channel)] = row.wanted
    return chosen


def all_choices_of(user: User) -> dict[Category, dict[Channel, bool]]:
    chosen: dict[Category, dict[Channel, bool]] = {}
    for row in ChannelChoice.objects.filter(user=user):
        chosen.setdefault(Category(row.category), {})[Channel(row.channel)] = row.wanted
    return chosen


def signal_flags(organisation_id: UUID | None) -> SignalFlags:
    """Which signals of browsers count, by the policy in force."""
    held = packs_held(organisation_id) if organisation_id else ()
    if not held:
        return SignalFlags()
    return SignalFlags(gpc=held[-1]["signals.gpc"], dnt=held[-1]["signals.dnt"])
