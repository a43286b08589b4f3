"""Make a generation: data, then keys, then sealed files, then ledgers, then its signed manifest.

In that order a snapshot lacks nothing that its rows point to. Whatever is taken in stores the file
and the key before the row, so files and keys that are read after the rows include those of every
row. What is destroyed between them is in the ledger of disposals, which is written last, and which
a restore replays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audit.selectors import latest_checkpoint
from audit.services.seal import seal_all
from backups.gateways.databases import DATA, KEYS, dump, require_programs
from backups.gateways.place import PIECE, Place, Sink, Written
from backups.gateways.places import place_at, refuse_beside_store, refuse_together
from backups.gateways.sealing import destroy_key, make_key, seal_dump
from backups.models import Generation
from backups.rules.file_list import Listed, read_list
from backups.rules.keeping import State
from backups.rules.manifest import Manifest, Part
from backups.rules.names import SEALED, Kind, artefact_path, blob_path, folder_of, manifest_path
from backups.rules.refusals import BackupRefused
from backups.services.ledgers import write_ledgers
from backups.services.register import begin, enter, note_failed, note_made
from backups.services.signing import whole_generations, write_signed
from vault.gateways.blob_store import BlobReader, blob_store
from vault.rules.errors import BlobMissing

# Whatever a clock says: a file that seems to come from the future is copied as well.
ALL = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Places:
    data: Place
    keys: Place


def places_named(data: str = "", keys: str = "") -> Places:
    """Give the places that were named, or else those of the settings; raises `BackupRefused`."""
    data, keys = data or settings.BACKUP_URL, keys or settings.BACKUP_KEYS_URL
    if not data or not keys:
        raise BackupRefused(
            "Say where: BACKUP_URL for data and BACKUP_KEYS_URL for keys, or --to and --keys-to."
        )
    places = Places(place_at(data), place_at(keys))
    refuse_together(places.data, places.keys)
    for place in (places.data, places.keys):
        refuse_beside_store(place, settings.STORAGE_URL)
    return places


def make_backup(places: Places, *, made_by: str = "command") -> Generation:
    """Make one generation. What fails or is killed leaves none, and harms no other."""
    require_programs()
    with places.data.locked(), places.keys.locked():
        clear_dead(places)
        # So that the head in the manifest is that of all that has happened.
        seal_all()
        head = latest_checkpoint()
        row = begin(
            data=places.data, keys=places.keys, trail_size=head.size if head else 0,
            made_by=made_by,
        )  # fmt: skip
        try:
            manifest, new = _make(row, places, bytes(head.root).hex() if head else "")
        except BaseException as error:
            _abandon(row, places, error)
            raise
        made = enter(manifest, data=places.data, keys=places.keys, files_new=new)
        note_made(made)
    return made


def _make(row: Generation, places: Places, trail_root: str) -> tuple[Manifest, int]:
    migrations = applied_migrations()
    written = {
        Kind.DATA: _dump(row, places, Kind.DATA, DATA, places.data),
        Kind.KEYS: _dump(row, places, Kind.KEYS, KEYS, places.keys),
    }
    copied = _copy_files(row, places.data)
    written[Kind.FILES] = copied.written
    write_ledgers(places.data, places.keys)
    parts = {
        kind: Part(one.size, one.digest, row.artefacts.get(kind=kind).expires_at)
        for kind, one in written.items()
    }
    manifest = Manifest(
        generation=row.name, begun_at=row.begun_at, finished_at=timezone.now(),
        engine=row.engine, release=release(), migrations=migrations, trail_size=row.trail_size,
        trail_root=trail_root, parts=parts, files=copied.files, bytes=copied.bytes,
    )  # fmt: skip
    # That of the data place is last: with it, the generation is whole.
    for place in (places.keys, places.data):
        write_signed(place, manifest_path(row.name), manifest.to_text())
    return manifest, copied.new


def _dump(row: Generation, places: Places, kind: Kind, alias: str, place: Place) -> Written:
    key = make_key(places.keys, row.name, kind)
    return seal_dump(place, row.name, kind, key=key, pieces=dump(alias))


def release() -> str:
    """The portal is not installed as a package; what it is called stands beside it."""
    said = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(said["project"]["version"])


def applied_migrations() -> tuple[str, ...]:
    """Name every migration that was applied to either database."""
    found = {
        f"{app}.{name}"
        for alias in (DATA, KEYS)
        for app, name in MigrationRecorder(connections[alias]).applied_migrations()
    }
    return tuple(sorted(found))


# Sealed files ------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Copied:
    written: Written
    files: int = 0
    new: int = 0
    bytes: int = 0


def _copy_files(row: Generation, place: Place) -> _Copied:
    """Copy what the place lacks, and list all that the store holds now."""
    copied, known = _Copied(Written(0, "")), known_files(place)
    # Asked for once: of an object store, each question is a journey.
    there = set(place.blob_names())

    def fill(sink: Sink) -> None:
        for name in blob_store().names(before=ALL):
            listed = known.get(name) if name in there else None
            if listed is None:
                listed = _copied(place, name)
                copied.new += listed is not None
            if listed is not None:
                sink(listed.line.encode())
                copied.files += 1
                copied.bytes += listed.size

    copied.written = place.write(artefact_path(row.name, Kind.FILES), fill)
    return copied


def known_files(place: Place) -> dict[str, Listed]:
    """Give what the latest generation listed: a sealed file never changes under its name."""
    whole = whole_generations(place)
    return {one.name: one for one in files_of(place, whole[-1].generation)} if whole else {}


def files_of(place: Place, generation: str) -> list[Listed]:
    text = place.read_text(artefact_path(generation, Kind.FILES))
    return list(read_list(text.splitlines()))


def _copied(place: Place, name: str) -> Listed | None:
    """Copy one file; None if it was deleted since the store named it."""
    path = blob_path(name)
    if not place.has(path):
        try:
            reader = blob_store().open(name)
        except BlobMissing:
            return None
        try:
            written = place.write(path, lambda sink: _pour(reader, sink))
        except BlobMissing:
            return None
        finally:
            reader.close()
    else:
        # Of a backup that died before it could list it.
        written = place.digest_of(path)
    return Listed(name, written.size, written.digest)


def _pour(reader: BlobReader, sink: Sink) -> None:
    for piece in pieces_of(reader):
        sink(piece)


def pieces_of(reader: BlobReader) -> Iterator[bytes]:
    for start in range(0, reader.size, PIECE):
        yield reader.read_at(start, min(PIECE, reader.size - start))


# What came to nothing ----------------------------------------------------------------------------
def _abandon(row: Generation, places: Places, error: BaseException) -> None:
    """Remove what there is of a generation, its keys first."""
    try:
        remove_generation(places, row.name)
    finally:
        said = str(error) if isinstance(error, BackupRefused) else type(error).__name__
        note_failed(row, said)


def clear_dead(places: Places) -> None:
    """Remove what killed backups left. Call it under the lock: nobody else is at work.

    Others may share the place of keys: what has its manifest there is another's, unless the
    register knows that it was to lie here.
    """
    whole = {one.generation for one in whole_generations(places.data)}
    unfinished = {one for one in places.data.generations() if one not in whole}
    keyed = {one.generation for one in whole_generations(places.keys)}
    unfinished |= {one for one in places.keys.generations() if one not in keyed}
    rows = Generation.objects.filter(state=State.MAKING, data_place=str(places.data))
    dead = list(rows.exclude(name__in=whole))
    for place in (places.data, places.keys):
        place.clear_leftovers()
    for name in unfinished | {row.name for row in dead}:
        remove_generation(places, name)
    for row in dead:
        note_failed(row, "It was killed before it was finished.")
    _enter_unknown(places)


def _enter_unknown(places: Places) -> None:
    """Enter what was finished by somebody who died before it could say so."""
    known = set(Generation.objects.filter(state=State.GOOD).values_list("name", flat=True))
    for manifest in whole_generations(places.data):
        if manifest.generation not in known:
            note_made(enter(manifest, data=places.data, keys=places.keys))


def remove_generation(places: Places, name: str) -> None:
    """Remove all of a generation but its sealed files, which others may share."""
    try:
        folder = folder_of(name)
    except ValueError:
        return
    for kind in SEALED:
        destroy_key(places.keys, name, kind)
    for place in (places.data, places.keys):
        # Without its manifest it is none, whatever is left of the rest.
        place.delete(manifest_path(name))
        place.delete_folder(folder)
