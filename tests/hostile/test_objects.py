"""Hostile objects, by every way in, on the real server: a reason, nothing left, and it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.conftest import CLINICIAN, MOST_MEMORY, Portal, a_new_object
from tests.running import ROOT
from tests.studies.archives import HOSTILE_ARCHIVES, MIXED, packed
from tests.studies.hostile import HOSTILE
from tests.studies.inert import INERT
from tests.studies.objects import an_object

pytestmark = pytest.mark.hostile


def comments(answer: dict) -> list[str]:
    """The reasons that STOW gives for what it did not store, as `code: sentence`."""
    failed = answer.get("00081198", {}).get("Value", [])
    return [one["00000902"]["Value"][0] for one in failed]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_object_is_refused_with_its_reason_by_stow_and_from_the_page(
    portal: Portal, name: str
) -> None:
    build, codes = HOSTILE[name]
    data, before = build(), portal.kept()
    # The server knows the length beforehand and may find a false one sooner.
    expected = {*codes.split(), "length-past-end"}
    with portal.bounded():
        answer = portal.stow(data)
    code, _, sentence = comments(answer.json())[0].partition(": ")
    assert answer.status_code == 409
    assert code in expected and sentence.endswith(".")
    with portal.bounded():
        answer = portal.send(data)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in expected and answer.json()["detail"].endswith(".")
    after = portal.kept()
    assert after.stored == before.stored and after.refusals == before.refusals + 2
    assert portal.send(a_new_object()).status_code == 200


@pytest.mark.parametrize("name", HOSTILE_ARCHIVES)
def test_an_archive_from_the_page_is_refused_whole(portal: Portal, name: str) -> None:
    data, codes = HOSTILE_ARCHIVES[name]
    before = portal.kept()
    with portal.bounded():
        answer = portal.send(data, "application/zip")
    assert answer.status_code == 422, answer.text
    # What does not begin as an archive does is looked at as an object, and is none.
    assert answer.json()["code"] in {*codes.split(), "not-dicom"}
    after = portal.kept()
    assert after.stored == before.stored and after.refusals == before.refusals + 1
    assert portal.send(packed(("a", a_new_object())), "application/zip").status_code == 200


def test_good_files_are_stored_beside_bad_ones_each_with_its_fate(portal: Portal) -> None:
    answer = portal.send(MIXED, "application/zip")
    fates = {one["name"]: (one["status"], one["code"]) for one in answer.json()["results"]}
    assert answer.status_code == 200
    assert fates["ok.dcm"][0] in {"stored", "repeated"}
    assert fates["bomb.dcm"] == ("refused", "deflate-bomb")
    assert fates["deep.dcm"] == ("refused", "too-deep")
    both = portal.stow(a_new_object(), HOSTILE["300 sequences deep"][0]())
    assert both.status_code == 202
    assert [one.partition(":")[0] for one in comments(both.json())] == ["too-deep"]


@pytest.mark.parametrize("name", INERT)
def test_what_is_lawful_is_stored_or_refused_and_never_a_fault(portal: Portal, name: str) -> None:
    with portal.bounded():
        answer = portal.stow(INERT[name]())
    # One instance identifier for all of them: the first is stored, the others are in conflict.
    assert answer.status_code in {200, 202, 409}
    portal.check_next_is_taken()


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"patient": "P-ATTACKER", "pixels": bytes(64)}, "other-content"),
        ({"patient": "P-2", "number": 2}, "other-patient"),
    ],
    ids=["over another object", "into the study of another patient"],
)
def test_nothing_is_written_over_or_mixed_up(
    portal: Portal, second: dict[str, object], code: str
) -> None:
    first = an_object(study="77")
    portal.stow(first)
    before = portal.kept()
    wrong = an_object(study="77", **second)  # type: ignore[arg-type]
    answer = portal.stow(wrong)
    assert answer.status_code == 409 and comments(answer.json())[0].startswith(f"{code}: ")
    assert portal.send(wrong).status_code == 409
    assert portal.kept().stored == before.stored
    assert portal.stow(first).status_code == 200


# The operators' way -----------------------------------------------------------------------------
def imported(portal: Portal, folder: Path) -> tuple[int, str, int]:
    """Run `import_dicom`; give its exit status, what it printed, and its peak memory in bytes."""
    output = folder.with_suffix(".out")
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "import_dicom", str(folder), "--user", CLINICIAN],
            cwd=ROOT, env=portal.site.environment, stdout=file, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, output.read_text(), usage.ru_maxrss * 1024


def test_a_folder_full_of_them_is_imported_but_for_them(portal: Portal, tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "one.dcm").write_bytes(a_new_object())
    status, _, idle = imported(portal, clean)
    assert status == 0
    folder, before = tmp_path / "disc", portal.kept()
    folder.mkdir()
    bad = {name: build() for name, (build, _) in HOSTILE.items()}
    bad |= {f"{name}.zip": data for name, (data, _) in HOSTILE_ARCHIVES.items()}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    for name in ("0 first", "zz last"):
        (folder / name).write_bytes(a_new_object())
    (folder / "half.zip").write_bytes(
        packed(("a", a_new_object()), ("b", HOSTILE["plain text"][0]()))
    )
    status, printed, peak = imported(portal, folder)
    assert status == 3
    missing = [name for name in bad if f"  {name}: " not in printed]
    assert missing == [] and "  half.zip: b: " in printed
    after = portal.kept()
    instances, blobs = after.rows[2] - before.rows[2], after.blobs - before.blobs
    assert (instances, blobs) == (3, 3)
    assert after.refusals - before.refusals == len(bad) + 1
    assert peak - idle <= MOST_MEMORY
