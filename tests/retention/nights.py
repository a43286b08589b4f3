"""Nights that end what is over, and accounts that were closed long ago."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import (
    User,
)
from consent.services.closing import close_account
from policies.rules.categories import PERSONAL
from policies.rules.gate import enter_use, use
from policies.rules.purposes import Purpose
from retention.services.records import purge_records
from tests.factories import Cast, actor_of
from tests.retention.cases import hospital

LAST_YEAR = timedelta(days=400)


@pytest.fixture(autouse=True)
def of_every_kind(a_duty_under_law: None) -> None:
    """What the job declares, which ends accounts and letters too."""
    enter_use(use(Purpose.LEGAL_OBLIGATION, *PERSONAL))


def purged(cast: Cast) -> dict[str, int]:
    """What tonight ends at the hospital."""
    report = purge_records(organisation=hospital(cast))
    return {code: line["gone"] for code, line in report.lines.items()} if report else {}


def closed(user: User, ago: timedelta = LAST_YEAR) -> User:
    close_account(actor=actor_of(user, fresh=True))
    User.objects.filter(pk=user.pk).update(closed_at=timezone.now() - ago)
    user.refresh_from_db()
    return user
