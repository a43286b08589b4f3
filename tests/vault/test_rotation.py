"""Keys are rotated under way, resumed after a stop, and nothing becomes unreadable."""

from __future__ import annotations

import io
import threading
import time
from itertools import islice
from uuid import UUID

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from vault.models import DataKey, OrganisationKey
from vault.rules.errors import KeyDestroyed, KeyUnknown
from vault.selectors import use_of_epochs
from vault.services.data_keys import (
    create_data_key,
    create_data_keys,
    destroy_data_keys,
    open_data_keys,
    open_index_key,
)
from vault.services.organisation_keys import forget_organisation_keys, open_organisation_key
from vault.services.rotation import (
    rewrap_data_keys,
    rotate_master_key,
    rotate_organisation_key,
)

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
OTHER = "cd" * 32


def wraps() -> dict[UUID, bytes]:
    return {row.id: bytes(row.wrapped or b"") for row in DataKey.objects.all()}


def epochs() -> list[tuple[int, bool]]:
    return [(use.epoch, use.destroyed_at is None) for use in use_of_epochs(7)]


def test_a_rotation_wraps_all_keys_anew_and_destroys_the_old_epoch() -> None:
    made = create_data_keys(organisation_id=7, kind="study", count=23)
    index = open_index_key(organisation_id=7, field_name="name")
    old_key = open_organisation_key(organisation_id="7", epoch=1)
    assert rotate_organisation_key(organisation_id=7) == 2
    steps = list(rewrap_data_keys(organisation_id=7, batch=10))
    assert [step.done for step in steps] == [0, 10, 20, 24]
    assert {step.total for step in steps} == {24}
    assert epochs() == [(1, False), (2, True)]
    forget_organisation_keys()
    assert open_organisation_key(organisation_id="7", epoch=2) != old_key
    assert open_data_keys(ids=[m.id for m in made]) == {m.id: m.key for m in made}
    assert open_index_key(organisation_id=7, field_name="name") == index


def test_new_keys_take_the_new_epoch_and_old_ones_stay_readable_meanwhile() -> None:
    older = create_data_key(organisation_id=7, kind="study")
    rotate_organisation_key(organisation_id=7)
    newer = create_data_key(organisation_id=7, kind="study")
    assert DataKey.objects.get(id=newer.id).epoch == 2
    assert open_data_keys(ids=[older.id, newer.id]) == {
        older.id: older.key,
        newer.id: newer.key,
    }
    assert epochs() == [(1, True), (2, True)]


def test_a_stopped_rotation_goes_on_where_it_was() -> None:
    made = create_data_keys(organisation_id=7, kind="study", count=30)
    rotate_organisation_key(organisation_id=7)
    list(rewrap_data_keys(organisation_id=7, batch=10, budget=1))
    assert [use.keys for use in use_of_epochs(7)] == [20, 10]
    assert epochs() == [(1, True), (2, True)]
    assert open_data_keys(ids=[m.id for m in made]) == {m.id: m.key for m in made}
    assert rotate_organisation_key(organisation_id=7) == 2
    steps = list(rewrap_data_keys(organisation_id=7, batch=10))
    assert (steps[0].total, steps[-1].done) == (20, 20)
    assert epochs() == [(1, False), (2, True)]
    assert open_data_keys(ids=[m.id for m in made]) == {m.id: m.key for m in made}


def test_a_stop_between_the_last_batch_and_the_end_is_made_good() -> None:
    create_data_keys(organisation_id=7, kind="study", count=3)
    rotate_organisation_key(organisation_id=7)
    list(islice(rewrap_data_keys(organisation_id=7, batch=10), 2))
    assert epochs() == [(1, True), (2, True)]
    assert rotate_organisation_key(organisation_id=7) == 2
    list(rewrap_data_keys(organisation_id=7))
    assert epochs() == [(1, False), (2, True)]


def test_tombstones_neither_hold_up_a_rotation_nor_come_back_to_life() -> None:
    kept, gone = create_data_keys(organisation_id=7, kind="study", count=2)
    rotate_organisation_key(organisation_id=7)
    destroy_data_keys(ids=[gone.id])
    list(rewrap_data_keys(organisation_id=7))
    assert epochs() == [(1, False), (2, True)]
    assert DataKey.objects.get(id=gone.id).wrapped is None
    assert open_data_keys(ids=[kept.id]) == {kept.id: kept.key}
    forget_organisation_keys()
    # It is this key that was destroyed, whatever became of the epoch that wrapped it.
    with pytest.raises(KeyDestroyed, match=str(gone.id)):
        open_data_keys(ids=[gone.id])


def test_organisations_are_rotated_apart() -> None:
    create_data_key(organisation_id=7, kind="study")
    other = create_data_key(organisation_id=8, kind="study")
    rotate_organisation_key(organisation_id=7)
    list(rewrap_data_keys(organisation_id=7))
    assert DataKey.objects.get(id=other.id).epoch == 1
    with pytest.raises(KeyUnknown):
        rotate_organisation_key(organisation_id=9)


def test_the_master_key_is_replaced_without_touching_data_keys(settings: Settings) -> None:
    made = [create_data_key(organisation_id=n, kind="study") for n in range(5)]
    before = wraps()
    settings.MASTER_KEY_PREVIOUS, settings.MASTER_KEY = configured.MASTER_KEY, OTHER
    forget_organisation_keys()
    steps = list(rotate_master_key(batch=2))
    assert [step.done for step in steps] == [0, 2, 4, 5]
    settings.MASTER_KEY_PREVIOUS = ""
    forget_organisation_keys()
    assert open_data_keys(ids=[m.id for m in made]) == {m.id: m.key for m in made}
    assert wraps() == before


def test_the_command_shows_its_progress_and_rotates_every_organisation() -> None:
    made = [*create_data_keys(organisation_id=7, kind="study", count=5)]
    made += create_data_keys(organisation_id=8, kind="study", count=2)
    out = io.StringIO()
    call_command("rotate_keys", "--batch", "2", stdout=out)
    lines = out.getvalue().splitlines()
    assert "[1/2] organisation 7, epoch 2: 4 of 5 keys (80 %)" in lines
    assert "[2/2] organisation 8, epoch 2: 2 of 2 keys (100 %)" in lines
    assert set(DataKey.objects.values_list("epoch", flat=True)) == {2}
    assert open_data_keys(ids=[m.id for m in made]) == {m.id: m.key for m in made}


def test_the_command_rotates_one_organisation_or_the_master_key(settings: Settings) -> None:
    create_data_key(organisation_id=7, kind="study")
    create_data_key(organisation_id=8, kind="study")
    call_command("rotate_keys", "--organisation", "8", stdout=io.StringIO())
    assert DataKey.objects.get(organisation_id="7").epoch == 1
    assert DataKey.objects.get(organisation_id="8").epoch == 2
    settings.MASTER_KEY_PREVIOUS, settings.MASTER_KEY = configured.MASTER_KEY, OTHER
    call_command("rotate_keys", "--master", stdout=io.StringIO())
    living = OrganisationKey.objects.filter(destroyed_at__isnull=True)
    assert living.values("master_key_id").distinct().count() == 1


def test_the_command_explains_what_it_cannot_do(settings: Settings) -> None:
    create_data_key(organisation_id=7, kind="study")
    with pytest.raises(CommandError, match="no key to rotate"):
        call_command("rotate_keys", "--organisation", "9")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("rotate_keys", "--batch", "0")
    settings.MASTER_KEY = OTHER
    forget_organisation_keys()
    with pytest.raises(CommandError, match="not configured"):
        call_command("rotate_keys", "--master", stdout=io.StringIO())


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
def test_a_rotation_under_load_loses_no_key_and_revives_none(keys_for_many: None) -> None:
    made = create_data_keys(organisation_id=7, kind="study", count=120)
    gone = [item.id for item in made[::3]]
    faults: list[Exception] = []
    done = threading.Event()

    def destroy_and_create() -> None:
        try:
            for key_id in gone:
                destroy_data_keys(ids=[key_id])
                made.append(create_data_key(organisation_id=7, kind="study"))
        except Exception as fault:  # noqa: BLE001 - reported by the test itself
            faults.append(fault)
        finally:
            done.set()
            connections.close_all()

    other = threading.Thread(target=destroy_and_create)
    other.start()
    rounds = 0
    while not done.is_set() or rounds == 0:
        rotate_organisation_key(organisation_id=7)
        list(rewrap_data_keys(organisation_id=7, batch=7))
        rounds += 1
        time.sleep(0.01)
    other.join()
    assert faults == []
    forget_organisation_keys()
    living = {item.id: item.key for item in made if item.id not in gone}
    assert open_data_keys(ids=living) == living
    assert DataKey.objects.filter(id__in=gone, wrapped__isnull=True).count() == len(gone)
    list(rewrap_data_keys(organisation_id=7))
    assert [use.keys for use in use_of_epochs(7) if use.destroyed_at is None] == [len(living)]
