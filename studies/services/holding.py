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


@transaction.atomic
def release_held(*, actor: Actor, study: Study, instance_uids: Sequence[str]) -> int:
    """Let held objects be seen from now on. Safe to repeat; returns how many were released."""
    _check(actor, study)
    row = Study.objects.select_for_update().get(pk=study.pk)
    held = list(Instance.objects.filter(study=row, held=True, uid__in=instance_uids))
    if not held:
        return 0
    # A share covers what was there when it was agreed; what is released now was not.
    Instance.objects.filter(pk__in=[one.pk for one in held]).update(
        held=False, created_at=timezone.now()
    )
    for series_id, count in Counter(one.series_id for one in held).items():
        Series.objects.filter(pk=series_id).update(instance_count=F("instance_count") + count)
    row.instance_count += len(held)
    row.held_count -= len(held)
    row.series_count = Series.objects.filter(study=row, instance_count__gt=0).count()
    row.save(update_fields=["instance_count", "held_count", "series_count"])
    record(
        action="object.released",
        actor=actor,
        subject_id=row.subject_id,
        target=("study", row.uid),
        details={"instances": len(held)},
    )
    return len(held)


@transaction.atomic
def settle_doubts(*, actor: Actor, study: Study) -> None:
    """Note that a person has looked, and that the identifier does name this patient."""
    _check(actor, study)
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


def _check(actor: Actor, study: Study) -> None:
    if actor.organisation_id != study.organisation_id or not actor.can(Capability.SUBMIT_STUDIES):
        raise PermissionDenied(
            "Only clinicians of the organisation that holds the study can do this."
        )
