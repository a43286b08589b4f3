"""What is kept of an address at which somebody failed to sign in: a keyed hash (django-axes)."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from accounts.fields import token_of_email


def name_of_attempt(_request: HttpRequest, credentials: Mapping[str, str] | None) -> str | None:
    """Under what the tries at one address are counted. Nobody finds the address from it."""
    address = (credentials or {}).get("username")
    return token_of_email(address).hex() if address else None
