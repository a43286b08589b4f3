"""Backups end when their time is over, keys first; certificates name the day, and its coming."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Event
from audit.rules.notes import open_note
from audit.services.keys import trusted_keys
from backups.gateways.folder import Folder
from backups.gateways.sealing import open_key
from backups.models import Artefact, Generation
from backups.rules.keeping import State
from backups.rules.names import Kind, artefact_path, blob_path, key_path
from backups.rules.refusals import KeyGone
from backups.services.examining import examine
from backups.services.making import Places, make_backup
from backups.services.rotating import rotate_backups
from retention.models import Certificate, CertificateAddendum
from retention.services.certificates import check_addendum, check_certificate, issue_addendum
from studies.models import Blob
from tests.backups.cases import back, days_later, files_in, made_days_ago
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def certificate_of(cast: Cast) -> Certificate:
    take_in_old(cast)
    carried_out(approved(cast))
    return Certificate.objects.get()


# Ends ---------------------------------------------------------------------------------------------
def test_keys_end_before_data_and_each_end_is_evidence(cast: Cast, places: Places) -> None:
    old, new = made_days_ago(places, 20), make_backup(places)
    done = rotate_backups(by="job")
    assert (done.keys, done.artefacts, done.unreached) == (1, 1, [])
    assert not places.keys.has(key_path(old.name, Kind.KEYS))
    assert not places.keys.has(artefact_path(old.name, Kind.KEYS))
    assert places.data.has(artefact_path(old.name, Kind.DATA))
    ended = Artefact.objects.get(generation=old, kind=Kind.KEYS)
    assert ended.key_destroyed_at is not None
    assert ended.destroyed_at is not None
    assert ended.key_destroyed_at <= ended.destroyed_at
    assert ended.destroyed_by == "job"
    event = Event.objects.get(action="backup.artefact_destroyed")
    assert event.target_id == old.name
    assert (event.details["digest"], event.details["kind"]) == (ended.digest, "keys")
    # Data of that time still comes back, with later keys.
    assert examine(places, generation=old.name).keys.generation == new.name
    assert rotate_backups().artefacts == 0


def test_an_expired_set_opens_nowhere_any_more_not_even_a_copy(cast: Cast, places: Places) -> None:
    old = made_days_ago(places, 31)
    copy = files_in(places.data.folder)
    make_backup(places)
    done = rotate_backups()
    assert (done.keys, done.artefacts) == (2, 3)
    assert old.name not in places.data.generations() + places.keys.generations()
    assert Generation.objects.get(pk=old.pk).state == State.GONE
    # Somebody had a copy of the place of data.
    elsewhere = Folder(places.data.folder.with_name("copy"))
    for path, data in copy.items():
        elsewhere.write(path, lambda sink, data=data: sink(data))
    with pytest.raises(KeyGone, match="destroyed when its time was over"):
        examine(Places(elsewhere, places.keys), generation=old.name)
    with pytest.raises(KeyGone):
        open_key(places.keys, old.name, Kind.DATA)


def test_the_last_whole_backup_stays_however_old(cast: Cast, places: Places) -> None:
    made_days_ago(places, 400)
    last = made_days_ago(places, 300)
    rotate_backups()
    assert places.data.generations() == [last.name]
    assert back(places).trail.verified


def test_copies_of_files_go_with_the_last_backup_that_lists_them(
    cast: Cast, places: Places
) -> None:
    study = take_in_old(cast)
    take_in(actor_of(cast.clinician), small_ct_object())
    gone = Blob.objects.get(study=study).name
    made_days_ago(places, 31)
    carried_out(approved(cast))
    make_backup(places)
    assert places.data.has(blob_path(gone))
    assert rotate_backups().files == 1
    assert not places.data.has(blob_path(gone))
    assert len(list(places.data.blob_names())) == 1
    assert back(places).trail.verified


def test_a_place_out_of_reach_is_said_and_tried_again(
    cast: Cast, places: Places, capsys: Any
) -> None:
    """The key goes all the same, so that what lies out of reach opens no more."""
    old = made_days_ago(places, 31)
    make_backup(places)
    away = places.data.folder.with_name("away")
    places.data.folder.rename(away)
    with pytest.raises(CommandError, match="mount it"):
        call_command("rotate_backups")
    data = Artefact.objects.get(generation=old, kind=Kind.DATA)
    assert data.key_destroyed_at is not None
    assert data.destroyed_at is None
    with pytest.raises(KeyGone):
        open_key(places.keys, old.name, Kind.DATA)
    away.rename(places.data.folder)
    call_command("rotate_backups")
    data.refresh_from_db()
    assert data.destroyed_at is not None
    assert "3 parts" not in capsys.readouterr().out


def test_keys_of_backups_follow_a_change_of_the_master_key(
    cast: Cast, places: Places, settings: Any
) -> None:
    made = make_backup(places)
    before = open_key(places.keys, made.name, Kind.DATA)
    settings.MASTER_KEY_PREVIOUS, settings.MASTER_KEY = settings.MASTER_KEY, "ab" * 32
    call_command("rotate_keys", master=True)
    rotate_backups()
    settings.MASTER_KEY_PREVIOUS = ""
    assert open_key(places.keys, made.name, Kind.DATA) == before
    settings.MASTER_KEY = "cd" * 32
    with pytest.raises(KeyGone, match="MASTER_KEY_PREVIOUS"):
        open_key(places.keys, made.name, Kind.DATA)


# Certificates ------------------------------------------------------------------------------------
def test_without_backups_of_its_own_a_certificate_says_that_it_does_not_know(cast: Cast) -> None:
    certificate = certificate_of(cast)
    assert "backups: This portal makes no backups itself." in certificate.note
    assert certificate.backups_end_on is None


def test_a_certificate_names_the_last_days_of_backups(cast: Cast, places: Places) -> None:
    take_in_old(cast)
    made_days_ago(places, 3)
    made_days_ago(places, 2)
    carried_out(approved(cast))
    make_backup(places)
    certificate, today = Certificate.objects.get(), timezone.now()
    keys, data = (today + timedelta(days=days + 1 - 2) for days in (14, 30))
    text = open_note(certificate.note, trusted_keys())
    assert f"copies of these keys until {keys:%Y-%m-%d} at the latest" in text
    assert f"expected to last until {data:%Y-%m-%d}" in text
    assert "Copies that the operator makes in other ways are not known here." in text
    assert certificate.backups_end_on == data.date()


def test_a_backup_under_way_may_hold_the_key_already(cast: Cast, places: Places) -> None:
    from backups.services.register import begin

    take_in_old(cast)
    begin(data=places.data, keys=places.keys, trail_size=0, made_by="job")
    carried_out(approved(cast))
    expected = (timezone.now() + timedelta(days=31)).date()
    assert Certificate.objects.get().backups_end_on == expected


def test_where_no_backup_holds_it_none_is_named(cast: Cast, places: Places) -> None:
    certificate = certificate_of(cast)
    assert "No backup of this portal that was there then holds a copy" in certificate.note
    assert certificate.backups_end_on is None


def test_once_the_last_backup_has_ended_the_certificate_is_completed(
    cast: Cast, places: Places
) -> None:
    take_in_old(cast)
    make_backup(places)
    carried_out(approved(cast))
    certificate = Certificate.objects.get()
    note = certificate.note
    with days_later(16):
        make_backup(places)
        assert rotate_backups().addenda == 0
    with days_later(31):
        make_backup(places)
        assert rotate_backups().addenda == 1
        assert rotate_backups().addenda == 0
    certificate.refresh_from_db()
    assert certificate.note == note
    assert check_certificate(certificate).is_signed
    addendum = check_addendum(certificate)
    assert addendum is not None
    assert (addendum.is_signed, addendum.agrees) == (True, True)
    assert ("last day named", str(certificate.backups_end_on)) in addendum.facts
    event = Event.objects.get(action="certificate.completed")
    assert event.target_id == str(certificate.number)


def test_while_the_last_backup_stays_no_certificate_is_completed(
    cast: Cast, places: Places
) -> None:
    """Backups have stopped: the named day passes, and nothing is claimed."""
    take_in_old(cast)
    make_backup(places)
    carried_out(approved(cast))
    with days_later(100):
        assert rotate_backups().addenda == 0
    assert not CertificateAddendum.objects.exists()


def test_a_changed_addendum_is_found(cast: Cast, places: Places) -> None:
    take_in_old(cast)
    make_backup(places)
    carried_out(approved(cast))
    certificate = Certificate.objects.get()
    row = issue_addendum(certificate=certificate)
    assert issue_addendum(certificate=certificate) == row
    row.note = row.note.replace("certificate: 1", "certificate: 2")
    row.save()
    checked = check_addendum(certificate)
    assert checked is not None
    assert not checked.is_signed
