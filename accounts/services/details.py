"""What people say of themselves: changed by them, at any time, and at once for everybody."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts.models import Profile, User
from accounts.rules import Actor
from accounts.services.trail import record


@transaction.atomic
def change_details(*, actor: Actor, user: User, profile: Profile, fields: Iterable[str]) -> None:
    """Save what was changed in these rows, and write down which fields, not what stands in them."""
    user.save(update_fields=["name", "residence", "phone"])
    profile.save()
    record(action="profile.changed", actor=actor, details={"fields": sorted(fields)})
