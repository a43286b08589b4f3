"""Stored files that are no longer what was stored: refused, told once, and looked for by a job.

Whoever reads a file finds out by its seal (vault.rules.sealed_stream); what nobody reads is read
by a job, the file that was not looked at for longest first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.rules.messages import Category, MessageTemplate
from accounts.selectors import those_who_answer
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from studies.gateways.objects import read_whole
from studies.models import Blob
from vault.rules.errors import BlobMissing, KeyDestroyed, SealError

CHECK = "studies.check"
# One run of the job; the next goes on with what was left.
CHECKS_FOR = timedelta(minutes=5)
_TOGETHER = 50
DAMAGED = MessageTemplate(
    "file-damaged", Category.SECURITY,
    "A stored file is damaged",
    "A stored file with images is no longer what was stored. It is shown to nobody. See which"
    " study it belongs to and what to do.",
    "studies:integrity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of stored files found."""

    whole: int = 0
    damaged: int = 0


@transaction.atomic
def note_damage(*, blob_id: int, reason: str) -> bool:
    """Raise the alarm over a file, the first time that it is found damaged.

    One event and one message to the officers and administrators, however often it is asked for.
    """
    first = Blob.objects.filter(pk=blob_id, damaged_at=None).update(damaged_at=timezone.now())
    if not first:
        return False
    blob = Blob.objects.select_related("study").get(pk=blob_id)
    _record("study.blob_damaged", blob, outcome="failed", reason=reason)
    organisation_id = blob.study.organisation_id
    notify(
        users=those_who_answer([organisation_id]),
        template=DAMAGED.code,
        needs_acknowledgement=True,
    )
    return True


def check_blobs(*, lasts: timedelta = CHECKS_FOR) -> Checked:
    """Read stored files from end to end, for a while; safe to repeat and to stop."""
    began, found = time.monotonic(), Checked()
    since = timezone.now()
    while time.monotonic() - began < lasts.total_seconds():
        some = (
            Blob.objects.exclude(checked_at__gte=since)
            .select_related("study")
            .order_by(F("checked_at").asc(nulls_first=True), "pk")[:_TOGETHER]
        )
        rows = list(some)
        for blob in rows:
            whole = _check(blob)
            found = Checked(found.whole + whole, found.damaged + (not whole))
            if time.monotonic() - began >= lasts.total_seconds():
                return found
        if not rows:
            break
    return found


def _check(blob: Blob) -> bool:
    """Read one file; a file that was put back from a backup counts as whole again."""
    reason = ""
    try:
        read_whole(blob)
    except KeyDestroyed:
        # Disposed of: there is nothing left that could be whole.
        return True
    except BlobMissing:
        reason = "missing"
    except SealError:
        reason = "altered"
    with transaction.atomic():
        Blob.objects.filter(pk=blob.pk).update(checked_at=timezone.now())
        if reason:
            note_damage(blob_id=blob.pk, reason=reason)
        elif Blob.objects.filter(pk=blob.pk).exclude(damaged_at=None).update(damaged_at=None):
            _record("study.blob_mended", blob)
    return not reason


def _record(action: str, blob: Blob, **values: str) -> None:
    record(
        action=action,
        actor=system_ref(),
        organisation_id=blob.study.organisation_id,
        subject_id=blob.study.subject_id,
        target=("study", blob.study.uid),
        details={"blob": blob.name, "instances": blob.instances.count()},
        **values,
    )
