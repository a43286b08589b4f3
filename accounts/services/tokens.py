from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Agreement, ApiToken, Membership
from accounts.rules import TOKEN_LASTS_AT_MOST, Actor, Scope, digest_of_secret
from accounts.services.trail import record


class TokenRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def issue_token(
    *,
    acting: Actor,
    membership: Membership,
    name: str,
    scopes: list[Scope],
    lasts: timedelta,
    agreement: Agreement | None = None,
) -> tuple[ApiToken, str]:
    """Issue a token and return it with its secret, which is kept nowhere.

    With `agreement` it is a partner's: it sends and does nothing else, under an agreement in
    force, and stops with it (LIFEIMAGE-3.1).
    """
    if agreement is not None:
        _check_partner(membership, agreement, scopes)
    secret = "clm_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        membership=membership,
        name=name,
        agreement=agreement,
        secret_digest=digest_of_secret(secret),
        scopes=[scope.value for scope in scopes],
        expires_at=timezone.now() + min(lasts, TOKEN_LASTS_AT_MOST),
    )
    record(
        action="token.issued",
        actor=acting,
        organisation_id=membership.organisation_id,
        target=("token", str(token.pk)),
        details={"scopes": token.scopes},
    )
    return token, secret


def _check_partner(membership: Membership, agreement: Agreement, scopes: list[Scope]) -> None:
    if agreement.organisation_id != membership.organisation_id:
        raise TokenRefused("This agreement is another organisation's.")
    if not agreement.term.holds(timezone.localdate()):
        raise TokenRefused("The agreement is not in force. Record the one that is.")
    if set(scopes) != {Scope.WRITE}:
        raise TokenRefused("A partner's program can send studies, and nothing else. Choose that.")


@transaction.atomic
def revoke_token(*, acting: Actor, token: ApiToken) -> None:
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    record(
        action="token.revoked",
        actor=acting,
        organisation_id=token.membership.organisation_id,
        target=("token", str(token.pk)),
    )
