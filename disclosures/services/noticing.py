"""Whoever a case is about is told before anything goes out, unless that is prohibited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from disclosures.models import Disclosure, Item, Notice, Release
from disclosures.rules.messages import MADE, NOTICE_DUE, TOLD
from disclosures.rules.standing import (
    WAITING_DAYS,
    refusal_of_prohibition,
    refusal_of_waiting,
)
from disclosures.sealing import OpenDisclosure
from disclosures.selectors import Concerned, accounts_of, concerned_by, items_of, today_of
from disclosures.services.entries import (
    DisclosureRefused,
    for_officer,
    people_in_charge,
    write_event,
)
from dsar.rules.words import readable
from policies.rules.citations import tidy_citation


@dataclass(frozen=True, slots=True)
class Telling:
    """How somebody is told: in the portal or by post, and how many days they have to object."""

    way: str
    days: int = WAITING_DAYS
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Prohibition:
    citation: str
    ends_on: date | None


@transaction.atomic
def tell_person(
    *, actor: Actor, disclosure: Disclosure, whom: Concerned, telling: Telling
) -> Notice:
    """Tell somebody of the demand. Who has an account sees it at once; others get a letter."""
    row = _for_notice(actor, disclosure, whom)
    reason = readable(telling.reason)
    if refusal := refusal_of_waiting(telling.days, reason):
        raise DisclosureRefused(refusal)
    people = list(accounts_of(whom))
    if telling.way == Notice.Way.PORTAL and not people:
        raise DisclosureRefused("They have no account here. Write to them by post, and note it.")
    if telling.way not in {Notice.Way.PORTAL, Notice.Way.POST}:
        raise DisclosureRefused("Choose how they are told: in the portal, or by post.")
    before = Notice.objects.filter(**_of(row, whom)).first()
    if before is not None and before.given_at is not None:
        raise DisclosureRefused("They were told already.")
    now = timezone.now()
    notice, _ = Notice.objects.update_or_create(
        **_of(row, whom),
        defaults={
            "way": telling.way, "given_at": now, "by_id": actor.user_id, "at": now,
            "waits_until": today_of(row) + timedelta(days=telling.days),
            "sealed_reason": _sealed(row, whom, reason),
        },
    )  # fmt: skip
    _written(row, whom, actor, telling.way)
    # What went out while telling was prohibited is in nobody's record yet.
    is_out = before is not None and _account_later(row, whom)
    if people:
        notify(users=people, template=MADE if is_out else TOLD)
    return notice


def _sealed(row: Disclosure, whom: Concerned, reason: str) -> bytes | None:
    place = whom.subject_id or whom.account_id
    return OpenDisclosure(row).seal(reason, "notice", place) if reason else None


@transaction.atomic
def record_prohibition(
    *, actor: Actor, disclosure: Disclosure, whom: Concerned, prohibition: Prohibition
) -> Notice:
    """Record that telling somebody is prohibited, by what and until when (LIFEIMAGE-4.7)."""
    row = _for_notice(actor, disclosure, whom)
    citation = tidy_citation(prohibition.citation)
    today = today_of(row)
    if refusal := refusal_of_prohibition(citation, prohibition.ends_on, today):
        raise DisclosureRefused(refusal)
    if Notice.objects.filter(**_of(row, whom), given_at__isnull=False).exists():
        raise DisclosureRefused("They were told already, so nothing can be kept from them.")
    notice, _ = Notice.objects.update_or_create(
        **_of(row, whom),
        defaults={
            "way": Notice.Way.PROHIBITED, "citation": citation, "by_id": actor.user_id,
            "prohibited_until": prohibition.ends_on, "at": timezone.now(), "reminded_at": None,
        },
    )  # fmt: skip
    write_event("disclosure.notice_prohibited", row, actor=actor, until=prohibition.ends_on)
    return notice


def _for_notice(actor: Actor, disclosure: Disclosure, whom: Concerned) -> Disclosure:
    row = for_officer(actor, disclosure)
    if row.closed_at is not None and not _is_out(row):
        raise DisclosureRefused("This case is closed, and nothing went out of it.")
    if whom not in concerned_by(items_of(row)):
        raise DisclosureRefused("The items that are ticked are not about them.")
    return row


def _of(row: Disclosure, whom: Concerned) -> dict[str, Any]:
    return {"disclosure": row, "subject_id": whom.subject_id, "account_id": whom.account_id}


def _written(row: Disclosure, whom: Concerned, actor: Actor | None, way: str) -> None:
    record(
        action="disclosure.person_told", actor=actor or system_ref(),
        organisation_id=row.organisation_id, subject_id=whom.subject_id,
        target=("disclosure", str(row.pk)), reason=row.ground,
        details={"number": row.number, "way": way},
    )  # fmt: skip


# After a release ---------------------------------------------------------------------------------
def account_for(row: Disclosure, item: Item, *, action: str) -> None:
    """One event for each item, of the person whose data it is (45 CFR 164.528)."""
    target = ("study", item.study_uid) if item.study_uid else ("account", str(item.account_id))
    record(
        action=action, actor=system_ref(), organisation_id=row.organisation_id,
        subject_id=item.subject_id, target=target, reason=row.ground,
        details={"number": row.number, "disclosure": str(row.pk), "item": item.number},
        private={"citation": row.citation},
    )  # fmt: skip


def tell_of_release(row: Disclosure) -> None:
    """Tell whoever may be told what went out; of the others the trail says it when they are.

    In an emergency nobody was told before, so the notice is given now (VIGILANT-6.4).
    """
    items = [one for one in items_of(row) if one.is_chosen]
    release = row.release
    for whom in concerned_by(items):
        notice = Notice.objects.filter(**_of(row, whom)).first()
        if notice is None and row.facts.is_emergency and accounts_of(whom).exists():
            now = timezone.now()
            notice = Notice.objects.create(
                **_of(row, whom), way=Notice.Way.PORTAL, given_at=now, at=now,
                by_id=release.released_by_id,
            )  # fmt: skip
            _written(row, whom, None, notice.way)
        secret = notice is not None and notice.given_at is None
        for item in items:
            if Concerned(item.subject_id, item.account_id) != whom:
                continue
            if secret:
                # The person would read it in their own record.
                write_event("disclosure.released", row, actor=None, item=item.number)
            else:
                account_for(row, item, action="disclosure.released")
        if not secret and notice is not None:
            notify(users=list(accounts_of(whom)), template=MADE)


# When a prohibition ends -------------------------------------------------------------------------
def end_prohibitions() -> int:
    """Give the notices that were prohibited, or have officers send them. Safe to repeat."""
    rows = Notice.objects.filter(
        given_at=None, reminded_at=None, prohibited_until__isnull=False,
        disclosure__closed_at=None,
    ) | Notice.objects.filter(
        given_at=None, reminded_at=None, prohibited_until__isnull=False,
        disclosure__release__isnull=False,
    )  # fmt: skip
    done = 0
    for notice in rows.distinct().select_related("disclosure", "disclosure__organisation"):
        assert notice.prohibited_until is not None
        if today_of(notice.disclosure) <= notice.prohibited_until:
            continue
        with transaction.atomic():
            mine = Notice.objects.select_for_update().filter(
                pk=notice.pk, given_at=None, reminded_at=None
            )
            if (locked := mine.first()) is not None:
                _end_prohibition(locked)
                done += 1
    return done


def _end_prohibition(notice: Notice) -> None:
    row = notice.disclosure
    whom = Concerned(notice.subject_id, notice.account_id)
    people = list(accounts_of(whom))
    if not people:
        notice.reminded_at = timezone.now()
        notice.save(update_fields=["reminded_at"])
        write_event("disclosure.notice_due", row, actor=None)
        notify(users=people_in_charge(row), template=NOTICE_DUE, target_id=row.number)
        return
    notice.way, notice.given_at = Notice.Way.PORTAL, timezone.now()
    notice.waits_until = today_of(row) + timedelta(days=WAITING_DAYS)
    notice.save(update_fields=["way", "given_at", "waits_until"])
    _written(row, whom, None, notice.way)
    is_out = _account_later(row, whom)
    notify(users=people, template=MADE if is_out else TOLD)


def _is_out(row: Disclosure) -> bool:
    return Release.objects.filter(disclosure=row, made_at__isnull=False).exists()


def _account_later(row: Disclosure, whom: Concerned) -> bool:
    """Write what went out of a person's into the trail, now that they may know; did anything?"""
    if not _is_out(row):
        return False
    for item in items_of(row):
        if item.is_chosen and Concerned(item.subject_id, item.account_id) == whom:
            account_for(row, item, action="disclosure.accounted")
    return True
