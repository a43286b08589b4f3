"""A backup that was altered, or a portal that is there: refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import Event
from audit.rules.notes import SigningKey, open_note, sign_note
from audit.services.keys import signing_key, trusted_keys
from backups.models import Generation
from backups.rules.names import (
    DISPOSALS,
    REVOCATIONS,
    Kind,
    artefact_path,
    blob_path,
    manifest_path,
)
from backups.rules.refusals import BackupRefused, CopyDamaged, KeyGone
from backups.services.examining import examine
from backups.services.ledgers import refresh_ledgers
from backups.services.making import Places, make_backup
from backups.services.restoring import name_of_portal, restore
from config.restoring import look
from studies.models import Blob, Study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, take_in_old
from vault.models import DataKey

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def state_of_everything() -> tuple[Any, ...]:
    counted = tuple(model.objects.count() for model in (Study, User, Event, DataKey, Generation))
    return (counted, look())


def flip(places: Places, path: str, *, keys: bool = False) -> None:
    file = (places.keys if keys else places.data).folder / path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def forge(places: Places, path: str, old: str, new: str, key: SigningKey | None = None) -> None:
    file = places.data.folder / path
    text = open_note(file.read_text(), trusted_keys())
    assert old in text
    other = key or SigningKey(signing_key().name, bytes(32))
    file.write_text(sign_note(text.replace(old, new), other))


DAMAGES: dict[str, Callable[[Places, str], object]] = {
    "the dump of data": lambda places, name: flip(places, artefact_path(name, Kind.DATA)),
    "the dump of keys": lambda places, name: flip(
        places, artefact_path(name, Kind.KEYS), keys=True
    ),
    "the list of files": lambda places, name: flip(places, artefact_path(name, Kind.FILES)),
    "a sealed file": lambda places, _: flip(places, blob_path(Blob.objects.get().name)),
    "a sealed file that is missing": lambda places, _: places.data.delete(
        blob_path(Blob.objects.get().name)
    ),
    "the manifest": lambda places, name: flip(places, manifest_path(name)),
    "a manifest of somebody else": lambda places, name: forge(
        places, manifest_path(name), "Collimate", "Collimate"
    ),
    "a manifest of another generation": lambda places, name: forge(
        places, manifest_path(name), name, name[:-8] + "00000000", signing_key()
    ),
    "a manifest of a newer release": lambda places, name: forge(
        places, manifest_path(name), "migrations: ", "migrations: audit.9999_later ", signing_key()
    ),
    "a manifest of the other engine": lambda places, name: forge(
        places, manifest_path(name), "engine: ", "engine: other-", signing_key()
    ),
    "a ledger of disposals without its lines": lambda places, _: forge(
        places, DISPOSALS, "Collimate ledger", "Collimate ledger"
    ),
    "a ledger of revocations of half its lines": lambda places, _: forge(
        places, REVOCATIONS, "entries: ", "entries: 9", signing_key()
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_what_was_altered_or_forged_is_refused_and_nothing_is_written(
    cast: Cast, places: Places, what: str
) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    made = make_backup(places)
    before = state_of_everything()
    DAMAGES[what](places, made.name)
    with pytest.raises(CommandError):
        call_command("restore", str(places.data), keys_from=str(places.keys),
                     replace=name_of_portal())  # fmt: skip
    assert state_of_everything() == before
    assert not Event.objects.filter(action="backup.restored").exists()


def test_without_the_latest_ledgers_nothing_is_restored(cast: Cast, places: Places) -> None:
    make_backup(places)
    old = {name: places.data.read_text(name) for name in (DISPOSALS, REVOCATIONS)}
    make_backup(places)
    for name, text in old.items():
        for place in (places.data, places.keys):
            place.write_text(name, text)
    with pytest.raises(CopyDamaged, match="older than the backup"):
        examine(places)
    for name in old:
        places.data.delete(name)
        places.keys.delete(name)
    with pytest.raises(CopyDamaged, match="missing"):
        examine(places)


def test_the_younger_ledger_of_both_places_counts(cast: Cast, places: Places) -> None:
    make_backup(places)
    old = places.data.read_text(DISPOSALS)
    take_in_old(cast)
    carried_out(approved(cast))
    refresh_ledgers()
    places.data.write_text(DISPOSALS, old)
    assert len(examine(places).disposals) == 1


def test_a_portal_that_is_there_is_not_overwritten_by_accident(cast: Cast, places: Places) -> None:
    make_backup(places)
    before = state_of_everything()
    found = examine(places)
    for typed in ("", "portal.example", name_of_portal().upper()):
        with pytest.raises(BackupRefused, match=f"--replace {name_of_portal()}"):
            restore(found, replace=typed)
    assert state_of_everything() == before
    with pytest.raises(BackupRefused, match="no whole backup"):
        examine(Places(places.keys, places.data).__class__(places.data.__class__(
            places.data.folder / "nothing"), places.keys))  # fmt: skip
    with pytest.raises(KeyGone, match="Is it the place of keys"):
        examine(Places(places.data, places.data.__class__(places.data.folder / "nothing")))
