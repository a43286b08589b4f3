"""Taking out of an account whatever says who it was of, and what signs it in.

The row itself stays, with its number: shares, approvals and the trail point at it, and say who
did what by that number alone. Keys of the platform seal accounts, so older backups end with their
own keys (backups.services.rotating).
"""

from __future__ import annotations

import secrets
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential, WebAuthnUserHandle

from accounts.models import (
    ApiToken,
    Authenticator,
    ChannelChoice,
    EmailChange,
    Invitation,
    MarketingChoice,
    Notification,
    Profile,
    RecoveryCodes,
    SaleOptOut,
    SignIn,
    User,
    WorkSettings,
)
from accounts.services.own_data import invitations_to
from accounts.services.sign_in import end_all_sessions
from accounts.services.trail import record, system_ref
from accounts.services.usage import forget_use_of

# What pages show where the name of somebody stood who is erased.
FORMER = "Former member"
# Addresses that nobody can have (RFC 2606), so that the column of addresses stays unique.
NOWHERE = "erased.invalid"

SIGNS_IN = (Authenticator, RecoveryCodes, WebAuthnCredential, WebAuthnUserHandle)
_OF_ACCOUNT = (
    Profile, EmailChange, SignIn, Notification, ChannelChoice, MarketingChoice, SaleOptOut,
)  # fmt: skip


class StillOpen(Exception):
    """Only what is closed can be erased."""


def erase_credentials(user: User) -> None:
    """Destroy whatever signs in a closed account; it cannot be opened again. Safe to repeat."""
    _require_closed(user)
    for model in SIGNS_IN:
        model.objects.filter(user=user).delete()
    ApiToken.objects.filter(membership__user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])


@transaction.atomic
def erase_account(*, user: User, reason: str) -> None:
    """Erase name, address, profession, messages and settings of a closed account.

    Acceptances, memberships and acts stay, under the number. Raises `StillOpen`. Safe to repeat.
    """
    row = User.objects.select_for_update().get(pk=user.pk)
    _require_closed(row)
    if row.erased_at is not None:
        return
    end_all_sessions(user=row)
    erase_credentials(row)
    Invitation.objects.filter(invitations_to(row.pk)).delete()
    for model in _OF_ACCOUNT:
        model.objects.filter(user=row).delete()
    WorkSettings.objects.filter(membership__user=row).delete()
    forget_use_of(user_id=row.pk)
    # Sealed under another number than before: what was sealed for the old one opens here no more.
    row.seal_id = uuid4()
    row.email = f"{secrets.token_hex(16)}@{NOWHERE}"
    row.name, row.phone, row.residence, row.last_login = FORMER, "", "", None
    row.erased_at = timezone.now()
    row.save()
    record(
        action="account.erased", actor=system_ref(), target=("account", str(row.pk)),
        details={"reason": reason},
    )  # fmt: skip


def _require_closed(user: User) -> None:
    if user.is_active or user.closed_at is None:
        raise StillOpen(f"account {user.pk} is open")
