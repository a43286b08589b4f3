"""Whatever an object is made of: what was planted is gone, and it is valid DICOM afterwards."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option
from tests.studies.deidentification.objects import KEY, ct, deidentifier, part10

# What is drawn is often no valid value, which pydicom remarks.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
FAMILY = "Quixadzky"
# The same person in other letters, with the codes that files have them in (PS3.3 C.12.1.1.2).
FAMILIES: dict[str, tuple[str, str]] = {
    "ISO_IR 192": (FAMILY, "utf-8"), "ISO_IR 100": ("Qüixådzky", "latin-1"),
    "ISO_IR 101": ("Kvíksadžký", "iso8859-2"), "ISO_IR 144": ("Квиксадский", "iso8859-5"),
    "ISO_IR 126": ("Κυιξάδσκυ", "iso8859-7"), "ISO_IR 148": ("Kuiksağşek", "iso8859-9"),
    "GB18030": ("欧阳修文", "gb18030"), "\\ISO 2022 IR 87": ("山田太郎", "iso2022_jp"),
    "\\ISO 2022 IR 149": ("홍길동전", "euc_kr"),
}  # fmt: skip
TEXTS = ("LO", "LT", "SH", "ST", "UC", "UT", "CS", "AE", "PN")
TAGS = sorted(
    (tag, entry[0])
    for tag, entry in DicomDictionary.items()
    if entry[0] in {*TEXTS, "DA", "DT", "TM", "UI", "SQ", "AS", "UN", "OB", "DS"}
    # Not what decides how the rest is read.
    and tag >> 16 not in {0x0000, 0x0002, 0x0004, 0x0006, 0x0028, 0x7FE0, 0xFFFC, 0xFFFE}
    and tag not in {0x00080005, 0x00080016, 0x00080018, 0x00080060, 0x00080008, 0x00420011}
)
SHORT = {"SH": 16, "CS": 16, "AE": 16}


@st.composite
def values(draw: st.DrawFn, vr: str, family: str = FAMILY) -> Any:
    """A value of a VR that names Quixadzky, or a day, number or UID of the object."""
    if vr in {"CS", "AE"} and not family.isascii():
        return "SOMETHING"  # always ASCII
    if vr in TEXTS:
        around = draw(st.sampled_from(["{}", "Dr {}", "{}_1", "SEEN {} NOW", "{}^M", "({})"]))
        text = around.format(draw(st.sampled_from([family, family.upper(), family.lower()])))
        return text[: SHORT.get(vr, 64)] if len(text) <= SHORT.get(vr, 64) else family
    return {
        "DA": "19420317", "DT": "19420317101112", "TM": "101112", "UI": "1.2.3.4.1111.1",
        "AS": "101Y", "UN": b"\1\2", "OB": b"\0\1", "DS": "12.5",
    }[vr]  # fmt: skip


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 0, family: str = FAMILY) -> Dataset:
    dataset = Dataset()
    for tag, vr in draw(st.lists(st.sampled_from(TAGS), max_size=12, unique_by=lambda one: one[0])):
        if vr == "SQ":
            if depth < 3:
                items = draw(st.lists(data_sets(depth=depth + 1, family=family), max_size=2))
                dataset.add(DataElement(tag, "SQ", Sequence(items)))
        else:
            dataset.add(DataElement(tag, vr, draw(values(vr, family))))
    if draw(st.booleans()):
        block = draw(st.sampled_from([0x0009, 0x00E1, 0x0029]))
        creator = draw(st.sampled_from([family, "ELSCINT1", "SIEMENS CSA HEADER"]))
        dataset.add(DataElement(block << 16 | 0x10, "LO", creator))
        dataset.add(DataElement(block << 16 | 0x1021, "LO", family))
    return dataset


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    dataset = ct()
    dataset.update(draw(data_sets()))
    # Whatever was drawn: an object has these, and is of one patient.
    dataset.PatientName, dataset.PatientID = f"{FAMILY}^Marlene", "HVH-778812"
    dataset.PatientBirthDate = "19420317"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, "1.2.3.4.1111")
    dataset.pop("BurnedInAnnotation", None)
    syntax = draw(
        st.sampled_from(
            [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
        )
    )
    return part10(dataset, syntax, draw(st.sampled_from([b"", FAMILY.encode()])))


@st.composite
def objects_in_letters(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """The family, the codec of its letters, and an object that names it; some of it unparsed."""
    charset = draw(st.sampled_from(sorted(FAMILIES)))
    family, codec = FAMILIES[charset]
    dataset = ct(SpecificCharacterSet=charset.split("\\") if "\\" in charset else charset)
    dataset.update(draw(data_sets(family=family)))
    dataset.PatientName, dataset.PatientID = f"{family}^Marlene", "HVH-778812"
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.3.4.1111"
    dataset.pop("BurnedInAnnotation", None)
    if draw(st.booleans()):
        raw = family.encode(codec)
        tag = draw(st.sampled_from([0x00104000, 0x00081048, 0x00321032, 0x77711010]))
        dataset.add(DataElement(tag, "UN", raw + b"\0" * (len(raw) % 2)))
    return family, codec, part10(dataset)


def plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one)).casefold()


def texts(dataset: Dataset) -> str:
    """Everything that stands in it, as pydicom reads it."""
    return "\n".join(str(one.value) for one in dataset.iterall() if one.VR != "SQ").casefold()


@settings(max_examples=150)
@given(objects(), st.sets(st.sampled_from(sorted(set(Option) - {Option.FULL_DATES}))))
def test_nothing_planted_is_left_or_the_object_is_put_aside(
    content: bytes, options: set[Option]
) -> None:
    outcome = deidentifier(*options).deidentify(content)
    if outcome.content is None:
        assert outcome.doubts
        return
    after = dcmread(io.BytesIO(outcome.content))
    assert FAMILY.casefold() not in texts(after)
    assert FAMILY.encode() not in outcome.content
    assert b"HVH-778812" not in outcome.content
    assert b"19420317" not in outcome.content
    assert after.PixelData == bytes(range(32))
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert "SourceApplicationEntityTitle" not in after.file_meta
    if Option.UIDS not in options:
        assert Keyed(KEY).is_own_uid(after.SOPInstanceUID)


@settings(max_examples=120)
@given(objects_in_letters(), st.sets(st.sampled_from(sorted(set(Option) - {Option.FULL_DATES}))))
def test_nothing_planted_is_left_in_any_letters(
    made: tuple[str, str, bytes], options: set[Option]
) -> None:
    family, codec, content = made
    outcome = deidentifier(*options).deidentify(content)
    if outcome.content is None:
        assert outcome.doubts
        return
    after = dcmread(io.BytesIO(outcome.content))
    assert plain(family) not in plain(texts(after))
    for one in (family, family.upper(), family.lower()):
        for code in {codec, "utf-8", "utf-16-le"}:
            # Without the escapes around it, with which another may begin.
            letters = one.encode(code).removeprefix(b"\x1b$B").removesuffix(b"\x1b(B")
            assert letters not in outcome.content
    twice = deidentifier(*options).deidentify(outcome.content).content
    assert twice is not None
    assert dcmread(io.BytesIO(twice)) == after


@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(objects(), st.sets(st.sampled_from(sorted(set(Option) - {Option.FULL_DATES}))))
def test_what_is_clean_is_not_changed_by_cleaning_it_again(
    content: bytes, options: set[Option]
) -> None:
    once = deidentifier(*options).deidentify(content).content
    if once is None:
        return
    twice = deidentifier(*options).deidentify(once).content
    assert twice is not None
    assert dcmread(io.BytesIO(twice)) == dcmread(io.BytesIO(once))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_object_are_put_aside(content: bytes) -> None:
    for one in (content, bytes(128) + b"DICM" + content, part10(ct())[:200] + content):
        outcome = deidentifier().deidentify(one)
        assert outcome.content is None
        assert outcome.doubts
