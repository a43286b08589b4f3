"""What a change of policy does to members (policies.rules.impact)."""

from __future__ import annotations

from uuid import UUID

from django_otp_webauthn.models import WebAuthnCredential

from accounts.models import Authenticator, Membership, SignIn, User
from policies.rules.impact import Impact, Values


def impact_on_members(organisation_id: UUID, before: Values, after: Values) -> list[Impact]:
    members = User.objects.filter(
        memberships__in=Membership.objects.filter(organisation_id=organisation_id, is_active=True),
        is_active=True,
    ).distinct()
    found = [Impact(members.count(), "members will be asked to read and accept the new version.")]
    if _tightened(before, after, "session.idle_minutes", "session.absolute_hours"):
        live = SignIn.objects.filter(user__in=members, ended_at=None)
        found.append(Impact(live.count(), "open sessions will end sooner."))
    dropped = set(before["auth.factors"]) - set(after["auth.factors"])
    if dropped & {"totp", "passkey"}:
        found.append(
            Impact(
                _without_factor(members, after),
                "members will have to set up another second factor.",
            )
        )
    return found


def _tightened(before: Values, after: Values, *paths: str) -> bool:
    return any(after[path] < before[path] for path in paths)


def _without_factor(members: object, after: Values) -> int:
    """Members who use a second factor now, and none that the draft allows."""
    held: set[int] = set()
    using: set[int] = set()
    for code, model in (("totp", Authenticator), ("passkey", WebAuthnCredential)):
        owners = set(
            model.objects.filter(user__in=members, confirmed=True).values_list("user_id", flat=True)
        )
        using |= owners
        if code in after["auth.factors"]:
            held |= owners
    return len(using - held)
