"""Of real files, those that are objects with identifiers are kept, or held with a reason.

pydicom's own sample files, many of them damaged on purpose. What is no DICOM object with the
identifiers that objects are filed by is counted apart, by pydicom's reading and not by ours.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError

from studies.rules.gate import inspect, named_by_itself
from studies.rules.preamble import LENGTH, neutralise_preamble
from studies.rules.reasons import Refused

SAMPLES = Path(pydicom.__file__).parent / "data"
IDENTIFIERS = "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID".split()
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
# Objects with identifiers that are refused all the same, and why that is right.
REFUSED = {
    "MR_truncated.dcm": "length-past-end",  # cut off
    "rtplan_truncated.dcm": "length-past-end",  # cut off
    "badVR.dcm": "number-invalid",  # "1A" frames
    "JPEG2000-embedded-sequence-delimiter.dcm": "codestream-size",  # another size than it says
}


def read(path: Path) -> FileDataset | None:
    """Read a file as pydicom does; None if it is no Part 10 file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(path)
        except (InvalidDicomError, AttributeError, OSError):
            return None


def is_object(path: Path) -> bool:
    """Whether it is a Part 10 file with a valid UID for all that an object is filed by."""
    found = read(path)
    if found is None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return all(UID.fullmatch(str(found.get(name) or "")) for name in IDENTIFIERS)


@pytest.fixture(scope="module")
def objects() -> list[Path]:
    return [path for path in sorted(SAMPLES.rglob("*")) if path.is_file() and is_object(path)]


def test_objects_with_identifiers_are_kept_but_for_those_named_here(objects: list[Path]) -> None:
    refused = {}
    for path in objects:
        try:
            inspect(named_by_itself(path.read_bytes()))
        except Refused as refusal:
            refused[path.name] = refusal.code
    assert refused == REFUSED
    assert len(objects) > 150


def test_nothing_of_a_kept_file_changes_without_being_said(objects: list[Path]) -> None:
    for path in objects:
        data = path.read_bytes()
        named = named_by_itself(data)
        try:
            verdict = inspect(named)
        except Refused:
            continue
        stored = neutralise_preamble(named)
        assert len(stored) == verdict.length
        assert (stored[:LENGTH] == data[:LENGTH]) is not verdict.preamble_changes
        if named is data:
            assert stored[LENGTH:] == data[LENGTH:]
            continue
        # Only the opening was made to name the object; the data set is as it was.
        assert named.endswith(data[-(len(data) - verdict.dataset_offset - 64) :])
        with pytest.raises(Refused) as refused:
            inspect(data)
        assert refused.value.code == "identifier-differs"
