"""What a clinician settles after a look: objects that were held, and doubts about the patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.rules import Actor, Capability
from accounts.services.trail import record
from studies.models import Instance, Series, Study
from studies.rules.minors import shown_by_a_look


@transaction.atomic
def release_held(*, actor: Actor, study: Study, instance_uids: Sequence[str]) -> int:
    """Let held objects be seen from now on. Safe to repeat; returns how many were released."""
    require_settling(actor, study)
    row = Study.objects.select_for_update().get(pk=study.pk)
    asked = Instance.objects.filter(study=row, held=True, uid__in=instance_uids)
    # A look is not what images of a minor wait for.
    held = [one for one in asked if shown_by_a_look(one.reasons)]
    if not held:
        return 0
    show_held(row, held)
    record(
        action="object.released",
        actor=actor,
        subject_id=row.subject_id,
        target=("study", row.uid),
        details={"instances": len(held)},
    )
    return len(held)


def show_held(study: Study, held: Sequence[Instance]) -> None:
    """Make held objects part of their study, whose row is locked."""
    # A share covers what was there when it was agreed; what is released now was not.
    Instance.objects.filter(pk__in=[one.pk for one in held]).update(
        held=False, created_at=timezone.now()
    )
    for series_id, count in Counter(one.series_id for one in held).items():
        Series.objects.filter(pk=series_id).update(instance_count=F("instance_count") + count)
    study.instance_count += len(held)
    study.held_count -= len(held)
    study.series_count = Series.objects.filter(study=study, instance_count__gt=0).count()
    study.save(update_fields=["instance_count", "held_count", "series_count"])


@transaction.atomic
def settle_doubts(*, actor: Actor, study: Study) -> None:
    """Note that a person has looked, and that the identifier does name this patient."""
    require_settling(actor, study)
    row = Study.objects.select_for_update().get(pk=study.pk)
    if not row.doubts:
        return
    record(
        action="study.doubt_settled",
        actor=actor,
        subject_id=row.subject_id,
        target=("study", row.uid),
        details={"doubts": row.doubts},
    )
    row.doubts = []
    row.save(update_fields=["doubts"])


def require_settling(actor: Actor, study: Study) -> None:
    """Raises `PermissionDenied`."""
    if actor.organisation_id != study.organisation_id or not actor.can(Capability.SUBMIT_STUDIES):
        raise PermissionDenied(
            "Only clinicians of the organisation that holds the study can do this."
        )
