"""The quick way of writing gives what pydicom gives, byte for byte."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import data as pydicoms_data
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from studies.gateways.writing_clean import give_meta, written
from studies.gateways.writing_elements import NotAsRead, data_set_bytes
from tests.studies.deidentification.objects import ct, part10
from tests.studies.deidentification.test_properties import data_sets

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
# Parts of objects, which name neither class nor instance: nobody releases them.
NO_OBJECTS = {
    "UN_sequence.dcm", "empty_charset_LEI.dcm", "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm",
    "no_meta.dcm", "no_meta_group_length.dcm", "priv_SQ.dcm",
}  # fmt: skip
FILES = sorted((Path(pydicoms_data.__file__).parent / "test_files").glob("*.dcm"))


def by_pydicom(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def taken_apart(content: bytes, *, parsed: bool) -> FileDataset:
    """Read with pydicom alone, and with `parsed` every value."""
    one = dcmread(io.BytesIO(content), force=True)
    if parsed:
        for element in one.iterall():
            element.value  # noqa: B018 - reading it takes it apart
    return one


def check(content: bytes, *, parsed: bool) -> None:
    """Compare both ways; what pydicom refuses to write, the quick way refuses as well."""
    one, twin = (taken_apart(content, parsed=parsed) for _ in range(2))
    give_meta(twin)
    try:
        expected = by_pydicom(twin)
    except Exception as error:  # noqa: BLE001 - whatever it is, ours has to say the same
        with pytest.raises(type(error)):
            written(one)
    else:
        assert written(one).content == expected


@pytest.mark.parametrize("parsed", [False, True], ids=["as read", "taken apart"])
@pytest.mark.parametrize("path", FILES, ids=lambda one: one.name)
def test_files_that_others_made(path: Path, parsed: bool) -> None:
    content = path.read_bytes()
    one = taken_apart(content, parsed=parsed)
    if path.name in NO_OBJECTS:
        assert not {"SOPClassUID", "SOPInstanceUID"} <= set(one.dir())
    else:
        check(content, parsed=parsed)


@given(
    data_sets(), st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]), st.booleans()
)
def test_whatever_an_object_is_made_of(drawn: Dataset, syntax: str, parsed: bool) -> None:
    made = ct()
    made.update(drawn)
    made.StudyInstanceUID = "1.2.3.4.1111"
    check(part10(made, syntax), parsed=parsed)


def test_other_letters_long_texts_and_items_of_no_stated_length() -> None:
    item = Dataset()
    item.PersonName, item.TextValue = "山田^太郎=やまだ^たろう", "x" * 70_001
    item.is_undefined_length_sequence_item = True
    made = ct(SpecificCharacterSet="ISO_IR 192", PatientName="Größe^Änne", PatientComments="y")
    made.ContentSequence = Sequence([item, Dataset()])
    made["ContentSequence"].is_undefined_length = True
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        for parsed in (False, True):
            check(part10(made, syntax), parsed=parsed)


def test_bytes_in_another_encoding_are_not_copied() -> None:
    one = dcmread(io.BytesIO(part10(ct(), ImplicitVRLittleEndian)))
    with pytest.raises(NotAsRead):
        data_set_bytes(one, implicit=False)
