"""What stays of a study when the policy wants no person in it: a copy, made before it goes.

Copies are de-identified under a key of the run, by which a run that was interrupted finds its own
copies again. It is destroyed when the run ends: from then on nobody can lead a copy back, and no
row says which study it was made of. Copies are made of all studies of a run before the first is
destroyed, in the order of what they become, so that their order tells nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Self
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.services.trail import record, system_ref
from jobs.services import Run
from policies.selectors import effective_pack
from retention.models import DisposalItem, DisposalRun
from retention.rules.disposal import Fate, Kept, Step
from retention.selectors.contents import contents_of
from retention.services.holds import lock_organisation
from retention.services.rows import delete_study_rows, delete_subjects_without_studies
from studies.gateways.deidentifying_apart import Deidentified, DeidentifierApart
from studies.models import Instance, Study, Upload
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option, Profile, profile_of
from studies.services.deidentifying_stored import deidentify_stored
from studies.services.filing import ANONYMOUS_SOURCE
from studies.services.intake import Intake
from vault.services.blobs import delete_blob
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

KEY_KIND = "anonymising"
BLACKED = "pixels-blacked"
# So many objects are filed together.
TOGETHER = 100


def give_key(run: DisposalRun) -> None:
    """Give a run the key of its copies, if it needs one; call it in a transaction."""
    if run.anonymised and run.link_key_id is None:
        run.link_key_id = create_data_key(organisation_id=run.organisation_id, kind=KEY_KIND).id
        run.save(update_fields=["link_key_id"])


def destroy_way_back(run: DisposalRun) -> None:
    """Destroy what leads from originals to copies. Safe to repeat."""
    if run.link_key_id is not None:
        destroy_data_keys(ids=[run.link_key_id])


def profile_under(run: DisposalRun) -> Profile:
    """What the policy asks for; text in pixels is always looked for, since nobody can ask later."""
    wanted = effective_pack(run.organisation_id)["deid.options"]
    return profile_of({*wanted, Option.CLEAN_PIXEL_DATA.value})


class Copier:
    """Makes the copies of one run. Use as a context manager, so that its process ends."""

    def __init__(self, run: DisposalRun) -> None:
        assert run.link_key_id is not None
        self._run, key = run, open_data_key(id=run.link_key_id)
        self._keyed = Keyed(key)
        self._deidentifier = DeidentifierApart(profile_under(run), key)

    def __enter__(self) -> Self:
        self._deidentifier.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._deidentifier.__exit__(*error)

    def in_order(self, items: Sequence[DisposalItem]) -> list[DisposalItem]:
        return sorted(items, key=lambda item: self._keyed.uid(item.study_uid))

    def copy(self, job: Run, item: DisposalItem) -> None:
        """Make the copy of one study. Safe to repeat: what is filed already is filed once."""
        doubts: Counter[str] = Counter()
        copied = 0
        upload = self._upload()
        for pks in self._batches(item):
            with Intake(actor=system_ref(), upload=upload) as intake:
                for made in self._made(item, pks):
                    if made.content is None:
                        doubts.update(set(made.doubts))
                    else:
                        intake.take_whole(made.content, held_for=BLACKED if made.pixels else "")
                with job.step():
                    if not _is_wanted(item):
                        return
                    results = intake.commit() if intake.results else []
            copied += sum(result.status.is_kept for result in results)
            doubts.update(result.code for result in results if not result.status.is_kept)
        self._settle(job, item, copied, doubts)

    def _batches(self, item: DisposalItem) -> list[list[int]]:
        rows = Instance.objects.filter(
            organisation_id=self._run.organisation_id, study__uid=item.study_uid
        )
        pks = list(rows.order_by("pk").values_list("pk", flat=True))
        return [pks[at : at + TOGETHER] for at in range(0, len(pks), TOGETHER)]

    def _made(self, item: DisposalItem, pks: Sequence[int]) -> Iterator[Deidentified]:
        subject_id = Study.objects.get(
            organisation_id=self._run.organisation_id, uid=item.study_uid
        ).subject_id
        for pk in pks:
            yield deidentify_stored(pk, self._deidentifier, subject_id=subject_id)

    def _upload(self) -> Upload:
        """Written with the first object; whoever gave the second approval answers for it."""
        run = self._run
        assert run.second_by_id is not None
        assert run.second_at is not None
        return Upload(
            organisation_id=run.organisation_id, submitted_by_id=run.second_by_id,
            source=ANONYMOUS_SOURCE, attested_at=run.second_at, attestation_digest="",
            state=Upload.State.CLOSED, closed_at=timezone.now(),
        )  # fmt: skip

    def _settle(self, job: Run, item: DisposalItem, copied: int, doubts: Counter[str]) -> None:
        with job.step(advance=1):
            if not _is_wanted(item):
                return
            item.step, item.failure = Step.COPIED.value, ""
            item.copied, item.doubts = copied, dict(doubts)
            item.save(update_fields=["step", "failure", "copied", "doubts"])
            record(
                action="study.anonymised", actor=system_ref(),
                organisation_id=self._run.organisation_id, target=("study", item.study_uid),
                details={
                    "run": self._run.pk, "objects": copied,
                    "left_out": item.objects_count - copied,
                },
            )  # fmt: skip


def _is_wanted(item: DisposalItem) -> bool:
    """Has nobody cancelled it meanwhile? Asked under the lock that cancelling takes."""
    lock_organisation(item.run.organisation_id)
    rows = DisposalItem.objects.select_for_update()
    return rows.get(pk=item.pk).step == Step.PLANNED


# Copies that are there ---------------------------------------------------------------------------
def bars_of_copies(items: Sequence[DisposalItem]) -> dict[int, Kept]:
    """Which originals have to stay because of their copies, by item."""
    made = [item for item in items if item.fate == Fate.ANONYMISE and item.step != Step.PLANNED]
    if not made:
        return {}
    whole = _objects_of_copies(made)
    found = {}
    for item in made:
        if item.copied < item.objects_count and not item.run.destroys_doubtful:
            found[item.pk] = Kept.IN_DOUBT
        elif whole.get(item.pk, 0) < item.copied:
            found[item.pk] = Kept.NO_COPY
    return found


def _objects_of_copies(items: Sequence[DisposalItem]) -> dict[int, int]:
    run = items[0].run
    keyed = _keyed(run)
    by_uid = {keyed.uid(item.study_uid): item.pk for item in items}
    rows = Study.objects.filter(
        organisation_id=run.organisation_id, uid__in=by_uid, is_anonymous=True
    ).annotate(there=Count("instances"))
    return {by_uid[uid]: there for uid, there in rows.values_list("uid", "there")}


def discard_copy(item: DisposalItem) -> None:
    """Let go of a copy whose original stays, whole or not; call it in a transaction."""
    run = item.run
    if item.fate != Fate.ANONYMISE or run.link_key_id is None:
        return
    rows = Study.objects.filter(
        organisation_id=run.organisation_id, uid=_keyed(run).uid(item.study_uid), is_anonymous=True
    )
    study = rows.select_for_update().first()
    if study is None:
        return
    contents = contents_of([study])[study.pk]
    delete_study_rows([study])
    keys = {*contents.key_ids, *delete_subjects_without_studies([study.subject_id]).values()}
    transaction.on_commit(lambda: _forget(keys, contents.blob_names))


def _forget(keys: set[UUID], names: Sequence[str]) -> None:
    """After the commit; what a crash leaves of it, the sweep finds."""
    destroy_data_keys(ids=keys)
    for name in names:
        delete_blob(name=name)


def _keyed(run: DisposalRun) -> Keyed:
    assert run.link_key_id is not None
    return Keyed(open_data_key(id=run.link_key_id))


def keys_among(keys: Collection[UUID]) -> set[UUID]:
    """Which of these keys a run still needs, for the sweep."""
    rows = DisposalRun.objects.filter(link_key_id__in=keys)
    return {key for key in rows.values_list("link_key_id", flat=True) if key}
