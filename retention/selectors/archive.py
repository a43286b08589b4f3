"""The legal archive as it can be known without opening it: what lies there, and its dates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

import orjson
from django.db.models import QuerySet

from accounts.rules import Actor, Capability
from retention.models import ArchivedStudy
from retention.sealing import archive_context
from vault.rules.sealed_field import FieldSealer
from vault.selectors import keys_outside_archive
from vault.services.data_keys import open_data_keys

LATEST = 100
# The day of the examination, and of birth, where they are known.
Dates = tuple[date | None, date | None]


def archive_of(actor: Actor) -> QuerySet[ArchivedStudy]:
    """What lies in the archive of the organisation that somebody answers for; nobody else's."""
    if not actor.can(Capability.APPROVE_DISPOSAL):
        return ArchivedStudy.objects.none()
    rows = ArchivedStudy.objects.filter(organisation_id=actor.organisation_id)
    return rows.select_related("study", "organisation").order_by("-number")


def dates_of_archived(study_ids: Collection[int]) -> dict[int, Dates]:
    """The dates that were noted when they went there: two queries, and none for none."""
    if not study_ids:
        return {}
    rows = list(ArchivedStudy.objects.filter(study_id__in=study_ids))
    keys = open_data_keys(ids=[row.key_id for row in rows])
    return {
        row.study_id: _read(
            FieldSealer(keys[row.key_id]).open(row.sealed_dates, archive_context(row.study_id))
        )
        for row in rows
    }


def sealed_dates(study_id: int, dates: Dates, key: bytes) -> bytes:
    value = orjson.dumps([one.isoformat() if one else None for one in dates])
    return FieldSealer(key).seal(value, archive_context(study_id))


def _read(value: bytes) -> Dates:
    examined, born = (date.fromisoformat(one) if one else None for one in orjson.loads(value))
    return examined, born


def keys_of_dates(study_ids: Collection[int]) -> dict[int, UUID]:
    """The key of each one's dates, which is destroyed with the study's own."""
    if not study_ids:
        return {}
    rows = ArchivedStudy.objects.filter(study_id__in=study_ids)
    return dict(rows.values_list("study_id", "key_id"))


def latest_keys_outside() -> int:
    """Of the last hundred that went there: how many keys ordinary work could still open."""
    rows = ArchivedStudy.objects.order_by("-pk").values_list("organisation_id", "study__key_id")
    by_organisation: dict[UUID, set[UUID]] = {}
    for organisation_id, key_id in rows[:LATEST]:
        by_organisation.setdefault(organisation_id, set()).add(key_id)
    return sum(len(keys_outside_archive(one, keys)) for one, keys in by_organisation.items())


def keys_among(keys: Collection[UUID]) -> set[UUID]:
    """Which of these keys seal dates of the archive, for the sweep."""
    return set(ArchivedStudy.objects.filter(key_id__in=keys).values_list("key_id", flat=True))
