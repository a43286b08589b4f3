"""Taking studies in: one service for the browser, STOW-RS and the command (C06, C07).

    with Intake(actor=actor, upload=upload) as intake:
        for name, chunks in objects:
            intake.take(chunks, name=name)
        results = intake.commit()

Nothing is acknowledged before `commit` returns. The order is: gate, seal, make the blobs durable,
and last the rows in one transaction with the events. A power cut leaves an object whole or not at
all; blobs without rows are swept; sending again is harmless.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import chain
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError

from accounts.rules import Actor
from accounts.services.trail import record
from audit.services import ActorRef
from studies import index
from studies.models import Upload
from studies.rules.gate import Gate, Verdict, inspect, named_by_itself
from studies.rules.minors import UNATTESTED
from studies.rules.preamble import LENGTH, neutralise_preamble
from studies.rules.reasons import HELD, Reason, Refused
from studies.rules.results import Result, Status
from studies.sealing import blob_context
from studies.services.drafts import Draft, SealedBlob
from studies.services.faults import is_database_full
from studies.services.filing import file_drafts, refuse_leaving
from studies.services.minors import Guardians
from studies.statements import contents_stored, studies_to_file
from vault.rules.errors import StorageError
from vault.services.blobs import commit_blobs, delete_blob, seal_blob
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

log = logging.getLogger(__name__)

# Objects up to this size are gathered and written together; larger ones go through as a stream.
GATHERED_BYTES = 4 << 20
_OPENING = LENGTH + 4
_ATTEMPTS = 4


class Intake:
    """One submission. Left without `commit`, it leaves nothing behind.

    An object whose opening names another object is refused. With `hold_differing`, which an
    operator asks for, its opening is made to name the object itself, and the object is held.
    """

    def __init__(
        self,
        *,
        actor: Actor | ActorRef,
        upload: Upload,
        only_study: str = "",
        hold_differing: bool = False,
    ) -> None:
        self.actor, self.upload, self.only_study = actor, upload, only_study
        self.hold_differing = hold_differing
        self.organisation_id = upload.organisation_id
        self.results: list[Result] = []
        self._waiting: list[tuple[Result, Verdict, bytes, bytes]] = []
        self._waiting_bytes = 0
        self._drafts: dict[str, Draft] = {}
        self._blobs: list[SealedBlob] = []
        self._blob_of_study: dict[str, SealedBlob] = {}
        self._existing_key: dict[str, UUID] = {}
        self._patient_of_study: dict[str, bytes] = {}
        self._seen_at: dict[str, datetime] = {}
        self._guardians = Guardians(upload)
        # Studies that nothing is added to, and why.
        self._closed: dict[str, str] = {}
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._ended:
            self._give_up(self._blobs)

    # Taking one object ---------------------------------------------------------------------------
    def take(self, chunks: Iterable[bytes], *, name: str = "") -> Result:
        """Take one object as a stream of bytes; what is wrong with it is in the result."""
        gathered: list[bytes] = []
        size = 0
        rest = iter(chunks)
        for chunk in rest:
            gathered.append(chunk)
            size += len(chunk)
            if size > GATHERED_BYTES:
                return self._take_stream(b"".join(gathered), rest, name)
        return self.take_whole(b"".join(gathered), name=name)

    def take_whole(self, data: bytes, *, name: str = "", held_for: str = "") -> Result:
        """Take one object that is in memory; `held_for` is a reason of our own to hold it."""
        result = self._result(name)
        named = self._named(data)
        try:
            verdict = _held_if(named is not data, inspect(named))
            if held_for:
                verdict = _held(verdict, held_for)
            data = named
            if verdict.preamble_changes:
                data = neutralise_preamble(data)
        except Refused as refusal:
            result.refuse(refusal.code, refusal.sentence)
            return result
        self._waiting.append((result, verdict, data, self._hash(data)))
        self._waiting_bytes += len(data)
        if self._waiting_bytes > GATHERED_BYTES:
            self._flush()
        return result

    def refuse(self, *, name: str, code: str, sentence: str) -> Result:
        """Note something that never was an object: a broken archive, an empty part."""
        result = self._result(name)
        result.refuse(code, sentence)
        return result

    def _named(self, beginning: bytes) -> bytes:
        """Let the object's opening name the object, where that was asked for."""
        return named_by_itself(beginning) if self.hold_differing else beginning

    def _take_stream(self, beginning: bytes, rest: Iterator[bytes], name: str) -> Result:
        named = self._named(beginning)
        result = self._result(name)
        key = create_data_key(organisation_id=self.organisation_id, kind="study")
        writer = seal_blob(key=key.key, context=blob_context(self.organisation_id))
        blob = SealedBlob(key.id, key.key, writer)
        self._blobs.append(blob)
        try:
            verdict, content = self._sealed(chain([named], rest), blob)
            verdict = _held_if(named is not beginning, verdict)
        except Refused as refusal:
            self._drop(blob)
            result.refuse(refusal.code, refusal.sentence)
            return result
        # What came before it decides whose the study is, and what the identifier stands for.
        self._flush()
        if self._may_be_kept(result, verdict, content, self._known([verdict])):
            self._draft(result, verdict, content, blob, 0)
        else:
            self._drop(blob)
        return result

    def _sealed(self, chunks: Iterator[bytes], blob: SealedBlob) -> tuple[Verdict, bytes]:
        """Send a stream through the gate and into its blob; return verdict and hash."""
        gate, hasher = Gate(), hmac.new(index.content_key(self.organisation_id), digestmod="sha256")
        opening = b""
        for chunk in _with_opening(chunks):
            gate.feed(chunk)
            piece = chunk
            if not opening:
                opening = piece = neutralise_preamble(chunk)
            hasher.update(piece)
            blob.writer.write(piece)
            blob.offset += len(piece)
        return gate.finish(), hasher.digest()

    def _drop(self, blob: SealedBlob) -> None:
        self._blobs = [one for one in self._blobs if one is not blob]
        self._give_up([blob])

    def _result(self, name: str) -> Result:
        result = Result(name=name)
        self.results.append(result)
        return result

    def _hash(self, data: bytes) -> bytes:
        return hmac.digest(index.content_key(self.organisation_id), data, "sha256")

    # Deciding what is new ------------------------------------------------------------------------
    def _flush(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        known = self._known([verdict for _, verdict, _, _ in waiting])
        for result, verdict, data, content in waiting:
            if self._may_be_kept(result, verdict, content, known):
                blob = self._blob(verdict.summary.study)
                offset = blob.offset
                blob.writer.write(data)
                blob.offset += len(data)
                self._draft(result, verdict, content, blob, offset)

    def _known(self, verdicts: list[Verdict]) -> dict[str, tuple[bytes, str]]:
        """What is stored under these object identifiers, and the patients of their studies."""
        self._learn_patients({verdict.summary.study for verdict in verdicts})
        return contents_stored(
            self.organisation_id, [verdict.summary.sop_instance for verdict in verdicts]
        )

    def _learn_patients(self, studies: set[str]) -> None:
        unknown = studies - self._patient_of_study.keys()
        found = studies_to_file(self.organisation_id, unknown)
        there = [study for study in found if not study.is_hidden]
        hidden = [study for study in found if study.is_hidden]
        self._closed |= {one.uid: "archived" if one.archived_at else "rejected" for one in hidden}
        refuse_leaving(there)
        for study in there:
            self._patient_of_study[study.uid] = bytes(study.patient_id_token)
            self._existing_key[study.uid] = study.key_id
            self._seen_at[study.uid] = study.changed_at

    def _may_be_kept(
        self, result: Result, verdict: Verdict, content: bytes, known: dict[str, tuple[bytes, str]]
    ) -> bool:
        """Settle the result of what is refused, repeated or in conflict; True for what is new."""
        summary = verdict.summary
        result.sop_class, result.sop_instance = summary.sop_class, summary.sop_instance
        result.study, result.series = summary.study, summary.series
        result.neutralised = verdict.preamble_changes
        draft = self._drafts.get(summary.sop_instance)
        earlier = (draft.content, draft.result.study) if draft else known.get(summary.sop_instance)
        if self.only_study and summary.study != self.only_study:
            result.conflict("not-this-study")
        elif closed := self._closed.get(summary.study):
            result.conflict(closed)
        elif earlier and earlier[1] != summary.study:
            result.conflict("other-study")
        elif earlier and not hmac.compare_digest(earlier[0], content):
            result.conflict("other-content")
        elif earlier:
            result.status = Status.REPEATED
        elif (
            self._patient_of_study.setdefault(
                summary.study, patient := self._patient_token(verdict)
            )
            != patient
        ):
            result.conflict("other-patient")
        else:
            return True
        return False

    def _patient_token(self, verdict: Verdict) -> bytes:
        texts = verdict.summary.texts
        issuer, identifier = texts.get("IssuerOfPatientID", ""), texts.get("PatientID", "")
        return index.token(self.organisation_id, "patient", f"{issuer}\x1f{identifier}")

    def _blob(self, study: str) -> SealedBlob:
        blob = self._blob_of_study.get(study)
        if blob is None:
            key_id = self._existing_key.get(study)
            if key_id is None:
                key = create_data_key(organisation_id=self.organisation_id, kind="study")
                key_id, secret = key.id, key.key
            else:
                secret = open_data_key(id=key_id)
            writer = seal_blob(key=secret, context=blob_context(self.organisation_id))
            blob = self._blob_of_study[study] = SealedBlob(key_id, secret, writer)
            self._blobs.append(blob)
        return blob

    def _draft(
        self, result: Result, verdict: Verdict, content: bytes, blob: SealedBlob, offset: int
    ) -> None:
        if self._guardians.is_missing(result.study, verdict.summary.texts):
            verdict = _held(verdict, UNATTESTED, "00100030")
        result.status = Status.HELD if verdict.quarantined else Status.STORED
        result.held_for = verdict.reasons
        draft = Draft(
            result=result,
            verdict=verdict,
            content=content,
            blob=blob,
            offset=offset,
            length=blob.offset - offset,
            patient_token=self._patient_of_study[result.study],
        )
        draft.seal_metadata(self.organisation_id)
        self._drafts[result.sop_instance] = draft

    # Making it durable ---------------------------------------------------------------------------
    def commit(self) -> list[Result]:
        """Store what was taken and return the fate of each object, in the order it came."""
        self._flush()
        used = {id(draft.blob) for draft in self._drafts.values()}
        blobs = [blob for blob in self._blobs if id(blob) in used]
        self._give_up([blob for blob in self._blobs if id(blob) not in used])
        self._blobs = blobs
        stored = commit_blobs(writers=[blob.writer for blob in blobs])
        try:
            self._file()
        except BaseException as error:
            self._ended = True
            if not _may_be_committed(error):
                self._discard_committed([blob.name for blob in stored], blobs)
            raise
        self._ended = True
        return self.results

    def _file(self) -> None:
        unsaved = self.upload._state.adding
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                unused = file_drafts(
                    actor=self.actor,
                    upload=self.upload,
                    drafts=list(self._drafts.values()),
                    results=self.results,
                    seen_at=self._seen_at if attempt == 1 else {},
                    relied_on=self._existing_key,
                )
            except DatabaseError as error:
                # Another submission filed the same study, series or object in this very moment.
                if attempt == _ATTEMPTS or not _is_collision(error):
                    raise
                self.upload._state.adding = unsaved
            else:
                self._discard_committed([blob.writer.name for blob in unused], unused)
                return

    def _give_up(self, blobs: list[SealedBlob]) -> None:
        for blob in blobs:
            with _left_to_the_sweep():
                blob.writer.abort()
        self._forget_keys(blobs)

    def _discard_committed(self, names: list[str], blobs: list[SealedBlob]) -> None:
        for name in names:
            with _left_to_the_sweep():
                delete_blob(name=name)
        self._forget_keys(blobs)

    def _forget_keys(self, blobs: list[SealedBlob]) -> None:
        """Destroy keys that were made here and seal nothing that is kept."""
        kept = set(self._existing_key.values())
        made = {blob.key_id for blob in blobs} - kept
        if made:
            with _left_to_the_sweep():
                destroy_data_keys(ids=made)


def record_refused_body(*, actor: Actor, code: str) -> None:
    """Write down that a submission was refused as a whole, before it held an object."""
    record(action="object.refused", actor=actor, outcome="refused", reason=code)


@contextmanager
def _left_to_the_sweep() -> Iterator[None]:
    """Let clearing away fail: the sweep comes later, and what went wrong first must be heard."""
    try:
        yield
    except (StorageError, DatabaseError) as error:
        log.warning("Left to the sweep: %s", type(error).__name__)


def _is_collision(error: DatabaseError) -> bool:
    """Did two transactions meet (PostgreSQL's codes: deadlock, serialisation)?"""
    code = getattr(error.__cause__, "pgcode", "")
    return isinstance(error, IntegrityError) or code in {"40P01", "40001"}


def _may_be_committed(error: BaseException) -> bool:
    """A connection lost, or a process told to end, in mid-commit: are the rows there or not?

    What they may name is then left to the sweep, which looks again a day later.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return not is_database_full(error)
    return not isinstance(error, Exception)


def _held_if(renamed: bool, verdict: Verdict) -> Verdict:
    return _held(verdict, "meta-identifier-replaced", "00020003") if renamed else verdict


def _held(verdict: Verdict, code: str, tag: str = "") -> Verdict:
    return replace(verdict, reasons=(*verdict.reasons, Reason(code, HELD[code], tag)))


def _with_opening(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the same bytes, with the whole opening (preamble and mark) in the first chunk."""
    opening = b""
    for chunk in chunks:
        opening += chunk
        if len(opening) >= _OPENING:
            break
    yield opening
    yield from chunks
