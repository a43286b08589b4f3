"""What is held about one's own account, by the names of the inventory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import (
    Acceptance,
    ApiToken,
    ChannelChoice,
    MarketingChoice,
    Membership,
    MembershipRole,
    Notification,
    Profile,
    SaleOptOut,
    SignIn,
    User,
)
from accounts.rules import Actor
from accounts.services.trail import record
from policies.rules.categories import CATEGORIES
from policies.rules.inventory import fields_of

# Model, and the way from it to the person.
PARTS: list[tuple[type[Model], str]] = [
    (User, "pk"),
    (Profile, "user_id"),
    (Membership, "user_id"),
    (MembershipRole, "membership__user_id"),
    (Acceptance, "user_id"),
    (ApiToken, "membership__user_id"),
    (SignIn, "user_id"),
    (Notification, "user_id"),
    (ChannelChoice, "user_id"),
    (MarketingChoice, "user_id"),
    (SaleOptOut, "user_id"),
]


@transaction.atomic
def export_own_data(*, actor: Actor) -> dict[str, Any]:
    """Return all rows about the account, by category; secrets are left out, and named as such."""
    found: dict[str, Any] = {"made_at": _plain(timezone.now()), "data": {}}
    for model, way in PARTS:
        entries = fields_of(model._meta.label)
        label = CATEGORIES[entries[0].category].label
        rows = model._default_manager.filter(**{way: actor.user_id}).order_by("pk")
        part = {
            "source": CATEGORIES[entries[0].category].source.value,
            "rows": [_row(row, entries) for row in rows],
            "not_handed_out": [entry.label for entry in entries if not entry.exported],
        }
        found["data"].setdefault(label, {})[model._meta.verbose_name] = part
    record(
        action="data.exported",
        actor=actor,
        target=("account", str(actor.user_id)),
        details={"parts": len(PARTS)},
    )
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
