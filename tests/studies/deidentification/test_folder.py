"""`manage.py deidentify`: a folder becomes another, whole, or is put aside with the reason."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from studies.gateways.writing_clean import searched
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import profile_of
from studies.rules.deidentification.values import capped_age, moved_moment
from studies.rules.deidentification.verify import held_by, remains
from tests.studies.deidentification.objects import KEY, ct, deidentifier, part10, released

NAMES = [b"Quixada", b"Marlene", b"HVH-778812", b"19420317", b"1.2.3.4.1111"]


def run(source: Path, target: Path, *more: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("deidentify", str(source), str(target), "--jobs", "2", *more, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two patients with two slices each; the second slice refers to the first."""
    folder = tmp_path / "Quixada Marlene 1942"
    for patient in ("HVH-778812", "HVH-778813"):
        for number in (1, 2):
            made = ct(PatientID=patient, InstanceNumber=number)
            made.StudyInstanceUID = f"1.2.3.4.{patient[-4:]}"
            made.SOPInstanceUID = f"{made.StudyInstanceUID}.{number}"
            if number == 2:
                item = Dataset()
                item.ReferencedSOPClassUID = made.SOPClassUID
                item.ReferencedSOPInstanceUID = f"{made.StudyInstanceUID}.1"
                made.ReferencedImageSequence = Sequence([item])
            path = folder / patient / f"Quixada_{number}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part10(made, preamble=b"Quixada"))
    return folder


def written(target: Path) -> list[Path]:
    return sorted(one for one in target.rglob("*") if one.is_file())


def test_a_folder_without_anybody_in_it(source: Path, tmp_path: Path) -> None:
    status, said = run(source, tmp_path / "out", "--report", str(tmp_path / "report.json"))
    assert (status, "Released: 4 of 4 files." in said) == (0, True)
    files = written(tmp_path / "out")
    assert len(files) == 4
    for path in files:
        for name in NAMES:
            assert name not in path.read_bytes()
            assert name.decode() not in str(path.relative_to(tmp_path))
    objects = [dcmread(path) for path in files]
    assert len({one.PatientID for one in objects}) == 2
    assert len({one.StudyInstanceUID for one in objects}) == 2
    ids = {one.SOPInstanceUID for one in objects}
    links = [
        one.ReferencedImageSequence[0].ReferencedSOPInstanceUID
        for one in objects
        if "ReferencedImageSequence" in one
    ]
    assert len(links) == 2
    assert set(links) <= ids
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["released"], report["quarantined"]) == (4, 0)
    assert {one["target"] for one in report["files"]} == {
        str(path.relative_to(tmp_path / "out")) for path in files
    }


def test_what_is_doubtful_is_named_and_not_written(source: Path, tmp_path: Path) -> None:
    (source / "notes.txt").write_text("Marlene called.")
    (source / "scan.dcm").write_bytes(part10(ct(Modality="US", SOPInstanceUID="1.2.9")))
    (source / "cut.dcm").write_bytes(part10(ct(SOPInstanceUID="1.2.8"))[:300])
    (source / "burned.dcm").write_bytes(
        part10(ct(BurnedInAnnotation="YES", SOPInstanceUID="1.2.7"))
    )
    (source / "other.dcm").write_bytes(
        part10(ct(SOPInstanceUID="1.2.3.4.8812.1", StudyInstanceUID="1.2.3.4.8812", KVP="80"))
    )
    status, said = run(source, tmp_path / "out", "--report", str(tmp_path / "report.json"))
    assert status == 3
    report = json.loads((tmp_path / "report.json").read_text())
    doubts = {one["source"]: one["doubts"] for one in report["files"] if not one["target"]}
    assert doubts["notes.txt"] == ["not-dicom"]
    assert doubts["scan.dcm"] == ["pixels-at-risk"]
    assert doubts["cut.dcm"] in (["not-dicom"], ["broken"], ["cut-off"])
    assert doubts["burned.dcm"] == ["burned-in"]
    # Two of one identifier and other content are two here as well.
    assert "other.dcm" not in doubts
    assert len(written(tmp_path / "out")) == 5
    assert sum(path.stem.endswith("-2") for path in written(tmp_path / "out")) == 1
    assert "burned into its pixels" in said
    assert (tmp_path / "report.json").stat().st_mode & 0o077 == 0


def test_a_key_makes_two_runs_agree_and_two_keys_make_them_differ(
    source: Path, tmp_path: Path
) -> None:
    digests = []
    for name, key in (("a", "k1"), ("b", "k1"), ("c", "k2"), ("d", "")):
        more = ["--key", str(tmp_path / key)] if key else []
        assert run(source, tmp_path / name, *more)[0] == 0
        files = written(tmp_path / name)
        digests.append([hashlib.sha256(one.read_bytes()).hexdigest() for one in files])
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])
    assert not set(digests[2]) & set(digests[3])
    assert (tmp_path / "k1").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--option", "everything"], "There is no option"),
        (["--option", "full-dates", "--option", "modified-dates"], "Choose one of the two"),
    ],
)
def test_options_that_cannot_be_are_refused(
    source: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        run(source, tmp_path / "out", *more)
    assert not (tmp_path / "out").exists()


def test_without_the_models_their_option_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.management.commands.deidentify.find_spec", lambda _: None)
    with pytest.raises(CommandError, match=r"needs the packages.*put aside"):
        run(source, tmp_path / "out", "--option", "clean-pixel-data")
    assert not (tmp_path / "out").exists()


def test_folders_that_cannot_be_are_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    (tmp_path / "key").write_text("not a key")
    for one, other, more, said in (
        (tmp_path / "nowhere", tmp_path / "out", [], "There is no"),
        (source, tmp_path / "full", [], "not an empty folder"),
        (source, source / "out", [], "must not lie in"),
        (source, tmp_path / "out", ["--key", str(tmp_path / "key")], "holds no key"),
    ):
        with pytest.raises(CommandError, match=said):
            run(one, other, *more)


# What is kept between objects ---------------------------------------------------------------------
def test_intervals_between_a_persons_dates_stay_exact() -> None:
    days = []
    for day in ("20260611", "20260701", "20270228"):
        after = released(part10(ct(StudyDate=day)), "modified-dates")
        moved = date.fromisoformat(after.StudyDate)
        days.append((moved - date.fromisoformat(day)).days)
        assert moved.weekday() == date.fromisoformat(day).weekday()
        assert after.StudyTime == "101112"
    assert len(set(days)) == 1
    assert days[0] < -360
    other = released(part10(ct(StudyDate="20260611", PatientID="HVH-9")), "modified-dates")
    assert (date.fromisoformat(other.StudyDate) - date(2026, 6, 11)).days != days[0]


@pytest.mark.parametrize(
    ("age", "shown"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("012M", "012M"), ("old", None)],
)
def test_an_age_above_89_is_capped(age: str, shown: str | None) -> None:
    """45 CFR 164.514(b)(2)(i)(C)."""
    assert capped_age(age) == shown


@pytest.mark.parametrize("wrong", ["19420230", "1942.03.17", "yesterday", "", "00010101"])
def test_what_is_no_date_is_not_moved(wrong: str) -> None:
    assert moved_moment("DA", wrong, -700) is None


def test_a_project_knows_its_own_and_no_other() -> None:
    ours, theirs = Keyed(KEY), Keyed(bytes(32))
    uid, code = ours.uid("1.2.3"), ours.code("person", "x")
    assert ours.is_own_uid(uid)
    assert ours.is_own_code(code)
    assert not theirs.is_own_uid(uid)
    assert not theirs.is_own_code(code)
    assert not ours.is_own_uid("2.25.1")
    assert not ours.is_own_uid("1.2.840.10008.1.2")
    assert not ours.is_own_code("A" * 24)
    with pytest.raises(ValueError, match="32 bytes"):
        Keyed(b"short")


# The second look ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("InstitutionName", "Ludwigshöhe Klinikum"), ("ReferringPhysicianName", "Brandtner^Ute"),
        ("StudyDate", "20260611"), ("DeviceSerialNumber", "SN-7781"),
    ],
)  # fmt: skip
def test_the_second_look_finds_what_the_first_left(keyword: str, value: str) -> None:
    """It is tried on a result in which nothing was cleaned."""
    original = ct(**{keyword: value})
    left = remains(held_by(original), part10(original), profile_of([]), set())
    tag = original[keyword].tag
    assert str(tag) in left
    assert "(0010,0010)" in left


@pytest.mark.parametrize(
    ("charset", "codec", "family", "doubts"),
    [
        # Read as declared it is "È«±æµ¿Àü", in which the first look finds nobody.
        (["", "ISO 2022 IR 149"], "euc_kr", "홍길동전", ["still-there"]),
        # What cannot be read as declared is not written again either.
        ("ISO_IR 192", "shift_jis", "山田太郎", []),
        ("ISO_IR 192", "iso8859-5", "Квиксадский", []),
    ],
)
def test_the_second_look_knows_letters_that_are_written_in_an_undeclared_code(
    charset: Any, codec: str, family: str, doubts: list[str]
) -> None:
    made = ct(SpecificCharacterSet=charset, PatientName=f"{family}^Marlene")
    raw = family.encode(codec)
    made.add(DataElement(0x00104000, "UN", raw + b" " * (len(raw) % 2)))
    # A kept attribute that names the person too is no reason to let the name pass.
    made.RecognitionCode = family
    outcome = deidentifier("clean-descriptors").deidentify(part10(made))
    assert [one.value for one in outcome.doubts] == doubts
    assert raw not in (outcome.content or b"")


def test_a_find_puts_the_object_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.rules.deidentification.clean._Walk._remove", lambda *_: None)
    outcome = deidentifier().deidentify(part10(ct(PatientAddress="Hauptstrasse 7, Isartor")))
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == ["still-there"]
    assert "(0010,1040)" in outcome.left


def test_it_looks_into_deflated_bytes() -> None:
    content = part10(ct(), DeflatedExplicitVRLittleEndian)
    dataset: Any = dcmread_bytes(content)
    assert b"Quixada" not in content[200:]
    assert b"Quixada" in searched(content, dataset)
    assert released(content).PatientID
    assert zlib  # the standard's own algorithm (PS3.5 A.5)


def dcmread_bytes(content: bytes) -> Dataset:
    from io import BytesIO

    return dcmread(BytesIO(content))


def test_a_fault_of_the_program_is_told_by_kind_and_place_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise NameError("Quixada")

    monkeypatch.setattr("studies.gateways.deidentifying.written", fails)
    outcome = deidentifier().deidentify(part10(ct()))
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == ["broken"]
    assert outcome.fault.startswith("NameError at test_folder.py:")
    assert "Quixada" not in outcome.fault
