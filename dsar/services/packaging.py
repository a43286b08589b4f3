"""The copy of what is held: made by a job, sealed, handed out by proof, and deleted in time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid4

import orjson
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from accounts.rules import Actor
from accounts.services.trail import system_ref
from consent.models import DataSubject, Grant
from consent.selectors import grants_of_subjects, identities
from dsar.models import Case, Package
from dsar.permissions import can_answer, is_person_of
from dsar.rules.fhir import ShareFacts, StudyFacts, bundle
from dsar.rules.identity import Level
from dsar.rules.kinds import Kind
from dsar.rules.packages import LASTS, TRIES, WITH_COPY, digest_of_code, is_code, new_code
from dsar.rules.states import UNANSWERED
from dsar.selectors import standing_of
from dsar.selectors.agents import answer_is_persons
from dsar.selectors.identity import level_known
from dsar.services.collecting import Collection, collect, whose_of
from dsar.services.entries import CaseRefused, NotYours, locked, write_event
from dsar.services.explaining import explained, rooms
from jobs.services import JobAborted, Run, create_job
from policies.rules.holdings import File, Whose, holders, one_file
from studies.models import Study
from studies.rules.display import words_of_study
from studies.selectors import OF_SOMEBODY_ELSE, study_summaries
from vault.rules.contexts import bind
from vault.services.blobs import SealedBlob, delete_blob, open_blob, seal_blob
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

MAKE: Final = "dsar.package"
KEY_KIND: Final = "request-package"
SUMS: Final = "SHA256SUMS"
# A step writes to the database; small files are counted together.
_BYTES_A_STEP: Final = 32 << 20


def package_context(package_id: UUID) -> bytes:
    return bind("collimate/request-package", package_id)


# Making ------------------------------------------------------------------------------------------
@transaction.atomic
def prepare_package(*, actor: Actor, case: Case) -> tuple[Package, str]:
    """Have a copy made; returns it with the code for whoever has no account (else empty).

    Raises `CaseRefused`: nothing is copied before it is known who asks, and of whom.
    """
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    if refusal := _refusal_to_prepare(row):
        raise CaseRefused(refusal)
    return begin_package(actor=actor, row=row, kind=MAKE)


def begin_package(*, actor: Actor, row: Case, kind: str, once: bool = False) -> tuple[Package, str]:
    """Let a job of this kind make a package for a locked case, in the place of earlier ones.

    With `once` it can be fetched a single time. The caller has checked that it may be made.
    """
    for earlier in row.packages.exclude(state=Package.State.GONE):
        _end(earlier)
    code = "" if row.person_id and not answer_is_persons(row) else new_code()
    package = Package.objects.create(
        id=uuid4(), case=row, made_by_id=actor.user_id, once=once,
        key_id=create_data_key(organisation_id=row.organisation_id, kind=KEY_KIND).id,
        code_digest=digest_of_code(code) if code else "",
    )  # fmt: skip
    package.job_id = create_job(
        kind=kind, natural_key=str(package.pk), payload={"package": str(package.pk)},
        organisation_id=row.organisation_id, created_by_id=actor.user_id,
    ).pk  # fmt: skip
    package.save(update_fields=["job_id"])
    write_event("request.copy_begun", row, actor=actor, package=str(package.pk))
    return package, code


def _refusal_to_prepare(row: Case) -> str:
    if row.state not in UNANSWERED:
        return "This case is answered. A new request makes a new one."
    if Kind(row.kind) not in WITH_COPY:
        return "Nothing is copied for a request of this kind."
    if row.identified_at is None:
        return "Note first how it is known who asks; until then nothing is handed out."
    if whose_of(row).user_id is None and not row.subjects.exists():
        return "Say first whom the request is about: find the person among the patients."
    standing = standing_of(row)
    if standing.unauthorised:
        return standing.unauthorised
    if standing.fee_open:
        return "The person has not accepted the fee yet. Wait for it, or quote none."
    if level_known(row) < Level.HIGH:
        return (
            "A copy holds the data itself, so each record needs more proof that it is theirs. Look"
            " once more at who asks."
        )
    return ""


def make_package(run: Run) -> None:
    """Write everything that is held into one sealed archive. A kill begins it anew."""
    package = package_to_make(run)
    if package is None:
        return
    whose = whose_of(package.case)
    collection = collect(whose)
    if not collection.is_complete:
        # Tried again by the job; an answer without that room would be called complete.
        raise JobAborted("room-unreachable")
    write_package(run, package, Archive(_everything(package, whose, collection)))


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
    key = open_data_key(id=package.key_id)
    digest = sha256()
    with seal_blob(key=key, context=package_context(package.pk)) as writer:
        waiting = told = 0
        # What a run before this one had counted stays counted, and is done once more.
        with run.step(total=run.cursor.get("done", 0) + archive.count):
            pass
        for piece in archive.pieces():
            writer.write(piece)
            digest.update(piece)
            waiting += len(piece)
            if waiting > _BYTES_A_STEP:
                done = run.cursor.get("done", 0) + archive.done - told
                with run.step(cursor={"done": done}, advance=archive.done - told):
                    waiting, told = 0, archive.done
        stored = writer.commit()
    with run.step(finish=True):
        now = timezone.now()
        Package.objects.filter(pk=package.pk, state=Package.State.MAKING).update(
            state=Package.State.READY, blob_name=stored.name, size=stored.plaintext_size,
            digest=digest.hexdigest(), files=archive.count, made_at=now, expires_at=now + LASTS,
        )  # fmt: skip
        write_event("request.copy_made", package.case, actor=system_ref(), files=archive.count)
        then()


def _everything(package: Package, whose: Whose, collection: Collection) -> list[File]:
    """The files of all rooms, the report, and FHIR."""
    now = timezone.now()
    files = [
        File(f"{holder.code}/{one.path}", one.pieces, one.size)
        for holder in holders() for one in holder.files(whose)
    ]  # fmt: skip
    return [*files, _report(package.case, collection, whose, now), _fhir(whose, now)]


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
    way: int = ZIP_STORED if path.endswith(".dcm") else ZIP_DEFLATED
    return way


def _report(case: Case, collection: Collection, whose: Whose, now: datetime) -> File:
    lines = explained(collection, whose)
    context = {"case": case, "rooms": list(rooms(lines)), "made_at": now}
    text = render_to_string("dsar/package_report.html", context)
    return one_file("REPORT.html", text.encode())


def _fhir(whose: Whose, now: datetime) -> File:
    subjects = DataSubject.objects.filter(
        pk__in=whose.subject_ids, organisation_id=whose.organisation_id
    )
    studies = list(
        Study.objects.filter(
            subject_id__in=whose.subject_ids,
            organisation_id=whose.organisation_id,
            archived_at=None,
        )
        .exclude(OF_SOMEBODY_ELSE)
        .order_by("pk")
    )
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


# Handing out -------------------------------------------------------------------------------------
def package_of(case: Case) -> Package | None:
    """The copy of a case that was made last, whether or not it is there yet."""
    return case.packages.exclude(state=Package.State.GONE).order_by("-created_at").first()


def is_to_be_had(case: Case, package: Package | None) -> bool:
    """Can the person fetch it now: ready, within its term, and the request answered with it?"""
    return (
        package is not None
        and package.state == Package.State.READY
        and package.expires_at is not None
        and package.expires_at > timezone.now()
        and not (package.once and package.downloads)
        and case.answered_at is not None
        and case.outcome in {"granted", "partly"}
    )


@transaction.atomic
def open_package(
    *, case: Case, actor: Actor | None, code: str = "", by_person: bool = False
) -> tuple[Package, SealedBlob]:
    """Open the copy for the person of a case, signed in with a fresh proof, or by code.

    `by_person`: by the link of somebody in whose name another asked. Raises `CaseRefused`; a wrong
    code is counted, and after five nobody opens it any more.
    """
    package = package_of(locked(case))
    if package is None or not is_to_be_had(case, package):
        raise CaseRefused("There is no copy to be had here, or not any more.")
    package = Package.objects.select_for_update().get(pk=package.pk)
    if answer_is_persons(case) and not by_person:
        raise NotYours("This copy goes to the person whose data it is.")
    if case.person_id is not None and not by_person:
        if actor is None or not is_person_of(actor, case):
            raise NotYours("This copy is somebody else's.")
        if not actor.is_fresh(timezone.now()):
            raise CaseRefused("Prove again that it is you, then fetch it.")
    elif not package.code_digest and package.downloads:
        raise CaseRefused("It was fetched with this code already, which opens it once. Ask the"
                          " privacy officer if it was not you.")  # fmt: skip
    elif package.failed_tries >= TRIES:
        raise CaseRefused("Too many wrong codes. Ask the privacy officer for another copy.")
    elif not is_code(code, package.code_digest):
        raise CaseRefused("This is not the code. Look at it again, or ask the privacy officer.")
    if package.once and package.downloads:
        raise CaseRefused("It was fetched already, and can be fetched once only. Ask for another.")
    blob = open_blob(
        package.blob_name, key=open_data_key(id=package.key_id),
        context=package_context(package.pk),
    )  # fmt: skip
    Package.objects.filter(pk=package.pk).update(
        downloads=F("downloads") + 1, downloaded_at=timezone.now()
    )
    write_event("request.copy_fetched", case, actor=actor, bytes=package.size)
    return package, blob


def spend_code(package: Package) -> None:
    """End the code once the whole copy went out; what broke off can be fetched anew with it."""
    Package.objects.filter(pk=package.pk).update(code_digest="")


def try_code(*, case: Case, code: str) -> bool:
    """Is this the code of the copy? Counted in a transaction of its own, whatever comes after."""
    package = package_of(case)
    if package is None or not package.code_digest or package.failed_tries >= TRIES:
        return False
    if is_code(code, package.code_digest):
        return True
    with transaction.atomic():
        Package.objects.filter(pk=package.pk).update(failed_tries=F("failed_tries") + 1)
        write_event("request.copy_refused", case, actor=None, package=str(package.pk))
    return False


# Its end -----------------------------------------------------------------------------------------
def end_packages(now: datetime | None = None) -> int:
    """Delete the copies whose term is over. Safe to repeat."""
    moment = now or timezone.now()
    due = Package.objects.filter(expires_at__lte=moment).exclude(state=Package.State.GONE)
    packages = list(due.select_related("case"))
    end_packages_of(packages)
    return len(packages)


def end_packages_of(packages: Iterable[Package]) -> None:
    """Delete copies. Safe to repeat."""
    for package in packages:
        with transaction.atomic():
            _end(package)
            write_event("request.copy_deleted", package.case, actor=system_ref())


def _end(package: Package) -> None:
    """The key first, which is final; the file after the commit, or by the store's sweep."""
    destroy_data_keys(ids=[package.key_id])
    name = package.blob_name
    package.state, package.blob_name = Package.State.GONE, ""
    package.save(update_fields=["state", "blob_name"])
    if name:
        transaction.on_commit(lambda: delete_blob(name=name))
