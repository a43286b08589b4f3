"""Keys open what they should, live apart from the data, and are gone once destroyed."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from vault.gateways.master_key import LocalMasterKey
from vault.models import DataKey, OrganisationKey
from vault.routers import KeysRouter
from vault.rules.errors import KeyDestroyed, KeyUnknown, MasterKeyUnknown, Tampered
from vault.selectors import (
    data_keys_made_before,
    organisations_with_keys,
    tombstones_of,
    use_of_epochs,
)
from vault.services import data_keys, organisation_keys
from vault.services.data_keys import (
    Destruction,
    create_data_key,
    create_data_keys,
    destroy_data_keys,
    open_data_key,
    open_data_keys,
    open_index_key,
)
from vault.services.organisation_keys import forget_organisation_keys

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_a_key_opens_to_what_was_made() -> None:
    made = create_data_key(organisation_id=7, kind="study")
    forget_organisation_keys()
    assert open_data_key(id=made.id) == made.key
    assert len(made.key) == 32


def test_no_key_is_stored_or_shown_in_the_clear() -> None:
    made = create_data_key(organisation_id=7, kind="study")
    row = DataKey.objects.get(id=made.id)
    organisation = OrganisationKey.objects.get(organisation_id="7")
    opened = organisation_keys.open_organisation_key(organisation_id="7", epoch=1)
    assert made.key not in bytes(row.wrapped or b"")
    assert opened not in bytes(organisation.wrapped or b"")
    assert made.key.hex() not in repr(made)
    assert repr(made.key) not in repr(made)


def test_many_keys_open_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    made = [
        *create_data_keys(organisation_id=7, kind="study", count=300),
        *create_data_keys(organisation_id=uuid.uuid4(), kind="subject", count=300),
    ]
    with django_assert_num_queries(1, connection=connections["keys"]):
        opened = open_data_keys(ids=[item.id for item in made])
    assert opened == {item.id: item.key for item in made}
    assert len(set(opened.values())) == 600
    forget_organisation_keys()
    with django_assert_num_queries(2, connection=connections["keys"]):
        assert open_data_keys(ids=[item.id for item in made]) == opened


def test_more_keys_than_one_statement_takes_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_data_keys(organisation_id=7, kind="study", count=25)
    monkeypatch.setattr(data_keys, "_IDS_PER_QUERY", 10)
    assert len(open_data_keys(ids=(item.id for item in made))) == 25
    assert len(destroy_data_keys(ids=(item.id for item in made)).destroyed) == 25


def test_a_destroyed_key_never_opens_again() -> None:
    kept, gone = create_data_keys(organisation_id=7, kind="study", count=2)
    assert destroy_data_keys(ids=[gone.id]).destroyed == {gone.id}
    with pytest.raises(KeyDestroyed):
        open_data_keys(ids=[kept.id, gone.id])
    assert open_data_key(id=kept.id) == kept.key
    row = DataKey.objects.get(id=gone.id)
    assert row.wrapped is None
    assert row.destroyed_at is not None
    assert tombstones_of([kept.id, gone.id]).keys() == {gone.id}


def test_destroying_again_is_harmless_and_says_so() -> None:
    made = create_data_key(organisation_id=7, kind="study")
    destroy_data_keys(ids=[made.id])
    first = tombstones_of([made.id])[made.id].destroyed_at
    never = uuid.uuid4()
    again = destroy_data_keys(ids=[made.id, never])
    assert again == Destruction(frozenset(), frozenset({made.id}), frozenset({never}))
    assert tombstones_of([made.id])[made.id].destroyed_at == first


def test_an_unknown_key_is_named_so() -> None:
    with pytest.raises(KeyUnknown):
        open_data_key(id=uuid.uuid4())


@pytest.mark.parametrize("change", [{"kind": "subject"}, {"organisation_id": "8"}])
def test_a_key_moved_to_another_owner_or_kind_does_not_open(change: dict[str, str]) -> None:
    made = create_data_key(organisation_id=7, kind="study")
    create_data_key(organisation_id=8, kind="study")
    DataKey.objects.filter(id=made.id).update(**change)
    with pytest.raises(Tampered):
        open_data_key(id=made.id)


def test_two_keys_whose_wraps_are_exchanged_do_not_open() -> None:
    one, other = create_data_keys(organisation_id=7, kind="study", count=2)
    wrap = DataKey.objects.get(id=other.id).wrapped
    DataKey.objects.filter(id=one.id).update(wrapped=wrap)
    with pytest.raises(Tampered):
        open_data_key(id=one.id)


def test_the_database_refuses_a_tombstone_that_still_holds_a_key() -> None:
    made = create_data_key(organisation_id=7, kind="study")
    with pytest.raises(IntegrityError), transaction.atomic(using="keys"):
        DataKey.objects.filter(id=made.id).update(destroyed_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic(using="keys"):
        DataKey.objects.filter(id=made.id).update(wrapped=None)


def test_keys_live_in_their_own_database_only() -> None:
    create_data_key(organisation_id=7, kind="study")
    key_tables = set(connections["keys"].introspection.table_names())
    data_tables = set(connections["default"].introspection.table_names())
    assert {"vault_datakey", "vault_organisationkey"} <= key_tables
    assert not any(name.startswith("vault_") for name in data_tables)
    assert key_tables - {"vault_datakey", "vault_organisationkey"} == {"django_migrations"}
    assert KeysRouter().allow_migrate("keys", "studies") is False
    assert KeysRouter().allow_migrate("default", "vault") is False


def test_another_master_key_opens_nothing(settings: Settings) -> None:
    made = create_data_key(organisation_id=7, kind="study")
    settings.MASTER_KEY = "ab" * 32
    forget_organisation_keys()
    with pytest.raises(MasterKeyUnknown):
        open_data_key(id=made.id)


def test_a_master_key_may_come_from_a_file_that_others_cannot_read(
    tmp_path: Path, settings: Settings
) -> None:
    made = create_data_key(organisation_id=7, kind="study")
    forget_organisation_keys()
    file = tmp_path / "master"
    file.write_text(configured.MASTER_KEY + "\n", encoding="ascii")
    settings.MASTER_KEY_FILE, settings.MASTER_KEY = str(file), ""
    file.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="others"):
        open_data_key(id=made.id)
    file.chmod(0o400)
    assert open_data_key(id=made.id) == made.key


@pytest.mark.parametrize("text", ["", "xyz", "ab" * 31, "ab" * 33])
def test_a_wrong_master_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        LocalMasterKey.from_hex(text)
    assert not text or text not in str(refusal.value)


class ServiceKey(LocalMasterKey):
    """Stands for a key management service: another holder, with names of its own."""

    def __init__(self) -> None:
        super().__init__(b"\x07" * 32)
        self.id = "service/key/1"


def test_a_key_management_service_may_hold_the_master_key(settings: Settings) -> None:
    older = create_data_key(organisation_id=7, kind="study")
    settings.MASTER_KEY_PROVIDER = f"{__name__}.ServiceKey"
    newer = create_data_key(organisation_id=8, kind="study")
    forget_organisation_keys()
    assert open_data_keys(ids=[older.id, newer.id]) == {
        older.id: older.key,
        newer.id: newer.key,
    }
    assert OrganisationKey.objects.get(organisation_id="8").master_key_id == "service/key/1"


def test_an_index_key_stays_the_same_and_belongs_to_one_field_of_one_organisation() -> None:
    name = open_index_key(organisation_id=7, field_name="name")
    forget_organisation_keys()
    assert open_index_key(organisation_id=7, field_name="name") == name
    others = {
        open_index_key(organisation_id=8, field_name="name"),
        open_index_key(organisation_id=7, field_name="identifier"),
    }
    assert len(others | {name}) == 3
    assert DataKey.objects.filter(kind="index").count() == 2


def test_opened_organisation_keys_are_kept_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = create_data_key(organisation_id=7, kind="study")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 301)
    with django_assert_num_queries(2, connection=connections["keys"]):
        open_data_key(id=made.id)


def test_selectors_tell_of_keys_without_showing_one() -> None:
    before = timezone.now()
    made = create_data_keys(organisation_id=7, kind="study", count=3)
    create_data_key(organisation_id=7, kind="subject")
    destroy_data_keys(ids=[made[0].id])
    assert set(data_keys_made_before(timezone.now(), kind="study")) == {made[1].id, made[2].id}
    assert list(data_keys_made_before(before, kind="study")) == []
    assert organisations_with_keys() == ["7"]
    (use,) = use_of_epochs(7)
    assert (use.epoch, use.keys, use.destroyed_at) == (1, 3, None)


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
def test_processes_that_make_the_first_key_at_once_share_one_organisation_key(
    keys_for_many: None,
) -> None:
    made: list[data_keys.OpenedDataKey] = []
    indexes: set[bytes] = set()
    faults: list[Exception] = []
    start = threading.Barrier(6)

    def make() -> None:
        try:
            start.wait()
            made.append(create_data_key(organisation_id=7, kind="study"))
            indexes.add(open_index_key(organisation_id=7, field_name="name"))
        except Exception as fault:  # noqa: BLE001 - reported by the test itself
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert OrganisationKey.objects.count() == 1
    assert DataKey.objects.filter(kind="index").count() == len(indexes) == 1
    forget_organisation_keys()
    assert open_data_keys(ids=[item.id for item in made]) == {m.id: m.key for m in made}
