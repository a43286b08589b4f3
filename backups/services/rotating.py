"""End artefacts whose time is over: key first, then bytes, read back, and written down.

The last whole generation is never rotated out, however old: a portal whose backups have stopped
keeps what it has, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from accounts.services.trail import record, system_ref
from backups.gateways.place import Place
from backups.gateways.places import place_at
from backups.gateways.sealing import destroy_key, wrap_anew
from backups.models import Artefact, Generation
from backups.rules.keeping import State, ends_of
from backups.rules.names import (
    SEALED,
    Kind,
    artefact_path,
    blob_path,
    folder_of,
    key_path,
    manifest_path,
)
from backups.rules.refusals import BackupRefused, PlaceRefused
from backups.selectors import living_artefacts, overdue_artefacts
from backups.services.making import files_of
from retention.services.certificates import certificates_awaiting_backups, issue_addendum


@dataclass(slots=True)
class Rotated:
    """What a rotation ended, and what it could not reach."""

    keys: int = 0
    artefacts: int = 0
    files: int = 0
    addenda: int = 0
    unreached: list[str] = field(default_factory=list)


def rotate_backups(*, by: str = "command") -> Rotated:
    """End all that is due; safe to repeat, and after any kill."""
    done = Rotated()
    # Keys before data, so that what opens goes first.
    for artefact in overdue_artefacts(timezone.now()).order_by("-kind", "begun_at"):
        _end(artefact, by, done)
    for place in {one.data_place for one in Generation.objects.filter(state=State.GOOD)}:
        _clear_files(place, done)
    _wrap_all_anew()
    done.addenda = issue_due_addenda()
    return done


def _end(artefact: Artefact, by: str, done: Rotated) -> None:
    generation, kind = artefact.generation, Kind(artefact.kind)
    data, keys = place_at(generation.data_place), place_at(generation.keys_place)
    try:
        if kind in SEALED and artefact.key_destroyed_at is None:
            destroy_key(keys, generation.name, kind)
            _require_gone(keys, key_path(generation.name, kind))
            artefact.key_destroyed_at = timezone.now()
            artefact.save(update_fields=["key_destroyed_at"])
            done.keys += 1
        place = keys if kind is Kind.KEYS else data
        _require_there(place)
        place.delete(artefact_path(generation.name, kind))
        _require_gone(place, artefact_path(generation.name, kind))
    except PlaceRefused as error:
        # The key is destroyed already, if that could be reached; the bytes are tried again.
        done.unreached.append(str(error))
        return
    _note_end(artefact, by)
    done.artefacts += 1
    if not generation.artefacts.filter(destroyed_at=None).exists():
        _end_generation(generation, data, keys)


def _require_there(place: Place) -> None:
    if not place.is_there():
        raise PlaceRefused(f"{place} is not there: mount it, and run rotate_backups again.")


def _require_gone(place: Place, name: str) -> None:
    _require_there(place)
    if place.has(name):
        raise PlaceRefused(f"{name} is still in {place}.")


@transaction.atomic
def _note_end(artefact: Artefact, by: str) -> None:
    artefact.destroyed_at, artefact.destroyed_by = timezone.now(), by
    artefact.save(update_fields=["destroyed_at", "destroyed_by"])
    record(
        action="backup.artefact_destroyed", actor=system_ref(),
        target=("backup", artefact.generation.name), reason=by,
        details={
            "kind": artefact.kind, "digest": artefact.digest, "bytes": artefact.size,
            "expired_at": artefact.expires_at, "key_destroyed": bool(artefact.key_destroyed_at),
        },
    )  # fmt: skip


def _end_generation(generation: Generation, data: Place, keys: Place) -> None:
    for place in (data, keys):
        place.delete(manifest_path(generation.name))
        place.delete_folder(folder_of(generation.name))
    generation.state = State.GONE.value
    generation.save(update_fields=["state"])


def _clear_files(where: str, done: Rotated) -> None:
    """Delete copies of sealed files that no living generation lists any more."""
    place = place_at(where)
    living = living_artefacts().filter(kind=Kind.FILES, generation__data_place=where)
    try:
        _require_there(place)
        with place.locked():
            listed = {
                one.name for row in living.select_related("generation")
                for one in files_of(place, row.generation.name)
            }  # fmt: skip
            for name in list(place.blob_names()):
                if name not in listed:
                    done.files += place.delete(blob_path(name))
    except BackupRefused as error:
        done.unreached.append(str(error))


def _wrap_all_anew() -> None:
    """Follow a change of the master key, so that the former can go."""
    for row in living_artefacts().filter(
        kind__in=[kind.value for kind in SEALED], generation__state=State.GOOD
    ):
        keys = place_at(row.generation.keys_place)
        if keys.is_there():
            wrap_anew(keys, row.generation.name, Kind(row.kind))


# Certificates ------------------------------------------------------------------------------------
def issue_due_addenda() -> int:
    """Say of each certificate whose backups have ended that they have; returns how many."""
    issued, living = 0, list(living_artefacts())
    for certificate, destroyed_at in certificates_awaiting_backups():
        if ends_of(living, destroyed_at).last_on is None:
            issue_addendum(certificate=certificate)
            issued += 1
    return issued
