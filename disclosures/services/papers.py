"""Documents of a case: looked into as strangers' files, sealed, and opened after a fresh proof."""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction

from accounts.rules import Actor
from disclosures.models import Disclosure, Paper, Statement
from disclosures.rules.standing import Said
from disclosures.sealing import PAPER_KEY, paper_context
from disclosures.selectors import told_to
from disclosures.services.entries import (
    DisclosureRefused,
    NotYours,
    for_officer,
    require_fresh,
    to_change,
    write_event,
)
from dsar.gateways.examining import examined
from dsar.rules.documents import ENDINGS, MOST_OF_A_CASE, FileType
from dsar.rules.files import FileRefused
from vault.services.blobs import open_blob, seal_blob
from vault.services.data_keys import create_data_key, open_data_key


def add_paper(*, actor: Actor, disclosure: Disclosure, content: bytes) -> Paper:
    """Keep the document that the ground of the case asks for; a signature on an older one ends."""
    try:
        taken = examined(content)
    except FileRefused as refusal:
        with transaction.atomic():
            row = for_officer(actor, disclosure)
            write_event("disclosure.paper_refused", row, actor=actor, bytes=len(content))
        raise DisclosureRefused(str(refusal)) from None
    with transaction.atomic():
        row = to_change(actor, disclosure)
        if row.papers.count() >= MOST_OF_A_CASE:
            raise DisclosureRefused(f"There are {MOST_OF_A_CASE} documents with it already.")
        key = create_data_key(organisation_id=row.organisation_id, kind=PAPER_KEY)
        paper = Paper(
            id=uuid4(), disclosure=row, kind=row.ground, file_type=taken.file_type.value,
            key_id=key.id, size=len(taken.content), added_by_id=actor.user_id,
        )  # fmt: skip
        with seal_blob(key=key.key, context=paper_context(paper.pk)) as writer:
            writer.write(taken.content)
            paper.blob_name = writer.commit().name
        paper.save(force_insert=True)
        # What was signed was signed of what was there.
        Statement.objects.filter(disclosure=row, kind=Said.VALIDITY.value).delete()
        write_event("disclosure.paper_added", row, actor=actor, bytes=paper.size)
    return paper


@transaction.atomic
def open_paper(*, actor: Actor, paper: Paper) -> bytes:
    """Give the bytes to an officer of the organisation."""
    row = for_officer(actor, paper.disclosure)
    require_fresh(actor)
    write_event("disclosure.paper_opened", row, actor=actor, paper=str(paper.pk))
    return _opened(paper)


@transaction.atomic
def open_own_paper(*, actor: Actor, paper: Paper) -> bytes:
    """Give the bytes to whoever was told of the case, unless the document is withheld."""
    row = paper.disclosure
    if not told_to(actor).filter(disclosure=row).exists():
        raise NotYours("Nobody told you of this.")
    if row.statements.filter(kind=Said.WITHHELD.value).exists():
        raise DisclosureRefused("The document is withheld. The reason stands on the page.")
    require_fresh(actor)
    write_event("disclosure.paper_opened", row, actor=actor, paper=str(paper.pk))
    return _opened(paper)


def _opened(paper: Paper) -> bytes:
    key = open_data_key(id=paper.key_id)
    with open_blob(paper.blob_name, key=key, context=paper_context(paper.pk)) as blob:
        return blob.read()


def paper_name(paper: Paper) -> str:
    """A name that says which case and what, and nobody's."""
    ending = ENDINGS[FileType(paper.file_type)]
    return f"disclosure-{paper.disclosure.number}-{paper.kind}.{ending}"
