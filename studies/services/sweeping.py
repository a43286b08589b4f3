"""Clear what interrupted submissions left behind, and raise the alarm over what is missing.

A blob without a row, a key that seals nothing and a half-written file are what a crash may leave:
they are removed once they are old enough to belong to no submission still under way. A row without
its blob cannot come of a crash; it is never removed, and each sweep says so in the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.services.trail import record, system_ref
from audit.models import EventCommitment
from consent.models import DataSubject, Grant
from studies.models import Blob, Study
from vault.selectors import data_keys_made_before
from vault.services.blobs import stored_names, sweep_blobs
from vault.services.data_keys import destroy_data_keys

# Longer than any submission lasts; what is younger may be about to get its row.
OLD_ENOUGH = timedelta(hours=24)
_BATCH = 1_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreSwept:
    """What a sweep found: removed, except for `missing`, which are rows without their blob."""

    blobs: int = 0
    leftovers: int = 0
    keys: int = 0
    missing: int = 0


def sweep_store(*, older_than: timedelta = OLD_ENOUGH) -> StoreSwept:
    """Remove blobs, half-written files and keys that nothing names; report rows without blob.

    Safe to repeat, and beside submissions: what is younger than `older_than` is left alone.
    """
    before = timezone.now() - older_than
    orphans = [name for batch in _batches(stored_names(before=before)) for name in _unnamed(batch)]
    removed = sweep_blobs(orphans=orphans, before=before)
    keys = sum(_destroy_unused(kind, before) for kind in _USED_BY)
    missing = _report_missing(before)
    return StoreSwept(len(orphans), removed - len(orphans), keys, missing)


# Others who keep blobs or keys ---------------------------------------------------------------
NamesAmong = Callable[[Collection[str]], set[str]]
KeysAmong = Callable[[Collection[UUID]], set[UUID]]
# Rooms above keep sealed files and keys too: they say which of these are theirs.
_also_named: dict[str, NamesAmong] = {}


def keep_blobs(room: str, named: NamesAmong) -> None:
    """Have a sweep spare the blobs that `named` finds among names; from `AppConfig.ready`."""
    _also_named[room] = named


def keep_keys(kind: str, used: KeysAmong) -> None:
    """Have a sweep look for unused keys of a kind; `used` finds those that seal something."""
    _USED_BY[kind] = used


# Blobs -------------------------------------------------------------------------------------------
def _unnamed(names: Collection[str]) -> list[str]:
    named = set(Blob.objects.filter(name__in=names).values_list("name", flat=True))
    named |= {name for also in _also_named.values() for name in also(names)}
    return [name for name in names if name not in named]


def _report_missing(before: datetime) -> int:
    """Write one event for each study that has lost a blob.

    The rows are read before the names: a blob is there before its row is.
    """
    rows = Blob.objects.filter(created_at__lt=before).values_list("name", "study_id")
    named = dict(rows.iterator(chunk_size=_BATCH))
    present = set(stored_names(before=timezone.now() + timedelta(days=1)))
    lost: dict[int, int] = {}
    for name, study_id in named.items():
        if name not in present:
            lost[study_id] = lost.get(study_id, 0) + 1
    for study in Study.objects.filter(pk__in=list(lost)):
        record(
            action="study.blob_missing",
            actor=system_ref(),
            outcome="failed",
            organisation_id=study.organisation_id,
            subject_id=study.subject_id,
            target=("study", study.uid),
            details={"blobs": lost[study.pk]},
        )
    return sum(lost.values())


# Keys --------------------------------------------------------------------------------------------
def _used_by_studies(keys: Collection[UUID]) -> set[UUID]:
    return set(Study.objects.filter(key_id__in=keys).values_list("key_id", flat=True)) | set(
        Blob.objects.filter(key_id__in=keys).values_list("key_id", flat=True)
    )


def _used_by_subjects(keys: Collection[UUID]) -> set[UUID]:
    return set(DataSubject.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def _used_by_grants(keys: Collection[UUID]) -> set[UUID]:
    return set(Grant.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def _used_by_events(keys: Collection[UUID]) -> set[UUID]:
    return set(EventCommitment.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


_USED_BY: dict[str, KeysAmong] = {
    "study": _used_by_studies,
    "subject": _used_by_subjects,
    "grant": _used_by_grants,
    "commitment": _used_by_events,
}


def _destroy_unused(kind: str, before: datetime) -> int:
    """Destroy keys whose transaction was rolled back: the key database has its own."""
    destroyed = 0
    unused = [
        key
        for batch in _batches(data_keys_made_before(before, kind=kind))
        for key in set(batch) - _USED_BY[kind](batch)
    ]
    for batch in _batches(unused):
        destroyed += len(destroy_data_keys(ids=batch).destroyed)
    return destroyed


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
