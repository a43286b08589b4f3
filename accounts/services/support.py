"""Join a member's technical records with their account: a ticket, a reason, a while (C37).

Otherwise nobody but the member sees the two together (LIFEIMAGE-15.5, XENRAD-3.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, SignIn, SupportWindow, UsageEvent
from accounts.rules import Actor, Capability
from accounts.rules.support import SUPPORT_REASONS, WINDOW_HOURS, fault_of_ticket
from accounts.services.notifications import notify
from accounts.services.trail import record
from accounts.services.usage import use_of_member


class SupportRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def open_support_window(
    *, acting: Actor, membership: Membership, ticket: str, reason: str, hours: int
) -> SupportWindow:
    """Let whoever asks see one member's technical records, and tell the member at once.

    Raises `SupportRefused`: without a ticket, a reason, an end, or a fresh proof of who asks.
    """
    now = timezone.now()
    if not acting.can(Capability.JOIN_RECORDS) or acting.token_id is not None:
        raise SupportRefused("Only a privacy officer or an administrator can do this.")
    if membership.organisation_id != acting.organisation_id or not membership.is_active:
        raise SupportRefused("This person is no member of your organisation.")
    if not acting.is_fresh(now):
        raise SupportRefused("Prove again that it is you, then open the window.")
    if fault := fault_of_ticket(ticket):
        raise SupportRefused(fault)
    if reason not in SUPPORT_REASONS or hours not in WINDOW_HOURS:
        raise SupportRefused("Choose a reason, and for how long, from the list.")
    window = SupportWindow.objects.create(
        organisation_id=membership.organisation_id,
        member_id=membership.user_id,
        opened_by_id=acting.user_id,
        ticket=ticket,
        reason=reason,
        opened_at=now,
        ends_at=now + timedelta(hours=hours),
    )
    _write(acting, window, "records.joined", hours=hours, ticket=ticket.lower())
    notify(users=[membership.user], template="records-joined")
    return window


@dataclass(frozen=True, slots=True)
class TechnicalRecords:
    sign_ins: list[SignIn]
    uses: list[UsageEvent]


MOST_SHOWN = 200


@transaction.atomic
def read_joined_records(*, acting: Actor, window: SupportWindow) -> TechnicalRecords:
    """Give what the window is open for, and write down that it was looked at.

    Raises `SupportRefused` once its time is over, and to anybody but who opened it.
    """
    if window.opened_by_id != acting.user_id or not _may_join(acting, window.organisation_id):
        raise SupportRefused("Only whoever opened this window can look through it. Open your own.")
    if not window.is_open(timezone.now()):
        raise SupportRefused(
            "The time of this window is over. Open another, with the number of the ticket, if the"
            " problem is still there."
        )
    uses = UsageEvent.objects.filter(
        use_of_member(user_id=window.member_id, organisation_id=window.organisation_id)
    ).order_by("-day", "feature", "pk")
    sign_ins = SignIn.objects.filter(user_id=window.member_id).order_by("-seen_at")
    found = TechnicalRecords(list(sign_ins[:MOST_SHOWN]), list(uses[:MOST_SHOWN]))
    _write(acting, window, "records.read", lines=len(found.sign_ins) + len(found.uses))
    return found


@transaction.atomic
def close_support_window(*, acting: Actor, window: SupportWindow) -> None:
    """End a window before its time. Safe to repeat."""
    if not _may_join(acting, window.organisation_id):
        raise SupportRefused("Only a privacy officer or an administrator can do this.")
    now = timezone.now()
    if window.is_open(now):
        window.closed_at = now
        window.save(update_fields=["closed_at"])
        _write(acting, window, "records.closed")


def _may_join(acting: Actor, organisation_id: UUID) -> bool:
    """Somebody who works for two organisations acts for one of them at a time."""
    return acting.organisation_id == organisation_id and acting.can(Capability.JOIN_RECORDS)


def _write(acting: Actor, window: SupportWindow, action: str, **details: object) -> None:
    record(
        action=action,
        actor=acting,
        organisation_id=window.organisation_id,
        target=("account", str(window.member_id)),
        reason=window.reason,
        details={"window": str(window.pk), **details},
    )
