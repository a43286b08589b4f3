"""What an auditor holds: the command, and a bundle that is checked without the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import services
from audit.models import Checkpoint, Event
from audit.rules.notes import SigningKey
from audit.services.keys import signing_key
from tests.audit.append_only import triggers_bypassed
from tests.audit.conftest import CLINICIAN
from tests.audit.tampering import cut_tail, edit

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def verify(*arguments: object) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_audit", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def bundle(trail: list[Event], tmp_path: Path) -> Path:
    path = tmp_path / "trail.jsonl"
    call_command("export_audit", "--out", str(path), stdout=StringIO())
    return path


def change(path: Path, alter: Callable[[list[dict]], None]) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    alter(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def leaves_of(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["type"] == "leaf"]


def test_the_command_exits_0_only_if_everything_verifies(trail: list[Event]) -> None:
    code, words = verify()
    assert code == 0 and words.startswith("Verified: 20 sealed events, 3 checkpoints, 2 events")
    with triggers_bypassed():
        edit(trail[4])
    code, words = verify()
    assert code == 1 and f"edited: event {trail[4].id}" in words


def test_a_bundle_verifies_without_a_database(bundle: Path, monkeypatch, trail) -> None:
    def no_database(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(connection, "cursor", no_database)
    code, words = verify("--bundle", bundle, "--key", signing_key().verifier)
    assert code == 0 and words.startswith("Verified: 20 sealed events, 3 checkpoints, 3 events")


def test_a_bundle_says_which_key_its_verdict_rests_on(bundle: Path) -> None:
    assert f"Key: {signing_key().verifier}" in verify("--bundle", bundle)[1]
    stranger = SigningKey(signing_key().name, bytes(32)).verifier
    code, words = verify("--bundle", bundle, "--key", stranger)
    assert code == 1 and "no trusted key signed" in words


def test_the_export_is_itself_an_event(bundle: Path) -> None:
    assert Event.objects.filter(action="audit.exported").count() == 1
    assert '"action":"audit.exported"' in bundle.read_text()


def test_a_bundle_holds_no_personal_value(tmp_path: Path) -> None:
    services.record(action="test.released", actor=CLINICIAN, private={"recipient": "Jane Roe"})
    services.seal_all()
    path = tmp_path / "trail.jsonl"
    call_command("export_audit", "--out", str(path), stdout=StringIO())
    assert "Roe" not in path.read_text() and verify("--bundle", path)[0] == 0


def _edit(rows: list[dict]) -> None:
    leaves_of(rows)[6]["event"]["actor_id"] = "18"


def _delete(rows: list[dict]) -> None:
    rows.remove(leaves_of(rows)[6])
    rows[-1]["counts"]["leaf"] -= 1


def _delete_event(rows: list[dict]) -> None:
    leaves_of(rows)[6]["event"] = None


def _insert(rows: list[dict]) -> None:
    rows.insert(rows.index(leaves_of(rows)[6]), dict(leaves_of(rows)[6]))
    rows[-1]["counts"]["leaf"] += 1


def _reorder(rows: list[dict]) -> None:
    one, other = leaves_of(rows)[2], leaves_of(rows)[6]
    one["number"], other["number"] = other["number"], one["number"]
    rows.sort(
        key=lambda row: (
            row.get("number", 99)
            if row["type"] == "leaf"
            else -1
            if (row["type"] in ("bundle", "checkpoint"))
            else 100
        )
    )


@pytest.mark.parametrize(
    ("alter", "fault"),
    [
        (_edit, "edited"),
        (_delete, "deleted"),
        (_delete_event, "deleted"),
        (_insert, "inserted"),
        (_reorder, "reordered"),
    ],
)
def test_a_bundle_that_was_tampered_with_names_the_event(bundle: Path, trail, alter, fault) -> None:
    change(bundle, alter)
    code, words = verify("--bundle", bundle)
    assert code == 1 and f"{fault}: " in words
    assert str(trail[6].id) in words or "leaf 6 is not there" in words


@pytest.mark.parametrize("kept", [0, 1, 5, -1])
def test_a_bundle_that_was_cut_short_is_refused(bundle: Path, kept: int) -> None:
    lines = bundle.read_text().splitlines(keepends=True)
    bundle.write_text("".join(lines[:kept]))
    with pytest.raises(CommandError, match="bundle"):
        verify("--bundle", bundle)


def test_a_bundle_is_held_against_a_kept_checkpoint(bundle: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(Checkpoint.objects.get(size=20).note)
    assert verify("--bundle", bundle, "--checkpoint", kept)[0] == 0
    cut_tail()
    short = tmp_path / "short.jsonl"
    call_command("export_audit", "--out", str(short), stdout=StringIO())
    assert verify("--bundle", short)[0] == 0
    code, words = verify("--bundle", short, "--checkpoint", kept)
    assert code == 1 and "truncated" in words
