"""Folders, files and archives come in by the command as by any other way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.management.commands import import_dicom
from studies.models import Instance, Upload
from studies.rules.gate import inspect
from studies.services.intake import GATHERED_BYTES
from tests.factories import Cast
from tests.studies.hostile import HOSTILE, ROOT, meta, part10, word
from tests.studies.objects import an_object
from tests.studies.test_intake import bytes_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Builder = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, small_ct: Builder) -> Path:
    (tmp_path / "disc" / "deep").mkdir(parents=True)
    (tmp_path / "disc" / "1").write_bytes(small_ct(number=1))
    (tmp_path / "disc" / "deep" / "2.dcm").write_bytes(small_ct(number=2))
    return tmp_path / "disc"


def run(
    *paths: Path, user: str = "clinician@hospital.example", **options: object
) -> tuple[int, str]:
    """Run the command; give its exit status and what it printed."""
    output, status = io.StringIO(), 0
    try:
        call_command(
            "import_dicom", *paths, user=user, stdout=output, stderr=io.StringIO(), **options
        )
    except SystemExit as end:
        status = int(end.code or 0)
    return status, output.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_folder_is_taken_in_with_all_below_it(cast: Cast, folder: Path) -> None:
    status, printed = run(folder)
    assert status == 0
    assert Instance.objects.count() == 2
    line = printed.splitlines()[1].split()
    assert line[1:] == ["1", "2", "0", "0"]
    upload = Upload.objects.get()
    assert (upload.source, upload.state, upload.accepted) == ("command", "closed", 2)


def test_the_same_again_stores_nothing_and_is_success(cast: Cast, folder: Path) -> None:
    run(folder)
    status, printed = run(folder)
    assert status == 0
    assert printed.splitlines()[1].split()[1:] == ["1", "0", "2", "0"]
    assert Instance.objects.count() == 2


def test_an_archive_and_a_file_come_in_together(
    cast: Cast, tmp_path: Path, small_ct: Builder
) -> None:
    archive = zipped(tmp_path / "a.zip", {"x/1": small_ct(number=1), "x/2": small_ct(number=2)})
    (tmp_path / "3").write_bytes(small_ct(number=3))
    assert run(archive, tmp_path / "3")[0] == 0
    assert Instance.objects.count() == 3


def test_what_is_refused_is_named_with_its_reason_and_the_rest_is_kept(
    cast: Cast, folder: Path
) -> None:
    (folder / "letter.txt").write_text("Dear colleague")
    status, printed = run(folder)
    assert status == 3
    assert Instance.objects.count() == 2
    assert "Refused: 1 of 3" in printed
    assert "letter.txt: This is not a DICOM file" in printed


def test_nothing_kept_is_failure(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague")
    assert run(tmp_path)[0] == 1
    (tmp_path / "letter.txt").unlink()
    assert run(tmp_path)[0] == 1, "an empty folder holds nothing to keep"


def test_a_hostile_archive_is_refused_whole(cast: Cast, tmp_path: Path, small_ct: Builder) -> None:
    archive = zipped(tmp_path / "a.zip", {"../1": small_ct()})
    status, printed = run(archive)
    assert status == 1
    assert "(archive-name)" in printed
    assert Instance.objects.count() == 0


def test_a_broken_member_does_not_cost_its_neighbours(
    cast: Cast, tmp_path: Path, small_ct: Builder
) -> None:
    path = zipped(tmp_path / "a.zip", {"1": small_ct(number=1), "2": small_ct(number=2)})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"Adler")] ^= 1  # in the second member, whose check sum is wrong now
    path.write_bytes(data)
    status, printed = run(path)
    assert (status, Instance.objects.count()) == (3, 1)
    assert "a.zip: 2:" in printed


def test_a_link_out_of_the_folder_is_not_followed(
    cast: Cast, folder: Path, tmp_path: Path, small_ct: Builder
) -> None:
    (tmp_path / "outside").write_bytes(small_ct(number=9))
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "round").symlink_to(folder)
    assert run(folder)[0] == 0
    assert Instance.objects.count() == 2


def test_names_are_printed_without_what_could_steer_a_terminal(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2J.txt").write_text("Dear colleague")
    assert "\x1b" not in run(tmp_path)[1]


def test_many_files_come_in_by_batches(
    cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_dicom, "BATCH", 1)
    assert run(folder)[0] == 0
    assert Instance.objects.count() == 2
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("nobody@hospital.example", "Nobody signs in"),
        ("patient@home.example", "not a member"),
        ("auditor@hospital.example", "role"),
    ],
)
def test_who_may_not_send_is_told_so(cast: Cast, folder: Path, user: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(folder, user=user)
    assert Instance.objects.count() == 0


def test_a_path_that_is_not_there_is_named(cast: Cast, folder: Path) -> None:
    with pytest.raises(CommandError, match="no-such-folder"):
        run(folder, folder / "no-such-folder")
    assert Instance.objects.count() == 0


def test_files_that_name_another_object_are_held_where_the_operator_asks_for_it(
    cast: Cast, tmp_path: Path
) -> None:
    wrong = part10(opening=meta(instance=ROOT + "666"))
    frames = {
        0x00280008: ("IS", "100"), 0x00280010: ("US", word(256)), 0x00280011: ("US", word(256)),
        0x7FE00010: ("OB", bytes(256 * 256 * 100)),
    }  # fmt: skip
    large = an_object(study="2", patient="P-2", changes=frames)
    assert len(large) > GATHERED_BYTES
    (tmp_path / "small").write_bytes(wrong)
    (tmp_path / "large").write_bytes(large.replace(b"8888.2.1.1", b"8888.9.1.1", 1))
    status, printed = run(tmp_path)
    assert (status, Instance.objects.count()) == (1, 0)
    assert printed.count("(identifier-differs)") == 2
    status, printed = run(tmp_path, hold_differing_identifiers=True)
    assert (status, Instance.objects.filter(held=True).count()) == (0, 2)
    assert {one.reasons[0] for one in Instance.objects.all()} == {"meta-identifier-replaced"}
    # What is filed, and what leaves one day, has the object's own identifier throughout.
    for row in Instance.objects.all():
        stored = inspect(bytes_of(row))
        assert stored.summary.sop_instance == row.uid and not stored.quarantined
    status, printed = run(tmp_path, hold_differing_identifiers=True)
    assert printed.splitlines()[1].split()[3] == "1", "there already"


def test_the_table_of_contents_of_a_disc_is_left_out_and_no_failure(
    cast: Cast, folder: Path
) -> None:
    (folder / "DICOMDIR").write_bytes(HOSTILE["table of contents of a disc"][0]())
    status, printed = run(folder)
    assert status == 0
    assert "Left out: 1 of 3" in printed and "Refused" not in printed
    assert "  DICOMDIR: This is a disc's table of contents (DICOMDIR)." in printed
