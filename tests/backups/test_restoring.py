"""A restore brings back what was there, and nothing that was destroyed or taken back since."""

from __future__ import annotations

import json

import pytest

from accounts.models import Notification
from accounts.services.trail import record, user_ref
from audit.models import Event
from audit.services.verify import verify_database
from backups.gateways.databases import ALIASES
from backups.models import Generation
from backups.rules.ledgers import What
from backups.rules.names import (
    blob_path,
)
from backups.services.examining import examine
from backups.services.ledgers import refresh_ledgers
from backups.services.making import Places, make_backup
from consent.models import DataSubject
from retention.models import DisposedStudy
from studies.models import Blob, Study
from studies.services.integrity import check_blobs
from tests.backups.cases import back, everything_here, files_in, is_in
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, take_in_old
from vault.models import DataKey
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import is_stored
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


# Erased stays erased ------------------------------------------------------------------------------
def test_what_was_disposed_of_since_stays_gone_to_the_last_byte(cast: Cast, places: Places) -> None:
    study, stays = take_in_old(cast), take_in_old(cast, "young", StudyDate="20260901")
    blobs = list(Blob.objects.filter(study=study).values_list("name", flat=True))
    key = DataKey.objects.get(pk=study.key_id)
    reader = places.data
    secrets = [bytes(study.sealed_summary), bytes(key.wrapped or b"")]
    make_backup(places)
    secrets.append(next(reader.read(blob_path(blobs[0])))[100:400])
    before = everything_here()
    assert all(is_in(secret, before) for secret in secrets)

    carried_out(approved(cast))
    refresh_ledgers()
    done = back(places)

    assert done.disposed_again.studies == 1
    assert list(Study.objects.values_list("uid", flat=True)) == [stays.uid]
    assert not DataSubject.objects.filter(pk=study.subject_id).exists()
    with pytest.raises(KeyDestroyed):
        open_data_key(id=study.key_id)
    assert not any(is_stored(name=name) for name in blobs)
    after = everything_here()
    assert not any(is_in(secret, after) for secret in secrets)
    assert DisposedStudy.objects.get().study_key_id == study.key_id
    assert Event.objects.filter(action="study.disposed_again", target_uid=study.uid).exists()
    assert open_data_key(id=stays.key_id)
    assert check_blobs().damaged == 0


def test_a_key_that_was_destroyed_since_in_any_room_stays_destroyed(
    cast: Cast, places: Places
) -> None:
    organisation = cast.officer.memberships.get().organisation_id
    key = create_data_key(organisation_id=organisation, kind="request-package")
    make_backup(places)
    destroy_data_keys(ids=[key.id])
    refresh_ledgers()
    assert back(places).revoked_again[What.KEY] == 1
    with pytest.raises(KeyDestroyed):
        open_data_key(id=key.id)


def test_older_data_comes_back_with_the_latest_keys(cast: Cast, places: Places) -> None:
    """Then a key that was destroyed in between does not even come back for a moment."""
    study = take_in_old(cast)
    first = make_backup(places)
    carried_out(approved(cast))
    second = make_backup(places)
    found = examine(places, generation=first.name)
    assert (found.data.generation, found.keys.generation) == (first.name, second.name)
    done = back(places, first.name)
    assert (done.disposed_again.studies, done.disposed_again.keys) == (1, 0)
    assert not Study.objects.filter(pk=study.pk).exists()
    # The register knows the one that was made later, from its signed manifest.
    assert set(Generation.objects.values_list("name", "state")) == {
        (first.name, "good"), (second.name, "good"),
    }  # fmt: skip


# Afterwards --------------------------------------------------------------------------------------
def test_the_trail_says_what_took_place_and_verifies(cast: Cast, places: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    made = make_backup(places)
    for _ in range(3):
        record(action="password.changed", actor=user_ref(cast.owner))
    from audit.services.seal import seal_all

    seal_all()
    refresh_ledgers()
    done = back(places)
    event = Event.objects.get(action="backup.restored")
    assert (event.target_id, event.outcome) == (made.name, "success")
    # So it is known that the trail was longer than what came back.
    assert event.details["trail_seen"] > event.details["trail_size"]
    assert done.trail.verified
    assert verify_database().verified
    told = Notification.objects.filter(template="backup-restored")
    assert cast.administrator.pk in set(told.values_list("user_id", flat=True))
    assert check_blobs().damaged == 0


def test_the_ledgers_name_nobody(cast: Cast, places: Places) -> None:
    study = take_in_old(cast)
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    carried_out(approved(cast))
    make_backup(places)
    written = b"".join(
        data for path, data in files_in(places.data.folder).items() if path.startswith("ledgers/")
    )
    for secret in (study.uid, str(study.subject_id), "Adler", "Reyes", "hospital", "1972"):
        assert secret.encode() not in written
    lines = [json.loads(line) for line in written.decode().splitlines() if line.startswith("{")]
    assert {line.get("what", "disposal") for line in lines} >= {"key", "membership", "disposal"}
    assert len(ALIASES) == 2
