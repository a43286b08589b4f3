"""Look at a backup before anything is written: signatures, digests, keys, ledgers, releases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.db import connections
from django.db.migrations.loader import MigrationLoader

from backups.gateways.databases import DATA, engine_of, require_programs
from backups.gateways.place import Place
from backups.gateways.sealing import open_dump, open_key
from backups.rules.file_list import Listed
from backups.rules.ledgers import (
    DISPOSAL_TITLE,
    REVOCATION_TITLE,
    Ledger,
    Revocation,
    read_revocations,
)
from backups.rules.manifest import Manifest, Part
from backups.rules.names import DISPOSALS, REVOCATIONS, Kind, artefact_path, blob_path, key_path
from backups.rules.refusals import BackupRefused, CopyDamaged, KeyGone
from backups.services.making import Places, files_of
from backups.services.signing import ledger_in, manifest_of, whole_generations
from retention.rules.ledger import Entry, LedgerRefused, read_entries


@dataclass(frozen=True, slots=True)
class Examined:
    """A backup that was found whole, and all that a restore of it needs."""

    places: Places
    data: Manifest
    # Of this generation or a later one: the later the keys, the fewer that were destroyed since.
    keys: Manifest
    files: tuple[Listed, ...]
    # All of these on a restore, some on a drill.
    tried: tuple[Listed, ...]
    disposals: tuple[Entry, ...]
    revocations: tuple[Revocation, ...]
    # How long the trail was when the ledgers were last written.
    trail_seen: int


def examine(places: Places, *, generation: str = "", share: float = 1.0) -> Examined:
    """Verify everything; writes nothing. Raises `BackupRefused` with what is wrong."""
    require_programs()
    data = _chosen(places.data, generation)
    keys = _keys_for(places.keys, data)
    _refuse_foreign(data)
    _refuse_foreign(keys)
    files = tuple(_files(places.data, data))
    tried = _some(files, share)
    _verify_dump(places, places.data, data, Kind.DATA)
    _verify_dump(places, places.keys, keys, Kind.KEYS)
    for one in tried:
        _verify(places.data, blob_path(one.name), one.size, one.digest)
    disposals, revocations = (
        _latest_ledger(places, name, title, since=max(data, keys, key=lambda one: one.begun_at))
        for name, title in ((DISPOSALS, DISPOSAL_TITLE), (REVOCATIONS, REVOCATION_TITLE))
    )
    try:
        entries = tuple(read_entries(disposals.lines))
    except LedgerRefused as error:
        raise CopyDamaged(f"The ledger of disposals cannot be read: {error}.") from None
    return Examined(
        places, data, keys, files, tried, entries, tuple(read_revocations(revocations.lines)),
        max(disposals.trail_size, revocations.trail_size),
    )  # fmt: skip


def _chosen(place: Place, generation: str) -> Manifest:
    if generation:
        try:
            return manifest_of(place, generation)
        except ValueError as error:
            raise BackupRefused(f"{error}.") from None
    whole = whole_generations(place)
    if not whole:
        raise BackupRefused(f"There is no whole backup in {place}.")
    return whole[-1]


def _keys_for(place: Place, data: Manifest) -> Manifest:
    """The latest dump of keys that opens: it has all keys of an older dump of data, but for those
    that were destroyed since."""
    found = [
        one
        for one in whole_generations(place)
        if one.begun_at >= data.begun_at
        and place.has(key_path(one.generation, Kind.KEYS))
        and place.has(artefact_path(one.generation, Kind.KEYS))
    ]
    if not found:
        raise KeyGone(
            f"{place} has no dump of keys as old as this backup or younger. Is it the place of"
            " keys? Without keys, nothing of what was sealed can be opened."
        )
    return found[-1]


def _refuse_foreign(manifest: Manifest) -> None:
    if manifest.engine != engine_of():
        raise BackupRefused(
            f"This backup was made on {manifest.engine}, and the databases here are"
            f" {engine_of()}: a dump of one does not load into the other."
        )
    disk = MigrationLoader(connections[DATA]).disk_migrations
    known = {f"{app}.{name}" for app, name in disk or ()}
    if unknown := sorted(set(manifest.migrations) - known):
        raise BackupRefused(
            f"This backup was made by a newer release ({manifest.release}): {unknown[0]} is not"
            " known here. Install that release."
        )


def _files(place: Place, manifest: Manifest) -> list[Listed]:
    part = manifest.parts[Kind.FILES]
    _verify(place, artefact_path(manifest.generation, Kind.FILES), part.size, part.digest)
    return files_of(place, manifest.generation)


def _some(files: Sequence[Listed], share: float) -> tuple[Listed, ...]:
    if share >= 1:
        return tuple(files)
    return tuple(secrets.SystemRandom().sample(files, ceil(len(files) * share)))


def _verify_dump(places: Places, place: Place, manifest: Manifest, kind: Kind) -> None:
    part: Part = manifest.parts[kind]
    _verify(place, artefact_path(manifest.generation, kind), part.size, part.digest)
    key = open_key(places.keys, manifest.generation, kind)
    for _ in open_dump(place, manifest.generation, kind, key=key):
        pass


def _verify(place: Place, path: str, size: int, digest: str) -> None:
    found = place.digest_of(path)
    if (found.size, found.digest) != (size, digest):
        raise CopyDamaged(f"{path} in {place} is not what was put there.")


def _latest_ledger(places: Places, name: str, title: str, *, since: Manifest) -> Ledger:
    """The younger of those in both places; one that is older than the backup is not enough."""
    both = [ledger_in(place, name, title=title) for place in (places.data, places.keys)]
    found = [one for one in both if one is not None]
    latest = max(found, key=lambda one: one.written_at, default=None)
    if latest is None or latest.written_at < since.begun_at:
        raise CopyDamaged(
            f"{name} is missing, or older than the backup: what was destroyed or taken back since"
            " would come back. Copy the latest one here; it lies beside the backups of data and"
            " of keys."
        )
    return latest
