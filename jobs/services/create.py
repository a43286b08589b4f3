"""Write a job down beside its cause, and ring for a worker once the cause is committed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config.celery import enqueue
from jobs.models import Job
from jobs.rules.kinds import kind_named
from jobs.rules.payload import as_plain, offending_keys


class PayloadRefused(ValueError):
    """Raised for a payload that holds more than ids, codes and counts."""


@transaction.atomic
def create_job(
    *,
    kind: str,
    natural_key: str,
    payload: Mapping[str, Any] | None = None,
    organisation_id: object = "",
    created_by_id: object = "",
    total: int = 0,
    not_before: datetime | None = None,
) -> Job:
    """Create a job, or return the one of the same kind and natural key.

    Call it inside the transaction of the cause: both happen or neither. Ids may be
    given as UUID or number and are kept as text. Raises UnknownKind and PayloadRefused.
    """
    registered = kind_named(kind)
    plain = as_plain(payload or {})
    if offending := offending_keys(plain):
        raise PayloadRefused(f"{kind}: not an id, code or count: {', '.join(offending)}")
    now = timezone.now()
    job, created = Job.objects.get_or_create(
        kind=kind,
        natural_key=natural_key,
        defaults={
            "payload": plain,
            "organisation_id": str(organisation_id or ""),
            "created_by_id": str(created_by_id or ""),
            "total": total,
            "max_attempts": registered.max_attempts,
            "not_before": not_before or now,
            "created_at": now,
            # The ring below counts as one, so that the sweeper does not ring at once again.
            "rung_at": now,
        },
    )
    if created and (not_before is None or not_before <= now):
        ring_job(job_id=job.id)
    return job


def ring_job(*, job_id: UUID) -> None:
    """Ask for a worker after the commit; a ring that is lost is rung again by the sweeper."""
    enqueue("jobs.run", str(job_id))
