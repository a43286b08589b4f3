"""Every test of the vault starts without opened keys and with an empty store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from vault.services.organisation_keys import forget_organisation_keys


@pytest.fixture(autouse=True)
def nothing_opened() -> Iterator[None]:
    forget_organisation_keys()
    yield
    forget_organisation_keys()


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """An empty folder of blobs, named by the settings."""
    settings.STORAGE_URL = f"file://{tmp_path / 'blobs'}"
    return tmp_path / "blobs"


@pytest.fixture
def keys_for_many(tmp_path: Path, transactional_db: None) -> Iterator[None]:
    """A key database that several threads can use, as several processes do.

    The one in memory that tests use on SQLite locks whole tables between threads and does not
    wait; a real file does neither.
    """
    if connections["keys"].vendor != "sqlite":
        yield
        return
    usual, shared = connections["keys"], connections.settings["keys"]
    name = shared["NAME"]
    shared["NAME"] = str(tmp_path / "keys.sqlite3")
    del connections["keys"]
    call_command("migrate", database="keys", verbosity=0)
    yield
    connections["keys"].close()
    shared["NAME"] = name
    connections["keys"] = usual
