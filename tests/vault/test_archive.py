"""Keys of the legal archive open for nobody who does not say so, and are destroyed as any other."""

from __future__ import annotations

from uuid import uuid4

import pytest

from vault.models import DataKey
from vault.rules.archive import archive_of, archive_opened
from vault.rules.errors import KeyArchived, KeyDestroyed
from vault.selectors import keys_outside_archive
from vault.services.archiving_keys import move_into_archive
from vault.services.data_keys import create_data_keys, destroy_data_keys, open_data_keys
from vault.services.organisation_keys import forget_organisation_keys, open_organisation_key
from vault.services.rotation import rewrap_data_keys, rotate_organisation_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_a_key_in_the_archive_opens_only_for_whoever_asks_for_it() -> None:
    one, two, other = create_data_keys(organisation_id=7, kind="study", count=3)
    assert move_into_archive(organisation_id=7, ids=[one.id, two.id, uuid4()]) == 2
    assert keys_outside_archive(7, [one.id, two.id, other.id]) == {other.id}
    with pytest.raises(KeyArchived):
        open_data_keys(ids=[one.id, other.id])
    with archive_opened([one.id]):
        assert open_data_keys(ids=[one.id, other.id]) == {one.id: one.key, other.id: other.key}
        with pytest.raises(KeyArchived):
            open_data_keys(ids=[two.id])
    with pytest.raises(KeyArchived):
        open_data_keys(ids=[one.id])


def test_it_is_wrapped_under_a_key_of_the_archive() -> None:
    (one,) = create_data_keys(organisation_id=7, kind="study", count=1)
    before = bytes(DataKey.objects.get(pk=one.id).wrapped or b"")
    move_into_archive(organisation_id=7, ids=[one.id])
    row = DataKey.objects.get(pk=one.id)
    assert (row.organisation_id, row.epoch) == ("archive:7", 1)
    assert bytes(row.wrapped or b"") != before
    forget_organisation_keys()
    under = open_organisation_key(organisation_id=archive_of(7), epoch=1)
    assert under != open_organisation_key(organisation_id="7", epoch=1)
    # Again, it stays as it is; and another organisation moves nothing of this one.
    assert move_into_archive(organisation_id=7, ids=[one.id]) == 0
    assert move_into_archive(organisation_id=8, ids=[one.id]) == 0


def test_a_key_of_another_organisation_is_not_moved() -> None:
    (one,) = create_data_keys(organisation_id=7, kind="study", count=1)
    assert move_into_archive(organisation_id=8, ids=[one.id]) == 0
    assert open_data_keys(ids=[one.id]) == {one.id: one.key}


def test_the_archive_is_rotated_by_itself() -> None:
    made = create_data_keys(organisation_id=7, kind="study", count=3)
    ids = [one.id for one in made]
    move_into_archive(organisation_id=7, ids=ids)
    assert rotate_organisation_key(organisation_id=archive_of(7)) == 2
    assert [step.done for step in rewrap_data_keys(organisation_id=archive_of(7))][-1] == 3
    with archive_opened(ids):
        assert open_data_keys(ids=ids) == {one.id: one.key for one in made}


def test_what_is_destroyed_in_the_archive_is_gone() -> None:
    (one,) = create_data_keys(organisation_id=7, kind="study", count=1)
    move_into_archive(organisation_id=7, ids=[one.id])
    assert destroy_data_keys(ids=[one.id]).destroyed == {one.id}
    with archive_opened([one.id]), pytest.raises(KeyDestroyed):
        open_data_keys(ids=[one.id])
    assert move_into_archive(organisation_id=7, ids=[one.id]) == 0
