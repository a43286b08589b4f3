"""Whoever watches the portal is told the truth, and nothing that helps a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from config import health

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def looked_at_afresh() -> Iterator[None]:
    health._migrated.clear()
    health._storage_was_good_at = -health.STORAGE_TRUSTED_FOR
    yield
    health._migrated.clear()
    health._storage_was_good_at = -health.STORAGE_TRUSTED_FOR


def test_a_process_that_answers_is_alive(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert "no-store" in answer["Cache-Control"]


def test_all_parts_well_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    checks = answer.json()["checks"]
    assert {checks[name] for name in ("data", "keys", "storage")} == {"ok"}


@pytest.mark.parametrize("alias", ["default", "keys"])
def test_a_database_that_does_not_answer_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("password of portal refused at 10.0.0.7")

    monkeypatch.setattr(health.connections[alias], "cursor", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["data" if alias == "default" else "keys"] == "does not answer"
    assert b"10.0.0.7" not in answer.content


@pytest.mark.parametrize("alias", ["default", "keys"])
def test_a_database_without_the_latest_tables_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    connection = health.connections[alias]
    ((app, latest),) = MigrationLoader(connection).graph.leaf_nodes(
        "audit" if alias == "default" else "vault"
    )
    MigrationRecorder(connection).record_unapplied(app, latest)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["checks"]["data" if alias == "default" else "keys"]


def test_a_store_that_cannot_be_written_is_not_ready(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vault.rules.errors import StorageFull

    class Full:
        def create(self, _name: str) -> None:
            raise StorageFull

    monkeypatch.setattr(health, "blob_store", Full)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"] == "cannot be written"


def test_the_probe_of_the_store_leaves_nothing_behind(client: Client) -> None:
    from datetime import timedelta

    from django.utils import timezone

    later = timezone.now() + timedelta(days=1)
    before = set(health.blob_store().names(before=later))
    assert client.get("/readyz").status_code == 200
    assert set(health.blob_store().names(before=later)) == before


def test_a_broker_that_is_away_is_only_a_warning(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["broker"] == "warning: does not answer"
