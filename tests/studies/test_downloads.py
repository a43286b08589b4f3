"""A download is a file set that any DICOM reader opens, holding exactly what is released."""

import io
import re
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path
from shutil import which

import pydicom
import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.fileset import FileSet

from consent.rules.decision import Item
from consent.services.grants import revoke_grant
from studies.models import Study
from studies.rules.dicomdir import (
    DirectoryObject,
    DirectorySeries,
    DirectoryStudy,
    dicomdir,
    record_kind,
)
from tests.factories import signed_in_client
from tests.studies.conftest import CLINICIAN, COLLEAGUE, OFFICER, Portal

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
REPORT = (FOLDER / "reportsi.dcm").read_bytes()


def browser(portal: Portal, email: str = CLINICIAN):
    return signed_in_client(portal.people[email])


def fetched(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.content
    data = b"".join(answer.streaming_content)
    assert len(data) == int(answer["Content-Length"])
    return zipfile.ZipFile(io.BytesIO(data))


def two_series(small_ct) -> list[bytes]:
    return [small_ct(series=name, number=number) for name in ("one", "two") for number in (1, 2, 3)]


def test_the_objects_come_back_as_they_were_sent(portal: Portal, small_ct):
    objects = two_series(small_ct)
    study = portal.take(*objects)[0].study
    archive = fetched(browser(portal).get(reverse("studies:download", args=[study])))
    files = [name for name in archive.namelist() if name != "DICOMDIR"]
    assert sorted(archive.read(name) for name in files) == sorted(objects)
    assert archive.testzip() is None
    assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


def test_file_names_are_those_of_dicom_media(portal: Portal, small_ct):
    study = portal.take(*two_series(small_ct))[0].study
    archive = fetched(browser(portal).get(reverse("studies:download", args=[study])))
    for name in archive.namelist():
        assert re.fullmatch(r"[A-Z0-9_]{1,8}(/[A-Z0-9_]{1,8}){0,7}", name)


@pytest.mark.parametrize("name", ["Adler^Paula", "Müller^Jörg=山田^太郎"])
def test_pydicoms_file_set_finds_every_object(portal: Portal, small_ct, tmp_path: Path, name: str):
    objects = [small_ct(series=s, number=n, PatientName=name) for s in ("a", "b") for n in (1, 2)]
    results = portal.take(*objects)
    fetched(browser(portal).get(reverse("studies:download", args=[results[0].study]))).extractall(
        tmp_path
    )
    found = FileSet(tmp_path / "DICOMDIR")
    assert {one.SOPInstanceUID for one in found} == {one.sop_instance for one in results}
    assert {str(one.PatientName) for one in found} == {name}
    assert {one.load().SOPInstanceUID for one in found} == {one.SOPInstanceUID for one in found}
    assert len(found.find_values("SeriesInstanceUID")) == 2
    # It leaves its folder to the collector, which pytest takes for a mistake of ours.
    found._stage["t"].cleanup()


@pytest.mark.stack
def test_dcmtk_reads_the_directory(portal: Portal, small_ct, tmp_path: Path):
    """A reader that shares nothing with ours; without it this fails (Debian's package dcmtk)."""
    assert which("dcmdump"), "install dcmtk"
    study = portal.take(*two_series(small_ct))[0].study
    fetched(browser(portal).get(reverse("studies:download", args=[study]))).extractall(tmp_path)
    done = subprocess.run(
        ["dcmdump", "DICOMDIR"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "W:" not in done.stderr and "E:" not in done.stderr
    assert done.stdout.count("(0004,1430) CS [IMAGE]") == 6


def test_a_report_has_a_record_of_its_own_kind(portal: Portal, tmp_path: Path):
    study = portal.take(REPORT)[0].study
    fetched(browser(portal).get(reverse("studies:download", args=[study]))).extractall(tmp_path)
    records = pydicom.dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence
    assert [one.DirectoryRecordType for one in records] == [
        "PATIENT", "STUDY", "SERIES", "SR DOCUMENT",
    ]  # fmt: skip
    report = records[-1]
    original = pydicom.dcmread(io.BytesIO(REPORT))
    concept = original.ConceptNameCodeSequence[0].CodeMeaning
    assert report.ConceptNameCodeSequence[0].CodeMeaning == concept
    assert report.VerificationFlag == original.VerificationFlag


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    name=st.text(
        st.characters(exclude_characters="\\=^", exclude_categories=["C", "Z"]), max_size=20
    ),
)
def test_every_offset_of_a_directory_points_at_a_record(shape: list[int], name: str):
    def text(vr: str, value: object):
        return {"vr": vr, "Value": [value]}

    study = DirectoryStudy(
        {"00100010": text("PN", {"Alphabetic": name}), "0020000D": text("UI", "1.2")},
        [
            DirectorySeries(
                {"0020000E": text("UI", f"1.2.{s}")},
                [
                    DirectoryObject(
                        ("A", f"B{s}{i}"), "1.2.3", f"1.2.{s}.{i}", "1.2.840.10008.1.2", {}
                    )
                    for i in range(count)
                ],
            )
            for s, count in enumerate(shape)
        ],
    )
    data = dicomdir(study, identifier="2.25.1")
    read = pydicom.dcmread(io.BytesIO(data))
    records = {one.seq_item_tell: one for one in read.DirectoryRecordSequence}
    seen = []

    def follow(offset: int) -> None:
        while offset:
            record = records[offset]
            seen.append(record)
            follow(record.OffsetOfReferencedLowerLevelDirectoryEntity)
            offset = record.OffsetOfTheNextDirectoryRecord

    follow(read.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity)
    assert len(seen) == len(records) == 2 + len(shape) + sum(shape)
    assert str(records[min(records)].PatientName) == name


def test_images_are_the_rule_and_others_have_their_kind():
    storage = "1.2.840.10008.5.1.4.1.1."
    kinds = {
        "2": "IMAGE",
        "66.4": "IMAGE",
        "66": "RAW DATA",
        "88.11": "SR DOCUMENT",
        "104.1": "ENCAP DOC",
    }
    assert {suffix: record_kind(storage + suffix) for suffix in kinds} == kinds
    assert record_kind(storage + "88.59") == "KEY OBJECT DOC"


# Who may ------------------------------------------------------------------------------------------
def test_one_event_says_who_took_how_many(portal: Portal, small_ct):
    study = portal.take(*two_series(small_ct))[0].study
    fetched(browser(portal).get(reverse("studies:download", args=[study])))
    (event,) = portal.events("study.downloaded")
    assert event.details["instances"] == 6


def test_a_share_for_looking_does_not_let_download(portal: Portal, small_ct):
    study = portal.take(small_ct())[0].study
    address = reverse("studies:download", args=[study])
    assert browser(portal, COLLEAGUE).get(address).status_code == 404
    portal.share(Item(study))
    refused = browser(portal, COLLEAGUE).get(address)
    assert refused.status_code == 403
    assert "look at the images, not download them" in refused.content.decode()
    assert browser(portal, OFFICER).get(address).status_code == 403
    assert portal.events("study.downloaded") == []


def test_a_share_of_one_series_gives_that_series_alone(portal: Portal, small_ct):
    results = portal.take(*two_series(small_ct))
    portal.share(Item(results[0].study, results[0].series), may_download=True)
    archive = fetched(
        browser(portal, COLLEAGUE).get(reverse("studies:download", args=[results[0].study]))
    )
    found = [
        pydicom.dcmread(io.BytesIO(archive.read(name))).SeriesInstanceUID
        for name in archive.namelist()
        if name != "DICOMDIR"
    ]
    assert found == [results[0].series] * 3


def test_a_download_breaks_off_when_the_share_is_revoked(portal: Portal, small_ct, monkeypatch):
    monkeypatch.setattr("studies.api.wado.ASK_AGAIN_SECONDS", -1.0)
    results = portal.take(*two_series(small_ct))
    grant = portal.share(Item(results[0].study), may_download=True)
    answer = browser(portal, COLLEAGUE).get(reverse("studies:download", args=[results[0].study]))
    pieces = iter(answer.streaming_content)
    next(pieces)
    revoke_grant(actor=portal.actor(fresh=True), grant=grant, reason="mistake")
    with pytest.raises(ConnectionAbortedError):
        list(pieces)


def test_what_came_after_the_share_is_not_in_the_download(portal: Portal, small_ct):
    first = portal.take(small_ct(number=1))[0]
    portal.share(Item(first.study), may_download=True)
    portal.take(small_ct(number=2))
    Study.objects.get(uid=first.study).instances.filter(number=2).update(
        created_at=timezone.now() + timedelta(minutes=1)
    )
    archive = fetched(
        browser(portal, COLLEAGUE).get(reverse("studies:download", args=[first.study]))
    )
    assert len(archive.namelist()) == 2
