from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from backups.gateways.folder import Folder
from backups.services.making import Places
from config import restoring
from policies.rules.gate import resume_use
from tests.backups.cases import under_a_duty


@pytest.fixture(autouse=True)
def a_duty_under_law(a_purpose_is_named: None) -> Iterator[None]:
    """As the jobs and commands of this room do, which act under a duty."""
    with resume_use():
        under_a_duty()
        yield


@pytest.fixture(autouse=True)
def no_restore_is_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was seen a second ago is of the test before; and no test waits for it."""
    monkeypatch.setattr(restoring, "TRUSTED_FOR", 0.0)
    monkeypatch.setattr("backups.services.restoring.TRUSTED_FOR", 0.0)
    restoring.forget()
    yield
    restoring.forget()


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> Places:
    """A store of this test's own, and two places that lie apart, as the settings name them."""
    if settings.STORAGE_URL.startswith("s3://"):
        head, _, query = settings.STORAGE_URL.partition("?")
        settings.STORAGE_URL = f"{head}/{uuid4().hex}?{query}"
    else:
        settings.STORAGE_URL = f"file://{tmp_path / 'store'}"
    data, keys = tmp_path / "data", tmp_path / "keys"
    settings.BACKUP_URL, settings.BACKUP_KEYS_URL = str(data), f"file://{keys}"
    return Places(Folder(data), Folder(keys))
