"""A copy of what is held, written by a job into one sealed archive: whose digests are listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import orjson
from django.template.loader import render_to_string
from django.utils import timezone
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from accounts.services.trail import system_ref
from consent.models import DataSubject, Grant
from consent.selectors import grants_of_subjects, identities
from dsar.models import Case, Package
from dsar.rules.fhir import ShareFacts, StudyFacts, bundle
from dsar.rules.kinds import Kind
from dsar.rules.packages import LASTS, What, is_chosen
from dsar.services.choosing import own_studies, studies_held
from dsar.services.collecting import Collection, collect, whose_of
from dsar.services.entries import write_event
from dsar.services.explaining import Explained, explained, kinds_told, rooms
from dsar.services.packaging import package_context
from dsar.services.portable import portable_files
from jobs.services import JobAborted, Run
from policies.rules.holdings import File, Whose, holders, one_file
from studies.models import Study
from studies.rules.display import words_of_study
from studies.selectors import study_summaries
from vault.services.blobs import StoredBlob, seal_blob
from vault.services.data_keys import open_data_key

SUMS: Final = "SHA256SUMS"
# A step writes to the database; small files are counted together.
_BYTES_A_STEP: Final = 32 << 20


def make_package(run: Run) -> None:
    """Write what was wanted of all that is held. A kill begins it anew."""
    package = package_to_make(run)
    if package is None:
        return
    whose = whose_of(package.case)
    collection = collect(whose)
    if not collection.is_complete:
        # Tried again by the job; an answer without that room would be called complete.
        raise JobAborted("room-unreachable")
    files = files_for(package, whose, collection, timezone.now())
    if not files:
        raise JobAborted("nothing-of-it-held")
    write_package(run, package, Archive(files))


def files_for(package: Package, whose: Whose, collection: Collection, now: datetime) -> list[File]:
    """What a copy holds: kinds of data alone, what was chosen alone, or everything."""
    lines = explained(collection, whose)
    match What(package.what):
        case What.CATEGORIES:
            return categories_files(package.case, lines, now)
        case What.CHOSEN:
            return [one for one in files_of_rooms(whose) if is_chosen(one.path, package.chosen)]
    files = [*files_of_rooms(whose), _report(package.case, whose, lines, now), _fhir(whose, now)]
    if package.case.kind == Kind.PORTABILITY:
        files += portable_files(package.case, whose, now)
    return files


def files_of_rooms(whose: Whose) -> list[File]:
    """Every file of every room, in a folder of the room's name."""
    return [
        File(f"{holder.code}/{one.path}", one.pieces, one.size)
        for holder in holders() for one in holder.files(whose)
    ]  # fmt: skip


def package_to_make(run: Run) -> Package | None:
    """The package that a job is to make; None if it is made, or gone."""
    package = (
        Package.objects.select_related("case", "case__organisation")
        .filter(pk=UUID(run.payload["package"]))
        .first()
    )
    return package if package is not None and package.state == Package.State.MAKING else None


def write_package(
    run: Run, package: Package, archive: Archive, then: Callable[[], None] = lambda: None
) -> None:
    """Seal an archive as it is made, count its files, and say that it is ready.

    `then` is done in the transaction that says so.
    """
    stored, digest = seal_archive(
        run, archive, key=open_data_key(id=package.key_id), context=package_context(package.pk)
    )
    with run.step(finish=True):
        now = timezone.now()
        Package.objects.filter(pk=package.pk, state=Package.State.MAKING).update(
            state=Package.State.READY, blob_name=stored.name, size=stored.plaintext_size,
            digest=digest, files=archive.count, made_at=now, expires_at=now + LASTS,
        )  # fmt: skip
        write_event("request.copy_made", package.case, actor=system_ref(), files=archive.count)
        then()


def seal_archive(
    run: Run, archive: Archive, *, key: bytes, context: bytes
) -> tuple[StoredBlob, str]:
    """Seal an archive as it is made, and count its files as steps of the job.

    Returns the file of the store and the SHA-256 of what is in it.
    """
    digest = sha256()
    sealing = seal_blob(key=key, context=context)
    # Hashing lets other threads go on, and is the longest part of the work after writing.
    with sealing as writer, ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(digest.update, b"")
        waiting = told = 0
        # What a run before this one had counted stays counted, and is done once more.
        with run.step(total=run.cursor.get("done", 0) + archive.count):
            pass
        for piece in archive.pieces():
            hashed.result()
            hashed = beside.submit(digest.update, piece)
            writer.write(piece)
            waiting += len(piece)
            if waiting > _BYTES_A_STEP:
                done = run.cursor.get("done", 0) + archive.done - told
                with run.step(cursor={"done": done}, advance=archive.done - told):
                    waiting, told = 0, archive.done
        hashed.result()
        stored = writer.commit()
    return stored, digest.hexdigest()


class Archive:
    """Files and the digest of each; made as it is read."""

    def __init__(self, files: Sequence[File]) -> None:
        self._sums: list[str] = []
        self._zip = ZipStream(compress_type=ZIP_STORED)
        self.count, self.done = len(files), 0
        for file in files:
            self._zip.add(self._read(file), file.path, compress_type=_way(file.path))
        self._zip.add(self._listed(), SUMS, compress_type=ZIP_DEFLATED)

    def pieces(self) -> Iterator[bytes]:
        yield from self._zip

    def _read(self, file: File) -> Iterator[bytes]:
        digest = sha256()
        for piece in file.pieces():
            digest.update(piece)
            yield piece
        self.done += 1
        self._sums.append(f"{digest.hexdigest()}  {file.path}\n")

    def _listed(self) -> Iterator[bytes]:
        """Asked for last, when the digests of all others are known."""
        yield "".join(self._sums).encode()


def _way(path: str) -> int:
    """Pictures and objects grow no smaller, or not by enough for the time."""
    way: int = ZIP_STORED if path.endswith((".dcm", ".jpg", ".pdf")) else ZIP_DEFLATED
    return way


def _report(case: Case, whose: Whose, lines: list[Explained], now: datetime) -> File:
    context = {
        "case": case, "rooms": list(rooms(lines)), "made_at": now, "studies": own_studies(whose),
        "is_portable": case.kind == Kind.PORTABILITY,
    }  # fmt: skip
    text = render_to_string("dsar/package_report.html", context)
    return one_file("REPORT.html", text.encode())


def categories_files(case: Case, lines: list[Explained], now: datetime) -> list[File]:
    """The kinds of data, for people and for programs: no value, number or day of anything."""
    kinds = kinds_told(lines)
    context = {"case": case, "kinds": kinds, "made_at": now}
    told = {"organisation": case.organisation.name, "kinds": [asdict(one) for one in kinds]}
    return [
        one_file("REPORT.html", render_to_string("dsar/package_kinds.html", context).encode()),
        one_file("kinds.json", json.dumps(told, indent=2, ensure_ascii=False).encode()),
    ]


def _fhir(whose: Whose, now: datetime) -> File:
    subjects = DataSubject.objects.filter(
        pk__in=whose.subject_ids, organisation_id=whose.organisation_id
    )
    studies = studies_held(whose)
    found = bundle(
        made_at=now,
        people=identities(subjects),
        studies=[
            (study.subject_id, _facts(study, summary))
            for study, summary in zip(studies, study_summaries(studies), strict=True)
        ],
        shares=[
            (grant.subject_id, _share(grant)) for grant in grants_of_subjects(whose.subject_ids)
            if grant.organisation_id == whose.organisation_id
        ],
    )  # fmt: skip
    return one_file("fhir/bundle.json", json.dumps(found, indent=2, ensure_ascii=False).encode())


def _facts(study: Study, summary: bytes) -> StudyFacts:
    modalities = tuple(one for one in study.modalities.split("\\") if one)
    words = words_of_study(orjson.loads(summary))
    return StudyFacts(study.uid, words, modalities, study.series_count, study.instance_count)


def _share(grant: Grant) -> ShareFacts:
    return ShareFacts(
        grant.pk, grant.recipient_organisation.name, grant.purpose, grant.granted_at,
        grant.expires_at, grant.revoked_at, tuple(item.study_uid for item in grant.items.all()),
    )  # fmt: skip
