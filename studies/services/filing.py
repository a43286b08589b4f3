"""The rows of what was taken in, in one transaction with its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from audit.services import ActorRef
from config.statements import insert, update
from consent.services.subjects import match_subject
from studies import index
from studies.models import Blob, Instance, Series, Study, StudyNameToken, Upload
from studies.rules import attributes as rules
from studies.rules.layout import pack_layout
from studies.rules.results import Result, Status
from studies.sealing import series_context, study_context
from studies.services.drafts import Draft, SealedBlob
from studies.statements import (
    contents_stored,
    count_into_series,
    series_to_file,
    studies_to_file,
)
from vault.rules.errors import StorageUnreachable
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

# Of what the portal itself made out of a study whose time was over.
ANONYMOUS_SOURCE = "anonymous"


class StudyLeaving(StorageUnreachable):
    """Its time is over, and it goes; what is sent again a little later is a study of its own."""


@dataclass(slots=True)
class _Filed:
    """A study under the lock of the transaction, and the cipher of its own fields."""

    row: Study
    sealer: FieldSealer | None
    made: bool

    def open_sealer(self) -> FieldSealer:
        if self.sealer is None:
            self.sealer = FieldSealer(open_data_key(id=self.row.key_id))
        return self.sealer


@transaction.atomic
def file_drafts(
    *,
    actor: Actor | ActorRef,
    upload: Upload,
    drafts: Sequence[Draft],
    results: Sequence[Result],
    seen_at: Mapping[str, datetime],
    relied_on: Collection[str],
) -> list[SealedBlob]:
    """Write rows and events; return the blobs that turned out to hold nothing new.

    Raises `IntegrityError` if somebody else filed the same at the same time: call again, and
    what they filed counts as repeated. `seen_at` says as of which change the drafts were compared
    with each study; only one that has changed since is compared again. `relied_on` names the
    studies under whose keys drafts were sealed.
    """
    groups = _by_study(drafts)
    locked = {
        row.uid: row for row in studies_to_file(upload.organisation_id, groups.keys(), lock=True)
    }
    refuse_leaving(
        locked.values(), gone=[uid for uid in groups if uid in relied_on and uid not in locked]
    )
    known: dict[str, tuple[bytes, str]] = {}
    if any(uid not in locked or seen_at.get(uid) != locked[uid].changed_at for uid in groups):
        known = contents_stored(
            upload.organisation_id, [draft.result.sop_instance for draft in drafts]
        )
    # What is new is settled first: a study is made, and its key taken, from what is kept of it.
    new = [draft for draft in drafts if _is_new(draft, known, locked.get(draft.result.study))]
    studies = {
        uid: _Filed(locked[uid], None, made=False) if uid in locked else _new_study(upload, group)
        for uid, group in _by_study(new).items()
    }
    _save_upload(upload, results)
    blobs = _file_blobs(new, studies)
    series = _file_series(upload.organisation_id, new, studies)
    insert([_instance(upload, draft, studies, series, blobs) for draft in new])
    for filed in studies.values():
        touched = [row for (study, _), row in series.items() if study == filed.row.uid]
        _count(filed, [draft for draft in new if draft.result.study == filed.row.uid], touched)
    _write_events(actor, upload, studies, new, results)
    used = {id(draft.blob) for draft in new}
    unused = {id(draft.blob): draft.blob for draft in drafts if id(draft.blob) not in used}
    return list(unused.values())


def refuse_leaving(rows: Iterable[Study], *, gone: Collection[str] = ()) -> None:
    """Take nothing into a study that is being disposed of, nor under the key it had."""
    if gone or any(not (row.instance_count or row.held_count) for row in rows):
        raise StudyLeaving("a study of this submission is being disposed of")


def _by_study(drafts: Sequence[Draft]) -> dict[str, list[Draft]]:
    groups: dict[str, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.result.study, []).append(draft)
    # In one order everywhere, so that two submissions never wait for each other.
    return dict(sorted(groups.items()))


def _new_study(upload: Upload, drafts: list[Draft]) -> _Filed:
    first, organisation_id = drafts[0], upload.organisation_id
    uid = first.result.study
    header = first.header(organisation_id)
    matched = match_subject(
        organisation_id=organisation_id, identity=rules.identity_of(first.verdict, header)
    )
    texts, summary = first.verdict.summary.texts, first.verdict.summary
    days = index.tokens_of_date(organisation_id, summary.dates.get("StudyDate"))
    row = Study(
        organisation_id=organisation_id,
        uid=uid,
        subject=matched.subject,
        is_anonymous=upload.source == ANONYMOUS_SOURCE,
        doubts=list(matched.doubts),
        key_id=first.blob.key_id,
        sealed_summary=first.blob.sealer.seal(
            orjson.dumps(rules.picked(header, rules.STUDY)), study_context(organisation_id, uid)
        ),
        patient_id_token=first.patient_token,
        identifier_token=index.token_or_none(
            organisation_id, "identifier", texts.get("PatientID", "")
        ),
        accession_token=index.token_or_none(
            organisation_id, "accession", texts.get("AccessionNumber", "")
        ),
        study_id_token=index.token_or_none(organisation_id, "study_id", texts.get("StudyID", "")),
        day_token=days.day,
        month_token=days.month,
        year_token=days.year,
    )
    insert([row])
    names = [
        group
        for name in ("PatientName", "ResponsiblePerson")
        for group in summary.names.get(name, {}).values()
    ]
    tokens = index.tokens_of_names(organisation_id, names)
    tokens += index.tokens_of_whole_names(
        organisation_id, summary.names.get("PatientName", {}).values()
    )
    insert([StudyNameToken(study=row, token=token) for token in tokens])
    return _Filed(row, first.blob.sealer, made=True)


def _is_new(draft: Draft, known: dict[str, tuple[bytes, str]], study: Study | None) -> bool:
    """Settle what another submission has filed since the first look."""
    if earlier := known.get(draft.result.sop_instance):
        if earlier[1] != draft.result.study:
            draft.result.conflict("other-study")
        elif earlier[0] != draft.content:
            draft.result.conflict("other-content")
        else:
            draft.result.status = Status.REPEATED
        return False
    if study is not None and bytes(study.patient_id_token) != draft.patient_token:
        draft.result.conflict("other-patient")
        return False
    # An attempt before this one may have settled it otherwise, and was rolled back.
    draft.result.status = Status.HELD if draft.verdict.quarantined else Status.STORED
    return True


def _file_blobs(new: Sequence[Draft], studies: dict[str, _Filed]) -> dict[int, Blob]:
    found: dict[int, Blob] = {}
    for draft in new:
        blob = draft.blob
        if id(blob) not in found:
            found[id(blob)] = Blob(
                study=studies[draft.result.study].row,
                name=blob.writer.name,
                key_id=blob.key_id,
                size=blob.offset,
            )
    insert(list(found.values()))
    return found


def _file_series(
    organisation_id: UUID, new: Sequence[Draft], studies: dict[str, _Filed]
) -> dict[tuple[str, str], Series]:
    found: dict[tuple[str, str], Series] = {}
    firsts: dict[tuple[str, str], Draft] = {}
    for draft in new:
        firsts.setdefault((draft.result.study, draft.result.series), draft)
    uids = {filed.row.pk: uid for uid, filed in studies.items()}
    # A study that was made just now has none.
    there = [filed.row.pk for filed in studies.values() if not filed.made]
    for row in series_to_file(there, [series for _, series in firsts]):
        found[uids[row.study_id], row.uid] = row
    made = {
        place: _new_series(organisation_id, draft, studies[place[0]])
        for place, draft in firsts.items()
        if place not in found
    }
    insert(list(made.values()))
    return found | made


def _new_series(organisation_id: UUID, draft: Draft, study: _Filed) -> Series:
    summary = draft.verdict.summary
    header = rules.picked(draft.header(organisation_id), rules.SERIES)
    return Series(
        study=study.row,
        uid=summary.series,
        modality=summary.texts.get("Modality", "")[:16],
        number=summary.numbers.get("SeriesNumber"),
        sealed_summary=study.open_sealer().seal(
            orjson.dumps(header), series_context(organisation_id, summary.series)
        ),
    )


def _instance(
    upload: Upload,
    draft: Draft,
    studies: dict[str, _Filed],
    series: dict[tuple[str, str], Series],
    blobs: dict[int, Blob],
) -> Instance:
    verdict, result = draft.verdict, draft.result
    shape = verdict.pixels.shape if verdict.pixels else None
    return Instance(
        study=studies[result.study].row,
        series=series[result.study, result.series],
        organisation_id=upload.organisation_id,
        uid=result.sop_instance,
        sop_class_uid=result.sop_class,
        transfer_syntax_uid=verdict.summary.transfer_syntax,
        number=verdict.summary.numbers.get("InstanceNumber"),
        frames=shape.frames if shape else 0,
        rows=shape.rows if shape else None,
        columns=shape.columns if shape else None,
        blob=blobs[id(draft.blob)],
        offset=draft.offset,
        length=draft.length,
        layout=pack_layout(verdict.pixels),
        content_token=draft.content,
        sealed_metadata=draft.sealed_metadata,
        held=verdict.quarantined,
        reasons=[reason.code for reason in (*verdict.reasons, *verdict.remarks)],
        upload=upload,
    )


def _count(filed: _Filed, new: list[Draft], touched: list[Series]) -> None:
    """Bring the counts of a study and its series up to date; what is held is not counted in."""
    if not new:
        return
    shown = [draft for draft in new if not draft.verdict.quarantined]
    per_series = Counter(draft.result.series for draft in shown)
    count_into_series((one.pk, per_series[one.uid]) for one in touched if per_series[one.uid])
    row = filed.row
    modalities = dict.fromkeys(row.modalities.strip("\\").split("\\")) if row.modalities else {}
    modalities |= dict.fromkeys(
        text for draft in new if (text := draft.verdict.summary.texts.get("Modality", "")[:16])
    )
    row.modalities = ("\\" + "\\".join(modalities) + "\\")[:100] if modalities else ""
    if any(series.instance_count == 0 for series in touched):
        row.series_count = Series.objects.filter(study=row, instance_count__gt=0).count()
    row.instance_count += len(shown)
    row.held_count += len(new) - len(shown)
    row.bytes += sum(draft.length for draft in new)
    row.changed_at = timezone.now()
    update(
        row,
        ["modalities", "series_count", "instance_count", "held_count", "bytes", "changed_at"],
    )


def _save_upload(upload: Upload, results: Sequence[Result]) -> None:
    kept = Counter(result.status for result in results)
    counts = {
        "accepted": kept[Status.STORED] + kept[Status.HELD],
        "repeated": kept[Status.REPEATED],
        "refused": kept[Status.REFUSED] + kept[Status.CONFLICT],
    }
    if upload._state.adding:
        for name, count in counts.items():
            setattr(upload, name, count)
        insert([upload])
    else:
        Upload.objects.filter(pk=upload.pk).update(
            **{name: F(name) + count for name, count in counts.items() if count}
        )


def _write_events(
    actor: Actor | ActorRef,
    upload: Upload,
    studies: dict[str, _Filed],
    new: Sequence[Draft],
    results: Sequence[Result],
) -> None:
    counts = Counter(draft.result.study for draft in new)
    held = Counter(draft.result.study for draft in new if draft.verdict.quarantined)
    for uid, count in counts.items():
        study = studies[uid].row
        record(
            action="study.received",
            actor=actor,
            organisation_id=upload.organisation_id,
            subject_id=study.subject_id,
            target=("study", uid),
            details={
                "upload": str(upload.pk), "instances": count, "held": held[uid],
                "doubts": study.doubts if studies[uid].made else [],
            },
        )  # fmt: skip
    for result in results:
        if not result.status.is_kept:
            record(
                action="object.refused",
                actor=actor,
                outcome="refused",
                organisation_id=upload.organisation_id,
                target=("upload", str(upload.pk)),
                reason=result.code,
            )
