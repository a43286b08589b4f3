"""Names of people: sealed, so the database can neither sort them nor find by them."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Membership, User
from vault.rules.blind_index import normalised


def by_name(memberships: Iterable[Membership]) -> list[Membership]:
    """Sort members of an organisation: by name, those who have left last.

    Here and not in the database, which cannot read the names.
    """
    return sorted(memberships, key=lambda one: (not one.is_active, normalised(one.user.name)))


def names_of(actor_ids: Iterable[str]) -> dict[str, str]:
    """The names of those whom events name by number: one query."""
    people = User.objects.filter(pk__in={one for one in actor_ids if one.isdigit()})
    return {str(one.pk): one.name for one in people.only("pk", "name", "seal_id")}
