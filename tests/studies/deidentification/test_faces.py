"""Whoever asks for no faces gets no head: PS3.15 E.3.2 as a refusal, never as a claim."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from studies.rules.deidentification.faces import may_show_a_face
from tests.studies.deidentification.objects import ct, deidentifier, part10, released

FACES = "clean-recognizable-visual-features"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def region(code: str, meaning: str = "A region", scheme: str = "SCT") -> Sequence:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code, scheme, meaning
    return Sequence([made])


def in_frames(code: str) -> Sequence:
    anatomy, frame = Dataset(), Dataset()
    anatomy.AnatomicRegionSequence = region(code)
    frame.FrameAnatomySequence = Sequence([anatomy])
    return Sequence([frame])


HEADS: list[dict[str, Any]] = [
    {"BodyPartExamined": "HEAD"},
    {"BodyPartExamined": "HEADNECK"},
    {"BodyPartExamined": "BRAIN"},
    {"BodyPartExamined": "WHOLEBODY"},
    {"BodyPartExamined": "CSPINE"},
    {"BodyPartExamined": "CHEST", "SeriesDescription": "Topogram Schädel"},
    {"ProtocolName": "t1_mprage_sag_p2_iso"},
    {"SeriesDescription": "CT sinuses"},
    {"StudyDescription": "PET/CT whole body"},
    {"StudyDescription": "Scanner crânien"},
    {"AnatomicRegionSequence": region("69536005")},
    {"AnatomicRegionSequence": region("T-D1100", scheme="SRT")},
    {"AnatomicRegionSequence": region("1", "Face and jaw", "99WARD")},
    {"SharedFunctionalGroupsSequence": in_frames("12738006")},
    {"PerFrameFunctionalGroupsSequence": in_frames("12738006")},
    {"BodyPartExamined": "CHEST", "RecognizableVisualFeatures": "YES"},
    {},  # nobody says what it shows
]
OTHERS: list[dict[str, Any]] = [
    {"BodyPartExamined": "CHEST"},
    {"BodyPartExamined": "KNEE", "StudyDescription": "Knie links"},
    {"StudyDescription": "Becken und Hüfte"},
    {"AnatomicRegionSequence": region("51185008", "Chest")},
    {"Modality": "MG"},
    {"BodyPartExamined": "HEAD", "RecognizableVisualFeatures": "NO"},
]


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
@pytest.mark.parametrize("attributes", HEADS, ids=str)
def test_what_may_show_a_head_is_put_aside(attributes: dict[str, Any], modality: str) -> None:
    content = part10(ct(**{"Modality": modality, **attributes}))
    outcome = deidentifier(FACES).deidentify(content)
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == ["face"]
    # Who did not ask for it gets the object as before.
    assert deidentifier().deidentify(content).content is not None


@pytest.mark.parametrize("attributes", OTHERS, ids=str)
def test_what_shows_something_else_is_released_without_a_claim(attributes: dict[str, Any]) -> None:
    after = released(part10(ct(**attributes)), FACES)
    codes = [one.CodeValue for one in after.DeidentificationMethodCodeSequence]
    assert codes == ["113100"]


def test_of_few_slices_nobody_makes_a_face() -> None:
    """Only where an object holds all its slices; a single one tells nothing of its series."""
    for frames, perhaps in ((3, False), (9, False), (10, True), (200, True)):
        made = ct(SOPClassUID=ENHANCED_MR, BodyPartExamined="HEAD", NumberOfFrames=frames)
        assert may_show_a_face(made) is perhaps
    assert may_show_a_face(ct(BodyPartExamined="HEAD", ImagesInAcquisition=1))


def test_a_photograph_may_show_a_face_unless_it_says_what_of() -> None:
    assert may_show_a_face(ct(Modality="XC"))
    assert not may_show_a_face(ct(Modality="XC", BodyPartExamined="FOOT"))


def test_a_face_is_no_text_that_could_be_blacked() -> None:
    pytest.importorskip("onnxruntime")
    made = ct(BodyPartExamined="HEAD", BurnedInAnnotation="YES")
    outcome = deidentifier(FACES, "clean-pixel-data").deidentify(part10(made))
    assert [one.value for one in outcome.doubts] == ["burned-in", "face"]


def test_a_folder_says_why(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "head.dcm").write_bytes(part10(ct(BodyPartExamined="HEAD")))
    (tmp_path / "in" / "knee.dcm").write_bytes(
        part10(ct(BodyPartExamined="KNEE", SOPInstanceUID="1.2.3.4.1111.3"))
    )
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command(
            "deidentify", str(tmp_path / "in"), str(tmp_path / "out"), "--option", FACES,
            "--jobs", "1", stdout=out,
        )  # fmt: skip
    assert end.value.code == 3
    assert "Released: 1 of 2 files." in out.getvalue()
    assert "a face could be made of its slices" in out.getvalue()
