"""Write, find and forget records of use (C37). One insert, after the answer has gone out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from accounts.index import pseudonym_of, pseudonyms_kept
from accounts.models import Membership, Organisation, UsageEvent
from accounts.rules.use import feature_of, outcome_of, period_of, purpose_of_use
from policies.rules.pack import Pack
from policies.rules.purposes import OF_USE
from policies.selectors import packs_held

log = logging.getLogger(__name__)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Visit:
    """What of a request and its answer goes into a line. `user_id` None: nobody signed in."""

    organisation_id: UUID
    user_id: int | None
    page: str
    from_page: str
    browser: str
    status: int
    took_ms: int


def note_use(*, pack: Pack, kinds: frozenset[str], visit: Visit) -> None:
    """Write one line, of the kinds that may be noted. A line that cannot be written is lost."""
    failed = visit.status >= 400
    if "usage" not in kinds or (failed and "errors" not in kinds):
        return
    try:
        line_of(pack=pack, kinds=kinds, visit=visit).save(force_insert=True)
    except DatabaseError as error:
        # Nobody's page waits for it, and nobody's page fails for it.
        log.warning("A record of use was lost: %s", type(error).__name__)


def line_of(*, pack: Pack, kinds: frozenset[str], visit: Visit) -> UsageEvent:
    today = timezone.now().date()
    pseudonym = ""
    if visit.user_id is not None:
        pseudonym = pseudonym_of(
            organisation_id=visit.organisation_id,
            user_id=visit.user_id,
            period=period_of(today),
        )
    return UsageEvent(
        organisation_id=visit.organisation_id,
        day=today,
        pseudonym=pseudonym,
        feature=feature_of(visit.page),
        page=visit.page,
        from_page=visit.from_page if "clicks" in kinds and feature_of(visit.from_page) else "",
        browser=visit.browser,
        outcome=outcome_of(visit.status).value,
        took_ms=visit.took_ms if "performance" in kinds else None,
        forget_on=today + timedelta(days=pack["logs.keep_days"]),
    )


def use_of(user_id: int) -> Q:
    """The lines of one person, in all organisations they are or were a member of."""
    organisations = Membership.objects.filter(user_id=user_id).values_list(
        "organisation_id", flat=True
    )
    return _lines_of(user_id, organisations)


def use_of_member(*, user_id: int, organisation_id: UUID) -> Q:
    return _lines_of(user_id, [organisation_id])


def _lines_of(user_id: int, organisations: Iterable[UUID]) -> Q:
    members = [(one, user_id) for one in organisations]
    return Q(pseudonym__in=pseudonyms_kept(members, timezone.now().date()))


def forget_use_of(*, user_id: int, organisation_id: UUID | None = None) -> int:
    """Delete somebody's lines, and with them the tie to their account. Safe to repeat."""
    lines = (
        use_of(user_id)
        if organisation_id is None
        else use_of_member(user_id=user_id, organisation_id=organisation_id)
    )
    return UsageEvent.objects.filter(lines).delete()[0]


def forget_old_use(today: date) -> int:
    """Delete lines whose day has come, and those that the policy in force would not keep.

    And what was written in the very moment in which somebody objected or closed their account.
    """
    gone = UsageEvent.objects.filter(forget_on__lte=today).delete()[0]
    for organisation_id in Organisation.objects.values_list("pk", flat=True):
        lines = UsageEvent.objects.filter(organisation_id=organisation_id)
        held = packs_held(organisation_id)
        if held and purpose_of_use(held[-1]) is not None:
            lines = lines.filter(day__lte=today - timedelta(days=held[-1]["logs.keep_days"]))
        gone += lines.delete()[0]
    left = Membership.objects.filter(~Q(objected_to=[]) | Q(user__is_active=False)).select_related(
        "user"
    )
    members = [(one.organisation_id, one.user_id) for one in left if not _is_noted(one)]
    names = pseudonyms_kept(members, today)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        gone += UsageEvent.objects.filter(pseudonym__in=some).delete()[0]
    return gone


def _is_noted(membership: Membership) -> bool:
    return membership.user.is_active and not {*membership.objected_to} & {*OF_USE}
