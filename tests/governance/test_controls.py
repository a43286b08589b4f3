"""Each control passes while what it watches is in force, and fails once that is broken."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from policies.rules.controls import Control, control, control_named, known_controls, require
from policies.selectors import clauses_of, shipped_packs
from studies.models import Blob
from studies.services.integrity import check_blobs
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.governance.breaking import BREAKS
from tests.governance.tools import Breaking, Tools

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

# The values of a pack in which a clause is kept by the control.
VALUES = {
    clause.control: values
    for code, values in shipped_packs().items()
    for clause in clauses_of(code)
    if clause.control
}


@pytest.fixture(autouse=True)
def viewer_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building it takes minutes; what fails without it is tried below."""
    monkeypatch.setattr("studies.controls.is_built", lambda: True)


@pytest.fixture(autouse=True)
def backups_are_made(settings: Any) -> None:
    """On trial a portal makes none until somebody says where they go."""
    settings.BACKUP_URL, settings.BACKUP_KEYS_URL = "/srv/backups", "/mnt/keys"


@pytest.mark.parametrize("one", known_controls(), ids=lambda one: one.code)
def test_a_control_passes_while_it_is_in_force(one: Control) -> None:
    evidence = one.check(VALUES[one.code])
    assert evidence.passed, evidence.says
    assert evidence.says.endswith(".")
    assert one.title[0].isupper()
    assert one.room == one.code.partition(".")[0]


@pytest.mark.parametrize(("code", "breaking"), BREAKS, ids=[code for code, _ in BREAKS])
def test_a_control_fails_once_what_it_watches_is_broken(
    code: str, breaking: Breaking, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    found = control_named(code)
    assert found is not None
    tools = Tools(monkeypatch, settings, dict(VALUES[code]))
    breaking(tools)
    evidence = found.check(tools.values)
    assert not evidence.passed, f"{code} did not notice: {evidence.says}"
    assert "could not be checked" not in evidence.says


def test_there_is_no_control_that_cannot_fail() -> None:
    apart = {"studies.files-sealed"}  # below: it needs something in the store
    assert {code for code, _ in BREAKS} | apart == {one.code for one in known_controls()}


def test_an_organisation_without_officer_is_found(cast: Cast) -> None:
    found = control_named("accounts.officer-remains")
    assert found is not None
    assert found.check({}).passed
    cast.officer.memberships.update(is_active=False)
    assert "Organisations without a privacy officer: 1" in found.check({}).says


def test_files_that_are_not_read_are_not_looked_after(cast: Cast) -> None:
    found = control_named("studies.damage-told")
    assert found is not None
    take_in(actor_of(cast.clinician), small_ct_object())
    assert found.check({}).passed
    Blob.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert "not read for 30 days" in found.check({}).says
    check_blobs()
    assert found.check({}).passed


def test_a_file_in_the_clear_is_found_in_the_store(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = control_named("studies.files-sealed")
    assert found is not None
    take_in(actor_of(cast.clinician), small_ct_object())
    assert "was looked at in the store" in found.check({}).says
    reader = SimpleNamespace(read_at=lambda *_: bytes(128) + b"DICM", close=lambda: None)
    store = SimpleNamespace(open=lambda _: reader)
    monkeypatch.setattr("studies.controls.blob_store", lambda: store)
    evidence = found.check({})
    assert (evidence.passed, evidence.says) == (
        False,
        "The latest file in the store is not sealed.",
    )


# The registry ------------------------------------------------------------------------------------
def test_a_check_that_cannot_be_carried_out_has_not_passed() -> None:
    def look() -> str:
        raise ConnectionError("the database is gone")

    evidence = Control("a.control", "A control", "a", False, look).check({})
    assert (evidence.passed, evidence.says) == (
        False,
        "It could not be checked (ConnectionError).",
    )


@pytest.mark.parametrize("code", ["nothing", "A.b", "a.b_c", "a.b.c", ""])
def test_a_code_names_a_room_and_a_thing(code: str) -> None:
    with pytest.raises(ValueError, match=r"room\.words"):
        control(code, "Something")


def test_a_code_stands_for_one_control() -> None:
    with pytest.raises(ValueError, match="another meaning"):

        @control("vault.keys-apart", "Something else")
        def keys_apart() -> str:
            return "-"


def test_what_has_to_be_refused_and_is_not_is_broken() -> None:
    from policies.rules.controls import Broken, must_refuse

    with pytest.raises(Broken, match="This was not refused"), must_refuse(KeyError, "This"):
        pass
    with must_refuse(KeyError, "This"):
        raise KeyError
    with pytest.raises(ValueError, match="other"), must_refuse(KeyError, "This"):
        raise ValueError("other")
    with pytest.raises(Broken, match="It is so"):
        require(False, "It is so.")
