"""Studies on their way out, a step at a time. Each step is one transaction, and can be repeated.

In order: out of all lists; their keys destroyed, which is final; their files; their rows; and then
it is read back whether anything is left. Grants and the trail stay: they are evidence. Several
studies take a step together, since what a step costs is mostly making it durable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from django.utils import timezone

from accounts.services.trail import record, system_ref
from config.statements import update
from retention.models import DisposalItem, DisposalRun, DisposedStudy, StudyMilestone
from retention.rules.disposal import ENDED, Fate, Kept, Step
from retention.rules.keeping import why_not_due, why_not_erased
from retention.selectors.contents import contents_of
from retention.selectors.holds import Bar, guard_of
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.services.anonymising import bars_of_copies, discard_copy
from retention.services.holds import lock_organisation
from retention.services.leftovers import what_is_left
from retention.services.rows import delete_study_rows, delete_subjects_without_studies
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.services.rejecting import show_again
from vault.selectors import tombstones_of
from vault.services.blobs import delete_blobs
from vault.services.data_keys import destroy_data_keys

Items = Sequence[DisposalItem]


def advance(item_ids: Collection[int], deleted: Collection[int] = ()) -> list[DisposalItem]:
    """Take studies of one run one step further each; call it in a transaction.

    `deleted` names those whose files `delete_files` has deleted already.
    """
    items = _locked(item_ids)
    now = {step: [item for item in items if item.step == step] for step in Step}
    if any(item.fate == Fate.ANONYMISE for item in now[Step.PLANNED]):
        raise ValueError("a study of these has to be made anonymous first")
    for step, these in now.items():
        if these and step not in ENDED:
            if step is Step.KEY_DESTROYED:
                _delete_files(these, deleted)
            else:
                _ACTS[step](these, these[0].run.organisation_id)
    return items


def delete_files(item_ids: Collection[int]) -> set[int]:
    """Delete the files of those whose key is destroyed, and say of which; safe to repeat.

    Before the transaction that notes it: a disk takes its time, and nobody has to wait for a lock
    meanwhile. Nothing can take these studies back by then.
    """
    rows = DisposalItem.objects.filter(pk__in=item_ids, step=Step.KEY_DESTROYED)
    names = dict(rows.values_list("pk", "blob_names"))
    delete_blobs(names=[name for of_one in names.values() for name in of_one])
    return set(names)


def keep_what_is_barred(item_ids: Collection[int]) -> list[DisposalItem]:
    """Keep those of one run that something keeps by now; give the others. In a transaction."""
    items = _locked(item_ids)
    if not items:
        return []
    studies = _studies_of(items, items[0].run.organisation_id)
    return [item for item, _ in _not_barred(items, studies)]


def _locked(item_ids: Collection[int]) -> list[DisposalItem]:
    """Items of one run, under the lock that whoever places a hold takes before any row.

    Run and organisation are read once, not with each item, nor the samples, of which few are used.
    """
    of_these = DisposalItem.objects.filter(pk__in=item_ids).values("run")
    runs = {run.pk: run for run in DisposalRun.objects.filter(pk__in=of_these)}
    for organisation_id in {run.organisation_id for run in runs.values()}:
        lock_organisation(organisation_id)
    rows = DisposalItem.objects.filter(pk__in=item_ids).defer("sample").order_by("id")
    items = list(rows.select_for_update(of=("self",)))
    for item in items:
        item.run = runs[item.run_id]
    return items


def keep_item(item: DisposalItem, why: Kept, hold_id: UUID | None = None) -> None:
    """Leave a study where it is, and put it back into the lists; its key was not touched.

    What was made of it without the person goes again.
    """
    discard_copy(item)
    item.step, item.kept_for, item.hold_id = Step.KEPT.value, why.value, hold_id
    item.failure = ""
    item.save(update_fields=["step", "kept_for", "hold_id", "failure"])
    study = _studies_of([item], item.run.organisation_id).get(item.pk)
    if study is not None and not study.is_hidden:
        show_again(study)
    record(
        action="study.kept", actor=system_ref(), organisation_id=item.run.organisation_id,
        subject_id=study.subject_id if study else "", target=("study", item.study_uid),
        reason=why.value, details={"hold": hold_id, "run": item.run_id},
    )  # fmt: skip


def _studies_of(items: Items, organisation_id: UUID) -> dict[int, Study]:
    """The studies that were planned, by item; not those that came later under the same UIDs."""
    rows = Study.objects.filter(
        organisation_id=organisation_id, uid__in=[item.study_uid for item in items]
    ).order_by("uid")
    there = {study.uid: study for study in rows.select_for_update(of=("self",))}
    for study in there.values():
        study.organisation = items[0].run.organisation
    return {
        item.pk: study
        for item in items
        if (study := there.get(item.study_uid)) and str(study.key_id) in item.key_ids
    }


# Steps -------------------------------------------------------------------------------------------
def _withdraw(items: Items, organisation_id: UUID) -> None:
    """Take studies out of all lists, so that nobody comes to what no longer opens."""
    going = _not_barred(items, _studies_of(items, organisation_id))
    studies = [study.pk for _, study in going]
    Study.objects.filter(pk__in=studies).update(instance_count=0, held_count=0)
    _save([item for item, _ in going], Step.WITHDRAWN)


def _destroy_keys(items: Items, organisation_id: UUID) -> None:
    """Destroy keys, unless by now something holds. This is what cannot be taken back."""
    studies = _studies_of(items, organisation_id)
    # Destroyed by a process that died before it could say so: then it is final already.
    gone = set(tombstones_of([study.key_id for study in studies.values()]))
    final = [item for item in items if item.pk in studies and studies[item.pk].key_id in gone]
    going = _not_barred([item for item in items if item not in final], studies)
    destroy_data_keys(ids=[UUID(key) for item, _ in going for key in item.key_ids])
    done = final + [item for item, _ in going]
    stones = tombstones_of([studies[item.pk].key_id for item in done])
    for item in done:
        study = studies[item.pk]
        item.key_destroyed_at = stones[study.key_id].destroyed_at
        item.sample = study.sealed_summary
        _write("study.key_destroyed", item, study.subject_id)
    _enter_into_ledger(done, studies)
    _save(done, Step.KEY_DESTROYED, "key_destroyed_at", "sample")


def _enter_into_ledger(items: Items, studies: dict[int, Study]) -> None:
    DisposedStudy.objects.bulk_create(
        [
            DisposedStudy(
                organisation_id=item.run.organisation_id, run_id=item.run_id,
                study_key_id=studies[item.pk].key_id, key_ids=[*item.key_ids, *_way_back(item)],
                blob_names=item.blob_names, disposed_at=item.key_destroyed_at,
            )
            for item in items
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _way_back(item: DisposalItem) -> list[str]:
    """The key that leads to the copy: a restore must not bring it back either."""
    return [str(item.run.link_key_id)] if item.fate == Fate.ANONYMISE else []


def _not_barred(items: Items, studies: dict[int, Study]) -> list[tuple[DisposalItem, Study]]:
    """Ask anew, in this transaction, for whatever could keep these studies; what is kept, stays."""
    bars = bars_now([(item, studies[item.pk]) for item in items if item.pk in studies])
    of_copies = bars_of_copies([item for item in items if item.pk not in bars])
    bars |= {pk: Bar(why) for pk, why in of_copies.items()}
    going = []
    for item in items:
        if item.pk not in studies:
            keep_item(item, Kept.ABSENT)
        elif bar := bars.get(item.pk):
            keep_item(item, bar.kept_for, bar.hold_id)
        else:
            going.append((item, studies[item.pk]))
    return going


def bars_now(pairs: Sequence[tuple[DisposalItem, Study]]) -> dict[int, Bar]:
    """What keeps studies at this moment, by item: holds, requests, schedule, what was added."""
    if not pairs:
        return {}
    studies, request_id = [study for _, study in pairs], _request_of(pairs[0][0])
    guard = guard_of(studies[0].organisation_id, studies, request_id)
    bars = {item.pk: bar for item, study in pairs if (bar := guard.bar_for(study))}
    rest = [(item, study) for item, study in pairs if item.pk not in bars]
    return bars | (_bars_of_keeping(rest, by_request=request_id is not None) if rest else {})


def _request_of(item: DisposalItem) -> UUID | None:
    return item.run.request_id


def _bars_of_keeping(
    pairs: Sequence[tuple[DisposalItem, Study]], *, by_request: bool
) -> dict[int, Bar]:
    studies, today = [study for _, study in pairs], day_everywhere(timezone.now())
    keepings = keeping_of_studies(studies, terms_of(studies[0].organisation))
    contents = contents_of(studies)
    bars = {}
    for item, study in pairs:
        keeping, found = keepings.get(study.pk), contents[study.pk]
        why = why_not_erased(keeping, today) if by_request else why_not_due(keeping, today)
        if why is not None:
            bars[item.pk] = Bar(why)
        elif study.is_hidden and item.fate == Fate.ANONYMISE:
            # It went out of sight since, where nothing is read any more.
            bars[item.pk] = Bar(Kept.CHANGED)
        elif found.digest != item.digest or list(found.blob_names) != item.blob_names:
            bars[item.pk] = Bar(Kept.CHANGED)
    return bars


def _delete_files(items: Items, deleted: Collection[int]) -> None:
    delete_blobs(
        names=[name for item in items if item.pk not in deleted for name in item.blob_names]
    )
    _save(items, Step.FILES_DELETED)


def _delete_rows(items: Items, organisation_id: UUID) -> None:
    """Delete rows and search hashes, and of the subjects what is left when no study is."""
    studies = _studies_of(items, organisation_id)
    delete_study_rows(list(studies.values()))
    StudyMilestone.objects.filter(
        organisation_id=organisation_id, study_uid__in=[item.study_uid for item in items]
    ).delete()
    keys = delete_subjects_without_studies({study.subject_id for study in studies.values()})
    last_of_subject = []
    for item in items:
        if item.pk in studies:
            item.subject_key_id = keys.get(studies[item.pk].subject_id)
        if item.subject_key_id is not None:
            last_of_subject.append(item)
    _save([item for item in items if item not in last_of_subject], Step.ROWS_DELETED)
    _save(last_of_subject, Step.ROWS_DELETED, "subject_key_id")


def _verify(items: Items, _organisation_id: UUID) -> None:
    """Read back that nothing is left; where something is, the study stays at this step."""
    destroy_data_keys(ids=[item.subject_key_id for item in items if item.subject_key_id])
    left = what_is_left(items)
    gone = [item for item in items if item.pk not in left]
    now = timezone.now()
    for item in items:
        item.failure = f"left: {left.get(item.pk)}"
    for item in gone:
        item.sample, item.gone_at = None, now
        _write("study.disposed", item, "")
    DisposalItem.objects.filter(pk__in=[item.pk for item in gone]).update(sample=None, gone_at=now)
    _save(gone, Step.GONE)


def _save(items: Items, step: Step, *fields: str) -> None:
    """Note the step of all at once, and fields that are each one's own."""
    for item in items:
        item.step, item.failure = step.value, ""
        if fields:
            update(item, fields)
    numbers = [item.pk for item in items]
    DisposalItem.objects.filter(pk__in=numbers).update(step=step.value, failure="")


def _write(action: str, item: DisposalItem, subject_id: UUID | str) -> None:
    record(
        action=action, actor=system_ref(), organisation_id=item.run.organisation_id,
        subject_id=subject_id, target=("study", item.study_uid),
        details={
            "run": item.run_id, "objects": item.objects_count, "keys": len(item.key_ids),
            "files": len(item.blob_names), "duty": item.duty, "digest": item.digest,
        },
    )  # fmt: skip


_ACTS: dict[Step, Callable[[Items, UUID], None]] = {
    Step.PLANNED: _withdraw,
    Step.COPIED: _withdraw,
    Step.WITHDRAWN: _destroy_keys,
    Step.FILES_DELETED: _delete_rows,
    Step.ROWS_DELETED: _verify,
}
