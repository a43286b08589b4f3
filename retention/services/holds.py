"""Placing holds and lifting them. A hold is asked for wherever something is destroyed."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record
from retention.models import Hold
from retention.permissions import can_agree_to_lift, can_place_holds
from retention.rules.holds import LONGEST_TEXT, HoldFacts, Scope, refusal_to_lift
from retention.sealing import KEY_KIND, OpenHold
from retention.selectors.holds import studies_covered
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from studies.models import Study
from vault.services.data_keys import create_data_key

REVIEWED_WITHIN = timedelta(days=731)
REVIEW_DUE = "hold-review-due"
LIFT_ASKED = "hold-lift-asked"


def lock_organisation(organisation_id: UUID) -> Organisation:
    """Let placing holds and destroying keys of one organisation wait for each other.

    Not a lock against rows that merely name the organisation, which all of the portal writes.
    """
    return Organisation.objects.select_for_update(no_key=True).get(pk=organisation_id)


@transaction.atomic
def place_hold(
    *, actor: Actor, facts: HoldFacts, matter: str, reason: str, custodian: User, review_on: date
) -> Hold:
    """Hold back what the facts cover, from this moment on. `facts.id` names nothing yet."""
    assert actor.organisation_id is not None
    _require_officer(actor, actor.organisation_id)
    organisation = lock_organisation(actor.organisation_id)
    _check_scope(organisation.pk, facts)
    _check_review(review_on)
    if not Membership.objects.filter(
        user=custodian, organisation=organisation, is_active=True
    ).exists():
        raise RetentionRefused("Whoever looks after it has to be somebody of the organisation.")
    latest = Hold.objects.filter(organisation=organisation).aggregate(Max("number"))["number__max"]
    key = create_data_key(organisation_id=organisation.pk, kind=KEY_KIND)
    hold = Hold(
        id=uuid.uuid4(), organisation=organisation, number=(latest or 0) + 1, key_id=key.id,
        scope=facts.scope.value, subject_id=facts.subject_id, study_uid=facts.study_uid,
        search=facts.search.to_json() if facts.scope is Scope.SEARCH else {},
        custodian=custodian, review_on=review_on, placed_by_id=actor.user_id,
    )  # fmt: skip
    opened = OpenHold(hold, key.key)
    opened.seal("matter", _needed(matter))
    opened.seal("reason", _needed(reason))
    hold.save(force_insert=True)
    _write("hold.placed", actor, hold, covered=studies_covered(organisation.pk, facts).count())
    return hold


def _check_scope(organisation_id: UUID, facts: HoldFacts) -> None:
    studies = Study.objects.filter(organisation_id=organisation_id)
    match facts.scope:
        case Scope.STUDY if not studies.filter(uid=facts.study_uid).exists():
            raise RetentionRefused("The organisation holds no study with this number.")
        case Scope.SUBJECT if not studies.filter(subject_id=facts.subject_id).exists():
            raise RetentionRefused("The organisation holds no study of this patient.")
        case Scope.SEARCH if facts.search.is_empty:
            raise RetentionRefused(
                "A search needs a kind of images or a day. To hold everything, choose that."
            )


def _check_review(review_on: date) -> None:
    today = timezone.now().date()
    if not today < review_on <= today + REVIEWED_WITHIN:
        raise RetentionRefused("A hold is looked at again: on a day within two years from now.")


@transaction.atomic
def renew_hold(*, actor: Actor, hold: Hold, review_on: date) -> Hold:
    """Note that somebody has looked, and that it is still needed."""
    row = _locked(hold)
    _require_officer(actor, row.organisation_id)
    _require_in_force(row)
    _check_review(review_on)
    row.review_on, row.reminded_at = review_on, None
    row.save(update_fields=["review_on", "reminded_at"])
    _write("hold.renewed", actor, row, review_on=review_on)
    return row


@transaction.atomic
def ask_to_lift(*, actor: Actor, hold: Hold, reason: str) -> Hold:
    """Ask for a hold to be lifted; it holds until somebody else has agreed."""
    row = _locked(hold)
    _require_officer(actor, row.organisation_id)
    _require_in_force(row)
    if row.lift_asked_by_id is not None:
        raise RetentionRefused("That has been asked for already; somebody else has to agree.")
    OpenHold(row).seal("lift_reason", _needed(reason))
    row.lift_asked_by_id, row.lift_asked_at = actor.user_id, timezone.now()
    row.save(update_fields=["sealed_lift_reason", "lift_asked_by", "lift_asked_at"])
    _write("hold.lift_asked", actor, row)
    if row.custodian_id != actor.user_id:
        notify(users=[row.custodian], template=LIFT_ASKED, target_id=row.number)
    return row


@transaction.atomic
def keep_hold(*, actor: Actor, hold: Hold) -> Hold:
    """Refuse to lift it: it goes on as before."""
    row = _locked(hold)
    _require_second(actor, row.organisation_id)
    if row.lifted_at or row.lift_asked_by_id is None:
        raise RetentionRefused("Nobody asks for this hold to be lifted.")
    row.lift_asked_by, row.lift_asked_at, row.sealed_lift_reason = None, None, None
    row.save(update_fields=["lift_asked_by", "lift_asked_at", "sealed_lift_reason"])
    _write("hold.lift_refused", actor, row)
    return row


@transaction.atomic
def lift_hold(*, actor: Actor, hold: Hold) -> Hold:
    """Agree that a hold is lifted: somebody else than who asked, who just proved who they are."""
    row = _locked(hold)
    _require_second(actor, row.organisation_id)
    _require_in_force(row)
    if refusal := refusal_to_lift(asked_by=row.lift_asked_by_id, lifter=actor.user_id):
        raise RetentionRefused(refusal)
    if not actor.is_fresh(timezone.now()):
        raise ProveAgain("Prove again that it is you, then lift the hold.")
    row.lifted_by_id, row.lifted_at = actor.user_id, timezone.now()
    row.save(update_fields=["lifted_by", "lifted_at"])
    _write("hold.lifted", actor, row)
    return row


@transaction.atomic
def note_looking_at_hold(*, actor: Actor, hold: Hold) -> OpenHold:
    """Open a hold for whoever answers for it, and write down that they looked."""
    _require_second(actor, hold.organisation_id)
    _write("hold.viewed", actor, hold)
    return OpenHold(hold)


def remind_of_reviews() -> int:
    """Remind custodians of holds that are to be looked at again, each once. Safe to repeat."""
    told = 0
    due = Hold.objects.filter(
        lifted_at=None, reminded_at=None, review_on__lte=timezone.now().date()
    )
    for hold in due.select_related("custodian"):
        with transaction.atomic():
            if Hold.objects.filter(pk=hold.pk, reminded_at=None).update(reminded_at=timezone.now()):
                notify(users=[hold.custodian], template=REVIEW_DUE, target_id=hold.number)
                told += 1
    return told


def _locked(hold: Hold) -> Hold:
    # Before the row, as whoever destroys does: two orders of locks would wait for each other.
    lock_organisation(hold.organisation_id)
    return Hold.objects.select_for_update().get(pk=hold.pk)


def _require_officer(actor: Actor, organisation_id: UUID) -> None:
    if not can_place_holds(actor, organisation_id):
        raise NotYours("Only privacy officers of the organisation place holds.")


def _require_second(actor: Actor, organisation_id: UUID) -> None:
    if not can_agree_to_lift(actor, organisation_id):
        raise NotYours("Only privacy officers and administrators of the organisation see holds.")


def _require_in_force(hold: Hold) -> None:
    if hold.lifted_at is not None:
        raise RetentionRefused("This hold was lifted. Place another one if it is needed.")


def _needed(text: str) -> str:
    words = text.strip()
    if not words:
        raise RetentionRefused("Say it in words: whoever comes after you has to understand it.")
    if len(words) > LONGEST_TEXT:
        raise RetentionRefused(f"At most {LONGEST_TEXT} characters.")
    return words


def _write(action: str, actor: Actor, hold: Hold, **details: object) -> None:
    record(
        action=action, actor=actor, organisation_id=hold.organisation_id,
        subject_id=hold.subject_id, target=("hold", str(hold.pk)),
        details={"number": hold.number, "scope": hold.scope, **details},
    )  # fmt: skip
