"""Erase the personal values that events only commit to; the events stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from audit.models import Event, EventCommitment
from vault.services.data_keys import destroy_data_keys


def erase_private_values(
    *, event_ids: Iterable[UUID] | None = None, subject_id: object = None
) -> int:
    """Erase value and salt of the given events, or of all events about a subject.

    The keys are destroyed first, so that no older copy of the rows can be read either.
    Returns how many values were erased. Raises ValueError unless told exactly one.
    """
    if (event_ids is None) == (subject_id is None):
        raise ValueError("say either which events or which subject")
    if event_ids is None:
        theirs = Event.objects.filter(subject_id=str(subject_id)).values("pk")
        values = EventCommitment.objects.filter(event_id__in=theirs)
    else:
        values = EventCommitment.objects.filter(event_id__in=list(event_ids))
    destroy_data_keys(ids=set(values.values_list("key_id", flat=True)))
    deleted, _ = values.delete()
    return deleted
