"""The package: exactly the objects of the ticked items, each with its clause; sealed, fetched once.

A manifest names each file with its item and clause; the digests stand in SHA256SUMS.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import urandom
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Profile, SignIn, User
from accounts.rules import Actor
from accounts.services.own_data import rows_of_account
from disclosures.models import Disclosure, Item, Release
from disclosures.rules.parts import Part
from disclosures.sealing import OpenDisclosure, package_context
from disclosures.selectors import items_of
from disclosures.services.entries import (
    DisclosureRefused,
    for_officer,
    require_fresh,
    write_event,
)
from disclosures.services.noticing import tell_of_release
from disclosures.services.scoping import digest_of_objects, objects_of
from dsar.rules.packages import LASTS
from dsar.services.copying import Archive, seal_archive
from jobs.services import JobAborted, Run
from policies.rules.holdings import File, one_file
from studies.gateways.deidentifying_apart import DeidentifierApart
from studies.gateways.objects import ObjectReader
from studies.models import Instance
from studies.rules.deidentification.keyed import KEY_BYTES
from studies.rules.deidentification.profile import Option, profile_of
from studies.services.deidentifying_stored import deidentify_stored
from vault.services.blobs import SealedBlob, delete_blob, open_blob
from vault.services.data_keys import destroy_data_keys, open_data_key

CHANGED, DOUBTFUL = "items-changed", "person-not-taken-out"
FAULTS = {
    CHANGED: "Objects of a ticked item came or went since it was ticked. Tick the items again, and"
    " have it approved again.",
    DOUBTFUL: "From some objects the person cannot be taken out with certainty. Leave these items"
    " out, or name in the reason that the demand asks for names.",
}
MANIFEST = "MANIFEST.csv"
_PARTS = {Part.SIGN_INS: (SignIn,), Part.DETAILS: (User, Profile)}
# An order names days and examinations, so these stay; what names the person goes.
_KEPT = frozenset({Option.FULL_DATES, Option.UIDS})


def make_package(run: Run) -> None:
    """Write what was ticked into one sealed archive. A kill begins it anew."""
    release = (
        Release.objects.select_related("disclosure", "disclosure__organisation")
        .filter(pk=UUID(run.payload["release"]), state=Release.State.MAKING)
        .first()
    )
    if release is None:
        return
    try:
        with DeidentifierApart(profile_of(_KEPT), urandom(KEY_BYTES)) as deidentifier:
            _make(run, release, deidentifier)
    except CannotGoOut as fault:
        with transaction.atomic():
            Release.objects.filter(pk=release.pk).update(
                state=Release.State.FAILED, fault=fault.code
            )
            write_event("disclosure.failed", release.disclosure, actor=None, fault=fault.code)
        raise JobAborted(fault.code) from None


class CannotGoOut(Exception):
    """Something that was ticked cannot leave as it was ticked; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _make(run: Run, release: Release, deidentifier: DeidentifierApart) -> None:
    row = release.disclosure
    items = [one for one in items_of(row) if one.is_chosen]
    files = [*files_of(row, items, deidentifier)]
    archive = Archive([*(file for _, file in files), manifest(files), _cover(row, items)])
    stored, digest = seal_archive(
        run, archive, key=open_data_key(id=release.key_id), context=package_context(release.pk)
    )
    with run.step(finish=True):
        now = timezone.now()
        mine = Release.objects.filter(pk=release.pk, state=Release.State.MAKING)
        if mine.update(
            state=Release.State.READY, blob_name=stored.name, size=stored.plaintext_size,
            digest=digest, files=len(files), made_at=now, expires_at=now + LASTS,
        ):  # fmt: skip
            tell_of_release(row)


def files_of(
    row: Disclosure, items: Iterable[Item], deidentifier: DeidentifierApart
) -> Iterator[tuple[Item, File]]:
    """The files of each item, and nothing beside them. Raises `CannotGoOut`."""
    for item in items:
        if item.account_id is not None:
            only = _PARTS[Part(item.part)]
            found = rows_of_account(item.account_id, only)
            text = json.dumps(found, indent=2, ensure_ascii=False).encode()
            yield item, one_file(f"items/{item.number}/{item.part}.json", text)
            continue
        rows = objects_of(row, item)
        if digest_of_objects(rows) != item.objects_digest:
            raise CannotGoOut(CHANGED)
        for one in rows:
            path = f"items/{item.number}/{item.study_uid}/{one.series.uid}/{one.uid}.dcm"
            yield item, File(path, _pieces(item, one, deidentifier))


def _pieces(
    item: Item, row: Instance, deidentifier: DeidentifierApart
) -> Callable[[], Iterator[bytes]]:
    if item.without_person:
        return partial(_without_person, item, row, deidentifier)
    return partial(_as_stored, row)


def _as_stored(row: Instance) -> Iterator[bytes]:
    with ObjectReader([row]) as reader:
        for piece in reader.stream(row):
            yield bytes(piece)


def _without_person(item: Item, row: Instance, deidentifier: DeidentifierApart) -> Iterator[bytes]:
    assert item.subject_id is not None
    done = deidentify_stored(row.pk, deidentifier, subject_id=item.subject_id)
    if done.content is None or done.doubts:
        raise CannotGoOut(DOUBTFUL)
    yield done.content


def manifest(files: Iterable[tuple[Item, File]]) -> File:
    """One line for each file: which item it belongs to, and which clause demands that."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["file", "item", "clause"])
    for item, file in files:
        table.writerow([file.path, item.number, item.clause.number])
    return one_file(MANIFEST, text.getvalue().encode())


def _cover(row: Disclosure, items: list[Item]) -> File:
    opened = OpenDisclosure(row)
    clauses = sorted({one.clause for one in items}, key=lambda one: one.number)
    context = {
        "disclosure": row, "authority": opened.authority, "reference": opened.reference,
        "made_at": timezone.now(),
        "clauses": [
            (clause.number, opened.clause(clause),
             [one.number for one in items if one.clause_id == clause.pk])
            for clause in clauses
        ],
    }  # fmt: skip
    return one_file("COVER.html", render_to_string("disclosures/cover.html", context).encode())


# Handing out -------------------------------------------------------------------------------------
@transaction.atomic
def fetch_package(*, actor: Actor, disclosure: Disclosure) -> tuple[Release, SealedBlob]:
    """Open the package for an officer, once."""
    row = for_officer(actor, disclosure)
    release = Release.objects.select_for_update().filter(disclosure=row).first()
    if release is None or release.state != Release.State.READY:
        raise DisclosureRefused("There is no package to be fetched here, or not any more.")
    if release.fetched_at is not None:
        raise DisclosureRefused("It was fetched already, which is possible once.")
    require_fresh(actor)
    key = open_data_key(id=release.key_id)
    blob = open_blob(release.blob_name, key=key, context=package_context(release.pk))
    write_event("disclosure.fetched", row, actor=actor, bytes=release.size)
    return release, blob


def spend(release: Release, *, by: int) -> None:
    """It was fetched once the whole of it went out; what broke off can be fetched anew."""
    Release.objects.filter(pk=release.pk).update(fetched_at=timezone.now(), fetched_by_id=by)


def end_packages() -> int:
    """Delete the packages whose term is over. Safe to repeat."""
    due = Release.objects.filter(
        expires_at__lte=timezone.now(), state=Release.State.READY
    ).select_related("disclosure")
    return sum(end_package(one) for one in due)


def end_package(release: Release) -> int:
    """The key first, which is final; the file after the commit, or by the store's sweep."""
    with transaction.atomic():
        destroy_data_keys(ids=[release.key_id])
        name = release.blob_name
        Release.objects.filter(pk=release.pk).update(state=Release.State.GONE, blob_name="")
        write_event("disclosure.package_deleted", release.disclosure, actor=None)
        if name:
            transaction.on_commit(lambda: delete_blob(name=name))
    return 1
