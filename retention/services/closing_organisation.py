"""Closing an organisation's account: two people, and then nothing of it is shown to anybody.

Its studies go to the legal archive, shares to and from it end, and so does every role but those
that answer: officers and administrators stay, for requests, releases and disposal go on.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken, Membership, MembershipRole, Organisation
from accounts.rules import Actor, Role
from accounts.selectors import people_with
from accounts.services.members import INDISPENSABLE
from accounts.services.notifications import notify
from accounts.services.sign_in import end_all_sessions
from accounts.services.trail import record, system_ref
from consent.models import Grant
from consent.selectors import in_force
from consent.services.grants import end_grant
from jobs.services import Run, create_job
from retention.models import OrganisationClosing
from retention.permissions import can_approve, can_ask_to_close
from retention.rules.archive import Why, refusal_to_agree
from retention.services.archiving import OUTSIDE, TOGETHER, archive_studies
from retention.services.holds import lock_organisation
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from studies.models import Study

CLOSE = "retention.close_organisation"
ASKED = "organisation-closing"
REASON = "organisation-closed"


def closing_of(organisation_id: UUID) -> OrganisationClosing | None:
    rows = OrganisationClosing.objects.filter(organisation_id=organisation_id)
    return rows.select_related("asked_by", "agreed_by").first()


@transaction.atomic
def ask_to_close(*, actor: Actor) -> OrganisationClosing:
    """An administrator asks; nothing happens before a second person has agreed."""
    assert actor.organisation_id is not None
    if not can_ask_to_close(actor, actor.organisation_id):
        raise NotYours("Only an administrator can ask for the organisation to be closed.")
    _require_fresh(actor)
    lock_organisation(actor.organisation_id)
    if closing_of(actor.organisation_id) is not None:
        raise RetentionRefused("It was asked for already.")
    closing = OrganisationClosing.objects.create(
        organisation_id=actor.organisation_id, asked_by_id=actor.user_id
    )
    _write("organisation.closing_asked", actor, closing)
    people = people_with([actor.organisation_id], Role.OFFICER, Role.ADMINISTRATOR)
    notify(users=people.exclude(pk=actor.user_id), template=ASKED)
    return closing


@transaction.atomic
def take_back_closing(*, actor: Actor) -> None:
    """Either of those who decide can take it back, as long as nobody has agreed."""
    closing = _locked(actor)
    if closing.agreed_at is not None:
        raise RetentionRefused("It is closed already, and that cannot be taken back.")
    _write("organisation.closing_taken_back", actor, closing)
    closing.delete()


@transaction.atomic
def agree_to_close(*, actor: Actor) -> OrganisationClosing:
    """The second person's word: shares, roles and tokens end now, and the studies follow."""
    closing = _locked(actor)
    if closing.agreed_at is not None:
        raise RetentionRefused("It is closed already.")
    if refusal := refusal_to_agree(asked_by=closing.asked_by_id, agreeing=actor.user_id):
        raise RetentionRefused(refusal)
    _require_fresh(actor)
    now = timezone.now()
    closing.agreed_by_id, closing.agreed_at = actor.user_id, now
    closing.job_id = create_job(
        kind=CLOSE, natural_key=str(closing.pk), payload={"closing": str(closing.pk)},
        organisation_id=closing.organisation_id, created_by_id=actor.user_id,
    ).pk  # fmt: skip
    closing.save(update_fields=["agreed_by", "agreed_at", "job_id"])
    Organisation.objects.filter(pk=closing.organisation_id).update(closed_at=now)
    shares = _end_shares(actor, closing.organisation_id)
    ended = _end_roles(closing.organisation_id)
    _write("organisation.closed", actor, closing, shares=shares, memberships=ended)
    return closing


def _end_shares(actor: Actor, organisation_id: UUID) -> int:
    """Those that it gave, and those that it was given: there is nobody left to look."""
    now = timezone.now()
    shares = Grant.objects.filter(
        Q(organisation_id=organisation_id) | Q(recipient_organisation_id=organisation_id),
        in_force(now),
    ).select_related("organisation", "recipient_organisation", "recipient__user")
    rows = list(shares)
    for grant in rows:
        end_grant(actor=actor, grant=grant, at=now, reason=REASON)
    return len(rows)


def _end_roles(organisation_id: UUID) -> int:
    """End all roles but those that answer, and every program's token."""
    tokens = ApiToken.objects.filter(membership__organisation_id=organisation_id, revoked_at=None)
    tokens.update(revoked_at=timezone.now())
    roles = MembershipRole.objects.filter(membership__organisation_id=organisation_id)
    roles.exclude(role__in=INDISPENSABLE).delete()
    leaving = Membership.objects.filter(
        organisation_id=organisation_id, is_active=True, roles=None
    ).select_related("user")
    people = list(leaving)
    Membership.objects.filter(pk__in=[one.pk for one in people]).update(is_active=False)
    for one in people:
        end_all_sessions(user=one.user)
    return len(people)


def archive_organisation(run: Run) -> None:
    """Put all its studies into the archive, some at a time. A kill goes on where it was."""
    closing = OrganisationClosing.objects.get(pk=UUID(run.payload["closing"]))
    left = Study.objects.filter(
        OUTSIDE, organisation_id=closing.organisation_id, is_anonymous=False
    ).order_by("pk")
    with run.step(total=run.cursor.get("done", 0) + left.count()):
        pass
    done = run.cursor.get("done", 0)
    while some := list(left.values_list("pk", flat=True)[:TOGETHER]):
        with run.step(cursor={"done": done + len(some)}, advance=len(some)):
            archive_studies(
                actor=system_ref(), organisation_id=closing.organisation_id, study_ids=some,
                why=Why.ORGANISATION,
            )  # fmt: skip
            done += len(some)
    with run.step(finish=True):
        closing.ended_at = timezone.now()
        closing.save(update_fields=["ended_at"])


def _locked(actor: Actor) -> OrganisationClosing:
    assert actor.organisation_id is not None
    if not can_approve(actor, actor.organisation_id):
        raise NotYours("Only privacy officers and administrators decide this.")
    lock_organisation(actor.organisation_id)
    closing = OrganisationClosing.objects.filter(organisation_id=actor.organisation_id).first()
    if closing is None:
        raise RetentionRefused("Nobody has asked for the organisation to be closed.")
    return closing


def _require_fresh(actor: Actor) -> None:
    if not actor.is_fresh(timezone.now()):
        raise ProveAgain("Prove again that it is you, then go on.")


def _write(action: str, actor: Actor, closing: OrganisationClosing, **details: int) -> None:
    record(
        action=action, actor=actor, organisation_id=closing.organisation_id,
        target=("organisation", str(closing.organisation_id)), details=details,
    )  # fmt: skip
