"""The plan for disasters: written by administrators, measured by the portal, led by two people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record
from backups.models import RecoveryPlan
from backups.permissions import can_keep_devices
from backups.rules.messages import PLAN_DUE
from backups.rules.recovery import REMINDED_EVERY, Plan, Seen, refusal_to_write, shortfalls
from backups.selectors import last_good, last_good_drill


class PlanRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def write_plan(
    *, actor: Actor, owner: User, deputy: User, point_hours: int, time_hours: int, drill_days: int
) -> RecoveryPlan:
    """Write the plan of the actor's organisation anew. Raises `PlanRefused`."""
    assert actor.organisation_id is not None
    if not can_keep_devices(actor, actor.organisation_id):
        raise PlanRefused("Only administrators write the plan for disasters.")
    if refusal := refusal_to_write(owner=owner.pk, deputy=deputy.pk):
        raise PlanRefused(refusal)
    if _here(actor.organisation_id, owner.pk, deputy.pk) < 2:
        raise PlanRefused("Both of those who lead have to be members of the organisation.")
    # Two who write at once take turns.
    Organisation.objects.select_for_update().get(pk=actor.organisation_id)
    rows = RecoveryPlan.objects.filter(organisation_id=actor.organisation_id)
    plan = RecoveryPlan.objects.create(
        organisation_id=actor.organisation_id, owner=owner, deputy=deputy,
        number=(rows.aggregate(Max("number"))["number__max"] or 0) + 1, point_hours=point_hours,
        time_hours=time_hours, drill_days=drill_days, written_by_id=actor.user_id,
    )  # fmt: skip
    record(
        action="plan.written", actor=actor, organisation_id=actor.organisation_id,
        target=("plan", str(plan.number)),
        details={"point_hours": point_hours, "time_hours": time_hours, "drill_days": drill_days},
    )  # fmt: skip
    return plan


@dataclass(frozen=True, slots=True)
class Standing:
    """The plan of an organisation, and in what it is not kept at this moment."""

    plan: RecoveryPlan | None
    seen: Seen
    shortfalls: tuple[str, ...]


def standing_of(organisation_id: UUID) -> Standing:
    """Measure the latest plan by what the portal knows: four queries."""
    rows = RecoveryPlan.objects.filter(organisation_id=organisation_id)
    plan = rows.select_related("owner", "deputy", "written_by").order_by("-number").first()
    return _measured(plan, _seen())


def _measured(plan: RecoveryPlan | None, seen: Seen) -> Standing:
    found = _as_rule(plan) if plan else None
    return Standing(plan, seen, tuple(shortfalls(found, seen, timezone.now())))


def _seen() -> Seen:
    backup, drill = last_good(), last_good_drill()
    return Seen(
        backup.begun_at if backup else None,
        drill.began_at if drill else None,
        timedelta(seconds=drill.seconds) if drill else None,
    )


def _as_rule(plan: RecoveryPlan) -> Plan:
    return Plan(
        timedelta(hours=plan.point_hours), timedelta(hours=plan.time_hours),
        timedelta(days=min(plan.drill_days, settings.BACKUP_DRILL_DAYS)), plan.written_at,
        _here(plan.organisation_id, plan.owner_id, plan.deputy_id),
    )  # fmt: skip


def _here(organisation_id: UUID, *user_ids: int) -> int:
    people = Membership.objects.filter(
        organisation_id=organisation_id, user_id__in=user_ids, is_active=True, user__is_active=True
    )
    return people.values("user_id").distinct().count()


def remind_of_plans() -> int:
    """Tell those who lead of what is not kept, weekly while that lasts; returns how many plans."""
    now, seen, told = timezone.now(), _seen(), 0
    latest = RecoveryPlan.objects.filter(organisation__is_active=True).order_by(
        "organisation_id", "-number"
    )
    done: set[UUID] = set()
    for plan in latest.select_related("owner", "deputy"):
        if plan.organisation_id in done:
            continue
        done.add(plan.organisation_id)
        is_late = plan.reminded_at is None or plan.reminded_at <= now - REMINDED_EVERY
        if is_late and _measured(plan, seen).shortfalls:
            with transaction.atomic():
                RecoveryPlan.objects.filter(pk=plan.pk).update(reminded_at=now)
                notify(
                    users=User.objects.filter(pk__in=[plan.owner_id, plan.deputy_id]),
                    template=PLAN_DUE,
                )
            told += 1
    return told
