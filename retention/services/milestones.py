"""Noting what no file says: that what a study was made for has come to an end."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from retention.models import StudyMilestone
from retention.permissions import can_note_milestones
from retention.rules.facts import Milestone
from retention.services.refusals import NotYours, RetentionRefused
from studies.models import Study


@transaction.atomic
def note_milestone(
    *, actor: Actor, study: Study, milestone: Milestone, happened_on: date
) -> StudyMilestone:
    """Note when it happened; noted again, the later note counts."""
    if not can_note_milestones(actor, study.organisation_id):
        raise NotYours("Only people of the organisation that holds the study can note this.")
    if happened_on > timezone.now().date():
        raise RetentionRefused("That day is yet to come. Note it when it has happened.")
    row, _ = StudyMilestone.objects.update_or_create(
        organisation_id=study.organisation_id, study_uid=study.uid, milestone=milestone.value,
        defaults={
            "happened_on": happened_on, "noted_by_id": actor.user_id, "noted_at": timezone.now(),
        },
    )  # fmt: skip
    record(
        action="milestone.noted", actor=actor, organisation_id=study.organisation_id,
        subject_id=study.subject_id, target=("study", study.uid),
        details={"milestone": milestone.value, "happened_on": happened_on},
    )  # fmt: skip
    return row
