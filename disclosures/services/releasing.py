"""Approved by a second person, released by an officer, reviewed afterwards if it was urgent."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from accounts.services.notifications import notify
from disclosures.models import Disclosure, Release
from disclosures.permissions import can_approve
from disclosures.rules.messages import EMERGENCY, REVIEW_LATE, TO_APPROVE
from disclosures.rules.standing import (
    Said,
    needs_second,
    refusal_of_person,
    refusal_to_approve,
    refusal_to_release,
    review_due,
)
from disclosures.sealing import PACKAGE_KEY, OpenDisclosure
from disclosures.selectors import items_of, release_of, signer_of, standing_of, today_of
from disclosures.services.entries import (
    DisclosureRefused,
    NotYours,
    for_officer,
    locked,
    people_in_charge,
    require_fresh,
    say,
    write_event,
)
from jobs.services import create_job
from retention.models import Hold
from retention.rules.holds import HoldFacts, Scope
from retention.services.holds import place_hold
from vault.services.data_keys import create_data_key, destroy_data_keys

PACKAGE = "disclosures.package"
_HELD_FOR = timedelta(days=365)


class RefusedForNow(DisclosureRefused):
    """Something is missing: which is written into the trail as a refusal."""


@transaction.atomic
def ask_for_approval(*, actor: Actor, disclosure: Disclosure) -> None:
    """Tell those who can be the second person that a case is ready to be looked at."""
    row = for_officer(actor, disclosure)
    if refusal := refusal_to_approve(standing_of(row), today_of(row)):
        raise DisclosureRefused(refusal)
    others = [one for one in people_in_charge(row) if one.pk != actor.user_id]
    notify(users=others, template=TO_APPROVE, target_id=row.number)


@transaction.atomic
def approve_case(*, actor: Actor, disclosure: Disclosure) -> Disclosure:
    """The second person's word, after a fresh proof; whoever opened or signed it cannot give it."""
    row = locked(disclosure)
    if not can_approve(actor, row):
        raise NotYours("Only privacy officers and administrators can approve this.")
    if refusal := refusal_of_person(
        approver=actor.user_id, opened_by=row.opened_by_id, signed_by=signer_of(row)
    ):
        raise NotYours(refusal)
    if refusal := refusal_to_approve(standing_of(row), today_of(row)):
        raise DisclosureRefused(refusal)
    require_fresh(actor)
    row.approved_by_id, row.approved_at = actor.user_id, timezone.now()
    row.save(update_fields=["approved_by", "approved_at"])
    write_event("disclosure.approved", row, actor=actor)
    return row


def release_case(*, actor: Actor, disclosure: Disclosure) -> Release:
    """Have the package made. Raises `DisclosureRefused` with what is missing, which is recorded.

    A restriction, an objection or a revoked consent does not stop it (GDPR Art. 18(2), 21(1)). What
    goes out is held from then on: somebody may have to answer for it.
    """
    try:
        with transaction.atomic():
            return _released(actor, disclosure)
    except RefusedForNow:
        with transaction.atomic():
            write_event("disclosure.refused", disclosure, actor=actor)
        raise


def _released(actor: Actor, disclosure: Disclosure) -> Release:
    row = for_officer(actor, disclosure)
    standing = standing_of(row)
    if refusal := refusal_to_release(standing, today_of(row)):
        raise RefusedForNow(refusal)
    require_fresh(actor)
    release = _row_of(row, actor, urgent=not needs_second(standing))
    release.job_id = create_job(
        kind=PACKAGE, natural_key=str(release.key_id), payload={"release": str(release.pk)},
        organisation_id=row.organisation_id, created_by_id=actor.user_id,
    ).pk  # fmt: skip
    release.save(update_fields=["job_id"])
    write_event("disclosure.ordered", row, actor=actor, items=len(standing.chosen))
    _hold(actor, row)
    if release.is_emergency:
        row.review_due_at = review_due(release.released_at)
        row.save(update_fields=["review_due_at"])
        notify(users=people_in_charge(row), template=EMERGENCY, target_id=row.number)
    return release


def _row_of(row: Disclosure, actor: Actor, *, urgent: bool) -> Release:
    """A new release, or the one that could not be made, begun anew."""
    failed = release_of(row)
    if failed is not None:
        destroy_data_keys(ids=[failed.key_id])
        failed.delete()
    return Release.objects.create(
        id=uuid4(), disclosure=row, released_by_id=actor.user_id, approved_by_id=row.approved_by_id,
        is_emergency=urgent,
        key_id=create_data_key(organisation_id=row.organisation_id, kind=PACKAGE_KEY).id,
    )  # fmt: skip


def _hold(actor: Actor, row: Disclosure) -> None:
    """Hold each study that goes out, unless a hold on just that is in force."""
    uids = {one.study_uid for one in items_of(row) if one.is_chosen and one.study_uid}
    there = Hold.objects.filter(
        organisation_id=row.organisation_id, scope=Scope.STUDY.value, study_uid__in=uids,
        lifted_at=None,
    )  # fmt: skip
    opened, custodian = OpenDisclosure(row), User.objects.get(pk=actor.user_id)
    for uid in sorted(uids - set(there.values_list("study_uid", flat=True))):
        place_hold(
            actor=actor, facts=HoldFacts(uuid4(), Scope.STUDY, study_uid=uid),
            matter=f"Disclosure {row.number}: {opened.reference or opened.authority}"[:200],
            reason="It was given out under law, and may have to be shown again.",
            custodian=custodian, review_on=timezone.now().date() + _HELD_FOR,
        )  # fmt: skip


# Afterwards --------------------------------------------------------------------------------------
@transaction.atomic
def review_case(*, actor: Actor, disclosure: Disclosure, finding: str) -> Disclosure:
    """Somebody else looks at an emergency afterwards, and writes down what they found."""
    row = locked(disclosure)
    if not can_approve(actor, row):
        raise NotYours("Only privacy officers and administrators can review this.")
    if row.review_due_at is None:
        raise DisclosureRefused("Nothing was given out in an emergency here.")
    if row.reviewed_at is not None:
        raise DisclosureRefused("It is reviewed already.")
    release = release_of(row)
    if release is not None and refusal_of_person(
        approver=actor.user_id, opened_by=row.opened_by_id, signed_by=release.released_by_id
    ):
        raise NotYours("You opened or released it. Somebody else has to review it.")
    require_fresh(actor)
    say(row, Said.REVIEW, finding, by=actor)
    row.reviewed_at = timezone.now()
    row.save(update_fields=["reviewed_at"])
    write_event("disclosure.reviewed", row, actor=actor)
    return row


def escalate_reviews() -> int:
    """Tell those in charge of reviews that are late, each once. Safe to repeat."""
    late = Disclosure.objects.filter(
        review_due_at__lt=timezone.now(), reviewed_at=None, escalated_at=None
    )
    told = 0
    for row in late:
        with transaction.atomic():
            mine = Disclosure.objects.filter(pk=row.pk, escalated_at=None)
            if mine.update(escalated_at=timezone.now()):
                notify(users=people_in_charge(row), template=REVIEW_LATE, target_id=row.number)
                write_event("disclosure.escalated", row, actor=None)
                told += 1
    return told
