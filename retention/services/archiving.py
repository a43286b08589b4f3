"""Into the legal archive: out of every list at once, and then the keys into the archive's own.

Nothing is destroyed by it and no object is touched. In this order, because rows and keys lie in
two databases: a process that dies between the two leaves a study that nobody sees and whose key
is moved by the nightly work, never one that is listed and does not open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from audit.services import ActorRef
from retention.models import ArchivedStudy
from retention.rules.archive import ARCHIVE, Why, belongs_in_archive
from retention.selectors.archive import sealed_dates
from retention.selectors.batches import batches_of
from retention.selectors.contents import contents_of
from retention.selectors.holds import guard_of
from retention.selectors.keeping import Terms, dates_of, keeping_of_studies, terms_of
from retention.services.holds import lock_organisation
from studies.models import Blob, Study
from studies.rules.keeping import day_everywhere
from studies.selectors import ARCHIVED, REJECTED, THERE
from vault.rules.archive import archive_opened
from vault.selectors import keys_outside_archive, tombstones_of
from vault.services.archiving_keys import move_into_archive
from vault.services.data_keys import create_data_keys

KEY_KIND = "archived-study"
ARCHIVED_MESSAGE = "studies-archived"
# So many go there in one transaction.
TOGETHER = 100
# What can go there: what is in lists, and what was rejected.
OUTSIDE = Q(archived_at=None) & (THERE | REJECTED)


@transaction.atomic
def archive_studies(
    *, actor: Actor | ActorRef, organisation_id: UUID, study_ids: Collection[int], why: Why,
    case_number: str = "", at: datetime | None = None,
) -> int:  # fmt: skip
    """Put studies of one organisation into its archive; returns how many. Safe to repeat.

    The caller has decided that they belong there. What is being disposed of, or lies there
    already, is left as it is.
    """
    lock_organisation(organisation_id)
    rows = Study.objects.filter(OUTSIDE, pk__in=study_ids, organisation_id=organisation_id)
    found = list(rows.select_for_update().order_by("uid"))
    gone = tombstones_of([one.key_id for one in found])
    studies = [one for one in found if one.key_id not in gone]
    if not studies:
        return 0
    moment = at or timezone.now()
    counts = _entered(studies, why, case_number, moment)
    Study.objects.filter(pk__in=[one.pk for one in studies]).update(
        archived_at=moment, instance_count=0, held_count=0, changed_at=timezone.now()
    )
    for study in studies:
        record(
            action="study.archived", actor=actor, organisation_id=organisation_id,
            subject_id=study.subject_id, target=("study", study.uid), reason=why.value,
            details={"objects": counts[study.pk]},
        )  # fmt: skip
    keys = _keys_of(studies)
    transaction.on_commit(lambda: _shut(organisation_id, keys))
    return len(studies)


def archive_again(*, key_id: UUID, at: datetime) -> int:
    """Put a study back into the archive that a restore brought out of it. Safe to repeat.

    Its keys may lie there already: rows can be older than keys.
    """
    study = Study.objects.filter(OUTSIDE, key_id=key_id).first()
    if study is None:
        return 0
    with archive_opened(_keys_of([study])):
        return archive_studies(
            actor=system_ref(), organisation_id=study.organisation_id, study_ids=[study.pk],
            why=Why.RESTORED, at=at,
        )  # fmt: skip


def _entered(studies: Sequence[Study], why: Why, case_number: str, at: datetime) -> dict[int, int]:
    """Write the entries of these studies; gives how many objects each has."""
    organisation_id = studies[0].organisation_id
    dates, objects = dates_of(studies), contents_of(studies)
    there = ArchivedStudy.objects.filter(organisation_id=organisation_id)
    latest = there.aggregate(Max("number"))["number__max"] or 0
    keys = create_data_keys(organisation_id=organisation_id, kind=KEY_KIND, count=len(studies))
    ArchivedStudy.objects.bulk_create(
        ArchivedStudy(
            organisation_id=organisation_id, number=number, study=study, key_id=key.id,
            sealed_dates=sealed_dates(study.pk, dates[study.pk], key.key), why=why.value,
            case_number=case_number, objects_count=objects[study.pk].objects, archived_at=at,
        )
        for number, (study, key) in enumerate(zip(studies, keys, strict=True), start=latest + 1)
    )  # fmt: skip
    return {pk: found.objects for pk, found in objects.items()}


def _keys_of(studies: Sequence[Study]) -> set[UUID]:
    """Of the studies themselves and of each of their files; not those of the dates."""
    blobs = Blob.objects.filter(study__in=[one.pk for one in studies])
    return {one.key_id for one in studies} | set(blobs.values_list("key_id", flat=True))


def _shut(organisation_id: UUID, keys: set[UUID]) -> None:
    move_into_archive(organisation_id=organisation_id, ids=keys)


# Each night --------------------------------------------------------------------------------------
def archive_by_schedule(*, organisation: Organisation) -> int:
    """Archive what the policy does not keep any more, and law does; returns how many.

    By its schedule, where that says so, and what was rejected and cannot be restored any more.
    Held studies, and those of people whose requests are open, wait where they are.
    """
    terms = terms_of(organisation)
    outside = Study.objects.filter(OUTSIDE, organisation=organisation, is_anonymous=False)
    done = _archive_due(organisation.pk, outside.filter(REJECTED), terms, Why.REJECTED)
    if any(line.action == ARCHIVE for line in terms.schedule):
        done += _archive_due(organisation.pk, outside.filter(THERE), terms, Why.SCHEDULE)
    if done:
        people = people_with([organisation.pk], Role.OFFICER, Role.ADMINISTRATOR)
        notify(users=people, template=ARCHIVED_MESSAGE)
    return done


def _archive_due(organisation_id: UUID, rows: QuerySet[Study], terms: Terms, why: Why) -> int:
    today, done = day_everywhere(timezone.now()), 0
    for batch in batches_of(rows):
        keepings = keeping_of_studies(batch, terms)
        due = [one for one in batch if belongs_in_archive(keepings.get(one.pk), today)]
        guard = guard_of(organisation_id, due)
        free = [one.pk for one in due if guard.bar_for(one) is None]
        done += _archived(organisation_id, free, why)
    return done


def _archived(organisation_id: UUID, study_ids: Sequence[int], why: Why) -> int:
    return sum(
        archive_studies(
            actor=system_ref(), organisation_id=organisation_id, why=why,
            study_ids=study_ids[at : at + TOGETHER],
        )
        for at in range(0, len(study_ids), TOGETHER)
    )  # fmt: skip


def shut_what_is_open() -> int:
    """Move keys of archived studies that a process died before moving; returns how many."""
    return sum(
        move_into_archive(organisation_id=organisation_id, ids=keys)
        for organisation_id, keys in keys_left_outside()
    )


def keys_left_outside() -> Iterator[tuple[UUID, set[UUID]]]:
    """The keys of archived studies that ordinary work could still open; none, as a rule."""
    rows = Study.objects.filter(ARCHIVED).order_by("organisation_id", "pk")
    for organisation_id in rows.values_list("organisation_id", flat=True).distinct().order_by():
        for batch in batches_of(rows.filter(organisation_id=organisation_id)):
            if keys := keys_outside_archive(organisation_id, _keys_of(batch)):
                yield organisation_id, keys
