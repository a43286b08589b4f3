"""What is held about one's own account, by the names of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone

from accounts.models import (
    Acceptance,
    ApiToken,
    Authenticator,
    ChannelChoice,
    EmailChange,
    Invitation,
    MarketingChoice,
    Membership,
    MembershipRole,
    Notification,
    Profile,
    RecoveryCodes,
    SaleOptOut,
    SignIn,
    SupportWindow,
    UsageEvent,
    User,
    WorkSettings,
)
from accounts.rules import Actor
from accounts.services.trail import record
from accounts.services.usage import use_of
from policies.rules.categories import CATEGORIES
from policies.rules.inventory import fields_of


def invitations_to(user_id: int) -> Q:
    """Invitations to the person's address: they say where it came from (GDPR Art. 15(1)(g))."""
    return Q(email_token__in=User.objects.filter(pk=user_id).values("email_token"))


# Model, and the way from it to the person.
PARTS: list[tuple[type[Model], str | Callable[[int], Q]]] = [
    (User, "pk"),
    (Profile, "user_id"),
    (EmailChange, "user_id"),
    (Membership, "user_id"),
    (MembershipRole, "membership__user_id"),
    (Acceptance, "user_id"),
    (ApiToken, "membership__user_id"),
    (SignIn, "user_id"),
    (Invitation, invitations_to),
    (Authenticator, "user_id"),
    (RecoveryCodes, "user_id"),
    (Notification, "user_id"),
    (ChannelChoice, "user_id"),
    (MarketingChoice, "user_id"),
    (SaleOptOut, "user_id"),
    (UsageEvent, use_of),
    (SupportWindow, "member_id"),
    (WorkSettings, "membership__user_id"),
]


@transaction.atomic
def export_own_data(*, actor: Actor) -> dict[str, Any]:
    """Return all rows about the account, by category; secrets are left out, and named as such."""
    found = rows_of_account(actor.user_id)
    record(
        action="data.exported",
        actor=actor,
        target=("account", str(actor.user_id)),
        details={"parts": len(PARTS)},
    )
    return found


def rows_of_account(user_id: int, only: Collection[type[Model]] = ()) -> dict[str, Any]:
    """The rows themselves, of all models or of some; the caller writes down who got them."""
    found: dict[str, Any] = {"made_at": _plain(timezone.now()), "data": {}}
    for model, way in PARTS:
        if only and model not in only:
            continue
        entries = fields_of(model._meta.label)
        label = CATEGORIES[entries[0].category].label
        mine = Q(**{way: user_id}) if isinstance(way, str) else way(user_id)
        rows = model._default_manager.filter(mine).order_by("pk")
        part = {
            "source": CATEGORIES[entries[0].category].source.value,
            "rows": [_row(row, entries) for row in rows],
            "not_handed_out": [entry.label for entry in entries if not entry.exported],
        }
        found["data"].setdefault(label, {})[model._meta.verbose_name] = part
    return found


def _row(row: Model, entries: list[Any]) -> dict[str, Any]:
    return {
        entry.label: _plain(getattr(row, row._meta.get_field(entry.field).attname))  # type: ignore[union-attr]
        for entry in entries
        if entry.exported
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)
