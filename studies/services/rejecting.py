"""What should not have been sent is hidden at once, can be restored for a while, and then goes.

Nothing is destroyed here: what is not restored falls due, and goes by the disposal of the room
above. Whole studies only: a sealed file holds what came together, and its key ends all of it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from accounts.services.trail import record, system_ref
from audit.services import ActorRef
from consent.services.grants import tell_recipients
from policies.selectors import packs_held
from studies.models import Instance, Rejection, Study
from studies.permissions import can_reject
from studies.rules.messages import REJECTED
from studies.rules.rejecting import (
    REASONS,
    Why,
    refusal_of_note,
    refusal_to_restore,
    restorable_until,
    restore_days,
)
from studies.sealing import rejection_context
from vault.rules.sealed_field import FieldSealer
from vault.selectors import tombstones_of
from vault.services.data_keys import open_data_keys

NOT_YOURS = "Only whoever sent all of the study, or an administrator, rejects or restores it."


class RejectionRefused(Exception):
    """One sentence that says why nothing was done, and what to do."""


@transaction.atomic
def reject_study(*, actor: Actor, study: Study, why: Why, note: str) -> Rejection:
    """Hide a study on every way out, and tell whoever it was shared with.

    Raises `RejectionRefused`.
    """
    if not can_reject(actor, study):
        raise PermissionDenied(NOT_YOURS)
    if refusal := refusal_of_note(why, note):
        raise RejectionRefused(refusal)
    row = Study.objects.select_for_update().get(pk=study.pk)
    if row.rejected_at is not None:
        raise RejectionRefused("It is rejected already. It stands in the list of rejected studies.")
    if not (row.instance_count or row.held_count):
        raise RejectionRefused("Its time is over, and it is about to go by itself.")
    rejection = _hide(row, why, note.strip(), by_id=actor.user_id, at=timezone.now(), actor=actor)
    tell_recipients(
        organisation_id=row.organisation_id, study_uids=[row.uid], template=REJECTED.code
    )
    return rejection


@transaction.atomic
def restore_study(*, actor: Actor, study: Study) -> None:
    """Show it again wherever it was before. Raises `RejectionRefused`."""
    if not can_reject(actor, study):
        raise PermissionDenied(NOT_YOURS)
    row = Study.objects.select_for_update().get(pk=study.pk)
    rejection = Rejection.objects.filter(study=row).first()
    if rejection is None:
        raise RejectionRefused("It is not rejected, so there is nothing to restore.")
    if refusal := _refusal_to_restore(row, rejection):
        raise RejectionRefused(refusal)
    rejection.delete()
    show_again(row)
    record(
        action="study.restored", actor=actor, subject_id=row.subject_id,
        target=("study", row.uid), reason=rejection.why,
        details={"code": REASONS[Why(rejection.why)].code.value},
    )  # fmt: skip


def _refusal_to_restore(study: Study, rejection: Rejection) -> str:
    if study.archived_at is not None:
        return "It lies in the legal archive, which only a request for its release opens."
    if Organisation.objects.filter(pk=study.organisation_id).exclude(closed_at=None).exists():
        return "The organisation is closed, and nothing of it is shown to anybody any more."
    if tombstones_of([study.key_id]):
        return "Its key is destroyed, so it cannot be read any more."
    held = packs_held(study.organisation_id)
    days = restore_days(held[-1].values if held else {})
    return refusal_to_restore(restorable_until(rejection.at.date(), days), timezone.now())


def reject_again(*, key_id: UUID, why: Why, by_id: int, at: datetime) -> int:
    """Hide a study that a restore of the portal brought back into the lists. Safe to repeat."""
    rows = Study.objects.select_for_update().filter(key_id=key_id, rejected_at=None)
    study = rows.filter(archived_at=None).first()
    if study is None or not User.objects.filter(pk=by_id).exists():
        return 0
    _hide(study, why, "", by_id=by_id, at=at, actor=system_ref())
    return 1


def show_again(study: Study) -> None:
    """Put a study back into the lists, whose key nobody has touched."""
    counts = Instance.objects.filter(study=study).aggregate(
        shown=Count("pk", filter=Q(held=False)), held=Count("pk", filter=Q(held=True))
    )
    Study.objects.filter(pk=study.pk).update(
        instance_count=counts["shown"], held_count=counts["held"], rejected_at=None,
        changed_at=timezone.now(),
    )  # fmt: skip


def _hide(
    study: Study, why: Why, note: str, *, by_id: int, at: datetime, actor: Actor | ActorRef
) -> Rejection:
    sealer = FieldSealer(open_data_keys(ids=[study.key_id])[study.key_id])
    rejection = Rejection.objects.create(
        study=study, why=why.value, by_id=by_id, at=at,
        sealed_note=sealer.seal(
            note.encode(), rejection_context(study.organisation_id, study.uid)
        ),
    )  # fmt: skip
    objects = study.instance_count + study.held_count
    study.rejected_at, study.changed_at = at, timezone.now()
    study.instance_count = study.held_count = 0
    study.save(update_fields=["rejected_at", "changed_at", "instance_count", "held_count"])
    record(
        action="study.rejected", actor=actor, organisation_id=study.organisation_id,
        subject_id=study.subject_id, target=("study", study.uid), reason=why.value,
        details={"code": REASONS[why].code.value, "instances": objects},
    )  # fmt: skip
    return rejection
