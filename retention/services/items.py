"""A study of a plan: what stands of it there, and how it counts."""

from __future__ import annotations

from retention.models import DisposalItem, DisposalRun
from retention.rules.disposal import Fate, Step
from retention.selectors.contents import Contents
from retention.selectors.holds import Bar
from studies.models import Study


def plan_study(
    run: DisposalRun, study: Study, found: Contents, *, fate: Fate, bar: Bar | None, duty: str
) -> DisposalItem:
    """Write a study into a plan, and count it into the run; nothing is saved yet."""
    if bar is None:
        run.due += 1
        run.anonymised += fate is Fate.ANONYMISE
        run.objects_due += found.objects
        run.bytes_due += study.bytes
    else:
        run.kept += 1
    return DisposalItem(
        run=run, study_uid=study.uid, step=(Step.KEPT if bar else Step.PLANNED).value,
        fate=fate.value, kept_for=bar.kept_for.value if bar else "",
        hold_id=bar.hold_id if bar else None, duty=duty,
        modalities=study.modalities.strip("\\"), objects_count=found.objects, bytes=study.bytes,
        digest=found.digest, key_ids=[str(one) for one in found.key_ids],
        blob_names=list(found.blob_names),
    )  # fmt: skip


def line_of(item: DisposalItem) -> bytes:
    """What the digest of a plan is made of: the same plan made again has the same."""
    return f"{item.study_uid} {item.digest} {item.kept_for} {item.fate}\n".encode()
