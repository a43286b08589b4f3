"""A submission that goes on over many requests: file by file, archive by archive (C06, C07)."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Final, TypeVar
from uuid import UUID

from accounts.rules import Actor
from consent.rules.decision import Action, Resource
from consent.services.decisions import authorise, decide
from studies.models import Upload
from studies.rules.archive import Member, members
from studies.rules.reasons import Refused
from studies.rules.results import Result
from studies.services.intake import Intake
from vault.rules.contexts import bind
from vault.services.blobs import delete_blob, open_blob, seal_blob

ZIP_MARKS: Final = (b"PK\3\4", b"PK\5\6")
# What is acknowledged together; a cut connection costs at most this many again.
TAKEN_TOGETHER: Final = 200
BODIES_AT_ONCE: Final = 4
EMPTY_ARCHIVE: Final = ("archive-empty", "The archive holds no file.")
T = TypeVar("T")


class TooManyBodies(Exception):
    """Raised when one person already sends as many bodies at once as one process takes of them."""


class UploadClosed(Exception):
    """Raised for objects that come after their submission was ended."""


class _Bodies:
    """Counts the bodies that each person is sending, so that slow ones cannot take all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sending: Counter[int] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one_of(self, user_id: int) -> Iterator[None]:
        with self._lock:
            if self._sending[user_id] >= self._most:
                raise TooManyBodies
            self._sending[user_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sending[user_id] -= 1
                if not self._sending[user_id]:
                    del self._sending[user_id]


bodies = _Bodies(BODIES_AT_ONCE)


def upload_of(actor: Actor, upload_id: UUID) -> Upload | None:
    """The submission with this id, if the asker began it for the organisation they work for."""
    return Upload.objects.filter(
        pk=upload_id, organisation_id=actor.organisation_id, submitted_by_id=actor.user_id
    ).first()


def check_open(*, actor: Actor, upload: Upload) -> None:
    """Ask again, for each body, whether the sender may still store into this submission.

    Raises `UploadClosed`, and `consent.services.decisions.Refused`.
    """
    if upload.state != Upload.State.OPEN:
        raise UploadClosed
    resource = Resource(organisation_id=upload.organisation_id, study_uid="")
    decision = decide(actor=actor, action=Action.STORE, resource=resource)
    if not decision.is_permit:
        authorise(
            actor=actor,
            action=Action.STORE,
            resource=resource,
            event="upload.opened",
            decision=decision,
        )


def take_body(
    *, actor: Actor, upload: Upload, chunks: Iterable[bytes], name: str = ""
) -> list[Result]:
    """Take one file as it comes: an object, or a ZIP archive of objects, by its first bytes."""
    opening, whole = _opened(chunks)
    if opening.startswith(ZIP_MARKS):
        return _take_archive(actor, upload, whole, name)
    with Intake(actor=actor, upload=upload) as intake:
        intake.take(whole, name=name)
        return intake.commit()


def take_bodies(
    *, actor: Actor, upload: Upload, files: Iterable[tuple[str, Iterable[bytes]]]
) -> list[Result]:
    """Take many files one after the other, made durable some at a time."""
    results: list[Result] = []
    for group in _groups(files, TAKEN_TOGETHER):
        archives: list[Result] = []
        with Intake(actor=actor, upload=upload) as intake:
            for name, chunks in group:
                opening, whole = _opened(chunks)
                if opening.startswith(ZIP_MARKS):
                    archives += _take_archive(actor, upload, whole, name)
                else:
                    intake.take(whole, name=name)
            results += intake.commit() + archives
    return results


def _take_archive(actor: Actor, upload: Upload, chunks: Iterable[bytes], name: str) -> list[Result]:
    """Seal an archive under a key that only this call knows, and take its files one by one.

    After a crash nobody can open what is left of it, and the sweep deletes it.
    """
    key, context = secrets.token_bytes(32), bind("collimate/archive", upload.organisation_id)
    with seal_blob(key=key, context=context) as writer:
        for chunk in chunks:
            writer.write(chunk)
        stored = writer.commit()
    results: list[Result] = []
    code, sentence = EMPTY_ARCHIVE
    try:
        with open_blob(stored.name, key=key, context=context).as_file() as archive:
            for group in _groups(members(archive), TAKEN_TOGETHER):
                results += _take_members(actor, upload, group)
    except Refused as refused:
        code, sentence = refused.code, refused.sentence
    else:
        if results:
            return results
    finally:
        delete_blob(name=stored.name)
    with Intake(actor=actor, upload=upload) as intake:
        intake.refuse(name=name, code=code, sentence=sentence)
        return results + intake.commit()


def _take_members(actor: Actor, upload: Upload, group: Iterable[Member]) -> list[Result]:
    with Intake(actor=actor, upload=upload) as intake:
        for member in group:
            try:
                intake.take(member.chunks(), name=member.name)
            except Refused as refused:
                intake.refuse(name=member.name, code=refused.code, sentence=refused.sentence)
        return intake.commit()


def _groups(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """Cut a stream into groups, each to be read to its end before the next is asked for."""
    rest = iter(items)
    for first in rest:
        yield chain([first], islice(rest, size - 1))


def _opened(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Look at the first bytes of a stream; give them and the whole of it."""
    rest, opening = iter(chunks), b""
    for chunk in rest:
        opening += chunk
        if len(opening) >= 4:
            break
    return opening[:4], chain([opening], rest)
