"""Keyed hashes of this room: what stands for an account in records of use (C37).

The key follows from the portal's secret, which is not in the database: a copy of the database
ties no line to an account, and one period's lines to no other's. The pseudonym changes every four
weeks, for as long as the longest trend that the report shows, so nothing longer can be followed.
For one person it can be worked out again: that is how their own lines get into their export, and
go with their account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from accounts.rules.use import periods_kept
from policies.rules.logs import USE

_SALT: Final = "collimate/pseudonym-of-use@v1"
_DIGITS: Final = 32


def pseudonym_of(*, organisation_id: UUID, user_id: int, period: int) -> str:
    """The pseudonym of an account in an organisation during four weeks."""
    value = f"{organisation_id}/{period}/{user_id}"
    return salted_hmac(_SALT, value, algorithm="sha256").hexdigest()[:_DIGITS]


def pseudonyms_kept(members: Iterable[tuple[UUID, int]], today: date) -> list[str]:
    """All that can still stand in a line for these pairs of organisation and account."""
    assert USE.kept is not None
    periods = periods_kept(today, USE.kept.days)
    return [
        pseudonym_of(organisation_id=organisation_id, user_id=user_id, period=period)
        for organisation_id, user_id in members
        for period in periods
    ]
