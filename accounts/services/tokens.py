from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, Membership
from accounts.rules import TOKEN_LASTS_AT_MOST, Actor, Scope, digest_of_secret
from accounts.services.trail import record


@transaction.atomic
def issue_token(
    *, acting: Actor, membership: Membership, name: str, scopes: list[Scope], lasts: timedelta
) -> tuple[ApiToken, str]:
    """Issue a token and return it with its secret, which is kept nowhere."""
    secret = "clm_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        membership=membership,
        name=name,
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
