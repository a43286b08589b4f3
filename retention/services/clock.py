"""Watching the clock: a year set forward would make everything due, a year back hides approvals."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor, Capability
from accounts.services.trail import record
from retention.models import ClockMark
from retention.rules.disposal import fault_of_clock
from retention.services.refusals import NotYours, ProveAgain


class ClockJumped(Exception):
    """The clock cannot be trusted; the words say what was seen."""


@transaction.atomic
def mark_clock() -> str:
    """Note what time it is, unless the clock has jumped; return what is wrong with it."""
    row = ClockMark.objects.select_for_update().first()
    now = timezone.now()
    fault = fault_of_clock(row.seen_at if row else None, now)
    if not fault:
        # Never back: within what is tolerated, the latest moment counts.
        seen_at = max(now, row.seen_at) if row else now
        ClockMark.objects.update_or_create(pk=1, defaults={"seen_at": seen_at})
    return fault


def require_clock(*, not_before: datetime | None = None) -> None:
    """Raise `ClockJumped` where nothing may be destroyed at the time that it claims to be."""
    now, row = timezone.now(), ClockMark.objects.first()
    if fault := fault_of_clock(row.seen_at if row else None, now):
        raise ClockJumped(fault)
    if not_before is not None and now < not_before:
        raise ClockJumped(f"the clock stands at {now:%Y-%m-%d %H:%M}, before the approval")


@transaction.atomic
def confirm_clock(*, actor: Actor) -> None:
    """Let a person say that the time is right: after a long stop, or a repair."""
    if not actor.can(Capability.APPROVE_DISPOSAL):
        raise NotYours("Only privacy officers and administrators can confirm the clock.")
    if not actor.is_fresh(timezone.now()):
        raise ProveAgain("Prove again that it is you, then confirm the clock.")
    before = ClockMark.objects.select_for_update().first()
    ClockMark.objects.update_or_create(pk=1, defaults={"seen_at": timezone.now()})
    record(
        action="clock.confirmed", actor=actor, target=("clock", "1"),
        details={"before_at": before.seen_at if before else None},
    )  # fmt: skip
