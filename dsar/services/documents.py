"""Papers of a request: asked for, taken in after a look at their bytes, opened by officers, gone.

Nothing here is shown in a browser's own window: a stranger's file is only ever downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from dsar.gateways.examining import examined
from dsar.models import Case, CaseDocument
from dsar.permissions import can_answer, is_person_of
from dsar.rules.clocks import local_day, noon_of
from dsar.rules.documents import (
    DOCUMENT_KINDS,
    ENDINGS,
    MOST_OF_A_CASE,
    DocumentKind,
    FileType,
    term_of,
)
from dsar.rules.files import FileRefused, Taken
from dsar.rules.laws import known_laws
from dsar.rules.states import Act, State
from dsar.selectors import people_working_on
from dsar.selectors.papers import asked_documents, is_held, policy_term
from dsar.services.entries import (
    CaseRefused,
    NotYours,
    for_officer,
    locked,
    needed,
    require_now,
    tell_person,
    write_entry,
    write_event,
)
from vault.rules.contexts import bind
from vault.services.blobs import delete_blob, open_blob, seal_blob
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

KEY_KIND: Final = "request-document"
ADDED: Final = "document"


def document_context(document_id: UUID) -> bytes:
    return bind("collimate/request-document", document_id)


# Taking in ---------------------------------------------------------------------------------------
@transaction.atomic
def ask_for_document(*, actor: Actor, case: Case, kind: DocumentKind, text: str) -> Case:
    """Ask the person for a paper. They send it on their page; clocks that may wait stand still."""
    row = for_officer(actor, case, Act.ASK_DOCUMENT)
    if row.waiting_since is None:
        row.state, row.waiting_since = State.NEEDS_DETAIL.value, timezone.now()
        row.save(update_fields=["state", "waiting_since"])
    entry = write_entry(row, Act.ASK_DOCUMENT, by=actor, text=needed(text), code=kind.value)
    tell_person(row, entry)
    write_event("request.document_asked", row, actor=actor, document_kind=kind.value)
    return row


def add_document(*, actor: Actor, case: Case, kind: DocumentKind, content: bytes) -> CaseDocument:
    """Keep a paper that an officer took in. Raises `CaseRefused` with what is wrong with it."""
    taken = _examined(case, content, actor)
    with transaction.atomic():
        row = for_officer(actor, case, Act.ADD_DOCUMENT)
        return _keep(row, kind, taken, actor=actor)


def send_document(
    *, case: Case, kind: DocumentKind, content: bytes, actor: Actor | None = None
) -> CaseDocument:
    """Keep a paper that the person was asked for.

    The caller has found the case by their session, or by the link of their letter.
    """
    if actor is not None and not is_person_of(actor, case):
        raise NotYours("This request is somebody else's.")
    _require_asked(case, kind)
    taken = _examined(case, content, actor)
    with transaction.atomic():
        row = locked(case)
        require_now(row, Act.SEND_DOCUMENT)
        _require_asked(row, kind)
        document = _keep(row, kind, taken, actor=actor, by_person=True)
        notify(users=people_working_on(row), template="request-detail-given", target_id=row.number)
        return document


def _require_asked(case: Case, kind: DocumentKind) -> None:
    if kind not in asked_documents(case):
        raise CaseRefused("Nobody asked you for this paper at the moment.")


def _examined(case: Case, content: bytes, actor: Actor | None) -> Taken:
    """Look at the bytes. What is refused is written down as well, without any of it."""
    try:
        return examined(content)
    except FileRefused as refusal:
        with transaction.atomic():
            write_event("request.document_refused", case, actor=actor, bytes=len(content))
        raise CaseRefused(str(refusal)) from None


def _keep(
    row: Case, kind: DocumentKind, taken: Taken, *, actor: Actor | None, by_person: bool = False
) -> CaseDocument:
    if row.documents.filter(destroyed_at=None).count() >= MOST_OF_A_CASE:
        raise CaseRefused(f"There are {MOST_OF_A_CASE} papers with this request already.")
    document = CaseDocument(
        id=uuid4(), case=row, kind=kind.value, file_type=taken.file_type.value,
        size=len(taken.content), by_person=by_person,
        added_by_id=actor.user_id if actor and not by_person else None,
    )  # fmt: skip
    _seal(document, taken.content)
    document.save(force_insert=True)
    write_entry(row, ADDED, by=actor, code=kind.value, shown=by_person, by_person=by_person)
    write_event(
        "request.document_added", row, actor=actor, document=str(document.pk),
        document_kind=kind.value, bytes=document.size,
    )  # fmt: skip
    return document


def _seal(document: CaseDocument, content: bytes) -> None:
    """Seal under a key of its own, which is destroyed with it and nothing else."""
    key = create_data_key(organisation_id=document.case.organisation_id, kind=KEY_KIND)
    with seal_blob(key=key.key, context=document_context(document.pk)) as writer:
        writer.write(content)
        document.blob_name = writer.commit().name
    document.key_id = key.id


# Opening -----------------------------------------------------------------------------------------
@transaction.atomic
def open_document(*, actor: Actor, document: CaseDocument) -> bytes:
    """Give the bytes to an officer of the organisation who has just proved who they are."""
    case = document.case
    if not can_answer(actor, case):
        raise NotYours("Only privacy officers of the organisation that was asked see it.")
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then open it.")
    if document.destroyed_at is not None:
        raise CaseRefused("This paper was destroyed, and cannot be opened any more.")
    content = _opened(document)
    write_event(
        "request.document_opened", case, actor=actor, document=str(document.pk),
        document_kind=document.kind,
    )  # fmt: skip
    return content


def _opened(document: CaseDocument) -> bytes:
    with open_blob(
        document.blob_name, key=open_data_key(id=document.key_id),
        context=document_context(document.pk),
    ) as blob:  # fmt: skip
        return blob.read()


def reseal_documents(case: Case) -> None:
    """Seal the papers anew, under keys of the organisation that has the case now."""
    for document in case.documents.filter(destroyed_at=None):
        content, key, name = _opened(document), document.key_id, document.blob_name
        document.case = case
        _seal(document, content)
        document.save(update_fields=["key_id", "blob_name"])
        _forget_after_commit(key, name)


def _forget_after_commit(key: UUID, name: str) -> None:
    """The key first, which is final. Where a process dies between, the store's sweep does it."""
    transaction.on_commit(lambda: destroy_data_keys(ids=[key]))
    transaction.on_commit(lambda: delete_blob(name=name))


# Their end ---------------------------------------------------------------------------------------
def end_with_answer(case: Case) -> None:
    """Say until when each paper is kept, now that the request is answered.

    What was needed only to decide goes as soon as the answer is committed; a job does the rest,
    and what a process that died has left.
    """
    answered = case.answered_at or timezone.now()
    organisation = case.organisation
    day = local_day(answered, organisation.country, organisation.state)
    laws, of_policy = known_laws(case.laws), policy_term(case.organisation_id)
    for document in case.documents.filter(destroyed_at=None):
        kind = DocumentKind(document.kind)
        until = term_of(kind, day, laws, of_policy).until
        over = noon_of(until + timedelta(days=1), organisation.country, organisation.state)
        document.ends_at = answered if DOCUMENT_KINDS[kind].at_decision else over
        document.save(update_fields=["ends_at"])
    transaction.on_commit(lambda: end_documents(case=case))


def end_documents(*, case: Case | None = None) -> int:
    """Destroy the papers whose time is over, but for those under a hold. Safe to repeat."""
    due = CaseDocument.objects.filter(ends_at__lte=timezone.now(), destroyed_at=None)
    if case is not None:
        due = due.filter(case=case)
    rows = [one for one in due.select_related("case") if not is_held(one.case)]
    end_documents_of(rows)
    return len(rows)


def end_documents_of(documents: Iterable[CaseDocument]) -> None:
    """Destroy papers: first the key, which is final, then the file, then the row is emptied.

    A kill in between leaves a row that the next run finishes.
    """
    for document in documents:
        destroy_data_keys(ids=[document.key_id])
        delete_blob(name=document.blob_name)
        with transaction.atomic():
            CaseDocument.objects.filter(pk=document.pk, destroyed_at=None).update(
                blob_name="", destroyed_at=timezone.now()
            )
            record(
                action="request.document_destroyed", actor=system_ref(),
                organisation_id=document.case.organisation_id,
                target=("request", str(document.case_id)),
                details={"document": str(document.pk), "document_kind": document.kind},
            )  # fmt: skip


def file_name(document: CaseDocument) -> str:
    """A name that says whose case and what, never the sender's."""
    ending = ENDINGS[FileType(document.file_type)]
    return f"{document.case.number}-{document.kind}.{ending}"
