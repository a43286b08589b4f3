"""Every row of Table E.3.4-1 under every option, and what reports are afterwards (PS3.15 E.3.4)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from studies.rules.deidentification import concepts
from studies.rules.deidentification.clean import Cleaner
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option, profile_of
from studies.rules.deidentification.values import moved_moment
from tests.studies.deidentification.objects import KEY, ct, deidentifier, part10, released

CONTENT = "clean-structured-content"
SR = "1.2.840.10008.5.1.4.1.1.88.33"
TABLE = Path(concepts.__file__).with_name("table_e3_4_1.tsv")
# As it stands in the file, read by nothing of the program.
LINES = list(csv.reader(TABLE.read_text().splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE))
KEYED = Keyed(KEY)
PERSON = "id\0HVH-778812"
KEYWORD = {
    "TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time",
    "DATETIME": "DateTime", "UIDREF": "UID",
}  # fmt: skip
VALUES = {
    "TEXT": "Walks with two sticks", "PNAME": "Somebody^Else", "DATE": "20260611",
    "TIME": "101112", "DATETIME": "20260611101112", "UIDREF": "1.2.3.77",
}  # fmt: skip
DUMMIES = {
    "TEXT": "REMOVED", "PNAME": "Removed^", "DATE": "19000101", "TIME": "000000",
    "DATETIME": "19000101000000",
}  # fmt: skip


def code(value: str, scheme: str = "DCM", meaning: str = "Concept") -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def reference() -> Sequence:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.2",
        "1.2.3.88",
    )
    return Sequence([made])


def item(value_type: str, concept: Dataset | None = None, **attributes: Any) -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = "CONTAINS", value_type
    made.ConceptNameCodeSequence = Sequence([concept or code("111111")])
    if value_type in KEYWORD:
        setattr(made, KEYWORD[value_type], VALUES[value_type])
    elif value_type == "NUM":
        measured = Dataset()
        measured.NumericValue, measured.MeasurementUnitsCodeSequence = "97", [code("a", "UCUM")]
        made.MeasuredValueSequence = Sequence([measured])
    elif value_type == "CODE":
        made.ConceptCodeSequence = Sequence([code("F", "DCM", "Female")])
    elif value_type != "CONTAINER":
        made.ReferencedSOPSequence = reference()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def report(*items: Dataset, **attributes: Any) -> Dataset:
    made = ct(SOPClassUID=SR, Modality="SR", ValueType="CONTAINER", **attributes)
    del made.PixelData
    made.ConceptNameCodeSequence = Sequence([code("126000", meaning="Imaging Report")])
    made.ContinuityOfContent = "SEPARATE"
    made.ContentSequence = Sequence(items)
    return made


def cleaned(dataset: Dataset, *options: str) -> Dataset:
    Cleaner(profile_of({CONTENT, *options}), KEYED).clean(dataset)
    return dataset


def check(found: Dataset | None, action: str, value_type: str, concept: str) -> None:
    if action == "X":
        assert found is None
        return
    assert found is not None
    assert found.ConceptNameCodeSequence[0].CodeValue == concept
    if value_type not in KEYWORD:
        check_without_a_value(found, action, value_type)
        return
    value = str(found[KEYWORD[value_type]].value)
    if concept in {"121029", "121030"}:
        assert value == KEYED.code("person", PERSON)
    elif action == "K":
        assert value == VALUES[value_type]
    elif action == "D" and value_type == "UIDREF":
        assert value == KEYED.uid("1.2.3.77")
    elif action == "D":
        assert value == DUMMIES[value_type]
    elif value_type == "TEXT":
        assert value == VALUES["TEXT"]  # nobody is named in it
    else:
        vr = {"DATE": "DA", "TIME": "TM", "DATETIME": "DT"}[value_type]
        assert value == moved_moment(vr, VALUES[value_type], KEYED.days(PERSON))


def check_without_a_value(found: Dataset, action: str, value_type: str) -> None:
    if value_type == "NUM":
        assert found.MeasuredValueSequence[0].NumericValue == 90  # of 97 years
    elif value_type == "CODE":
        assert found.ConceptCodeSequence[0].CodeValue == "F"
    elif value_type != "CONTAINER":
        uid = found.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert uid == ("1.2.3.88" if action == "K" else KEYED.uid("1.2.3.88"))


@pytest.mark.parametrize(
    ("concept", "scheme", "value_type", "basic", "options", "name"),
    LINES,
    ids=["-".join(one[:3]) for one in LINES],
)
def test_every_row_under_every_option_at_every_depth(
    concept: str, scheme: str, value_type: str, basic: str, options: str, name: str
) -> None:
    actions = dict(one.split("=") for one in options.split())
    # X/D: as a dummy it is valid whether the template asks for it or not.
    basic = {"X/D": "D"}.get(basic, basic)
    for option in (None, *(one for one in Option if one != CONTENT)):
        action = actions.get(option or "", basic)
        inner, outer = (item(value_type, code(concept, scheme)) for _ in range(2))
        deep = item("CONTAINER", ContentSequence=Sequence([item("CODE"), inner]))
        made = cleaned(report(item("CODE"), outer, deep), *([option] if option else []))
        for place in (made, made.ContentSequence[-1]):
            found = [
                one
                for one in place.ContentSequence
                if one.ConceptNameCodeSequence[0].CodeValue == concept
            ]
            check(found[0] if found else None, action, value_type, concept)


def test_the_table_is_the_standards_and_says_which_edition() -> None:
    assert concepts.edition() == "2025e"
    assert len(LINES) == 211 == len(list(concepts.rows()))
    assert {one[2] for one in LINES} == {
        "CODE", "COMPOSITE", "CONTAINER", "DATE", "DATETIME", "IMAGE", "NUM", "PNAME", "TEXT",
        "TIME", "UIDREF", "WAVEFORM",
    }  # fmt: skip


@pytest.mark.parametrize(
    "keyword",
    ["AcquisitionContextSequence", "ProtocolContextSequence", "ContentItemModifierSequence"],
)
def test_other_sequences_of_content_items_are_cleaned_too(keyword: str) -> None:
    items = [item("TEXT", code("121106")), item("PNAME", code("121008")), item("CODE")]
    made = ct()
    setattr(made, keyword, Sequence(items))
    after = cleaned(made)[keyword].value
    assert [one.ValueType for one in after] == ["PNAME", "CODE"]
    assert after[0].PersonName == "Removed^"


def test_what_is_empty_then_is_valid() -> None:
    """Acquisition Context Sequence is type 2, Content Sequence 1C."""
    made = ct(AcquisitionContextSequence=Sequence([item("TEXT", code("121106"))]))
    assert len(cleaned(made).AcquisitionContextSequence) == 0
    assert "ContentSequence" not in cleaned(report(item("TEXT", code("121106"))))


def test_text_of_an_unknown_concept_is_not_trusted() -> None:
    said = "Seen by Dr. Oberhuber, walks with sticks"
    for options, expected in (
        ([], "REMOVED"),
        (["clean-descriptors"], "Seen by REMOVED, walks with sticks"),
    ):
        made = cleaned(report(item("TEXT", TextValue=said)), *options)
        assert made.ContentSequence[0].TextValue == expected


def test_meanings_of_codes_that_a_site_made_up_are_not_trusted() -> None:
    coded = item(
        "CODE", ConceptCodeSequence=Sequence([code("7", "99WARD", "Bed of Mrs Oberhuber")])
    )
    assert cleaned(report(coded)).ContentSequence[0].ConceptCodeSequence[0].CodeMeaning == "REMOVED"
    public = item("CODE", ConceptCodeSequence=Sequence([code("86049000", "SCT", "Neoplasm")]))
    after = cleaned(report(public)).ContentSequence[0]
    assert after.ConceptCodeSequence[0].CodeMeaning == "Neoplasm"


def test_concepts_are_known_by_their_former_codes() -> None:
    """R-42B89 is what SNOMED-RT called Clinical Report."""
    made = cleaned(report(item("TEXT", code("R-42B89", "SRT")), item("CODE")))
    assert [one.ValueType for one in made.ContentSequence] == ["CODE"]


def test_references_by_position_still_point_to_their_items() -> None:
    """PS3.3 C.17.3.2.5: 1.3 is the third item below the root."""
    target = item("NUM", code("121206"))
    refers = Dataset()
    refers.RelationshipType, refers.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 3]
    lost = Dataset()
    lost.RelationshipType, lost.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    made = cleaned(
        report(
            item("TEXT", code("121106")),
            item("CODE", ContentSequence=Sequence([lost, refers])),
            target,
        )
    )
    assert [one.ValueType for one in made.ContentSequence] == ["CODE", "NUM"]
    (left,) = made.ContentSequence[0].ContentSequence
    assert list(left.ReferencedContentItemIdentifier) == [1, 2]


def test_a_report_is_released_says_so_and_stays_as_it_is() -> None:
    made = report(
        item("PNAME", code("121008"), PersonName="Brandtner^Ute"),
        item("TEXT", code("121071"), TextValue="Marlene has a nodule, seen on 11.06.2026"),
        item("TEXT", code("121012"), TextValue="A nodule in the left lung"),
        item("UIDREF", code("121012"), UID="1.2.3.99.7777.9"),
        item("DATETIME", code("122146")),
        SpecificCharacterSet="ISO_IR 192",
    )
    content = part10(made)
    options = (CONTENT, "clean-descriptors", "modified-dates", "device")
    once = deidentifier(*options).deidentify(content).content
    assert once is not None
    after = released(once, *options)
    assert b"Brandtner" not in once
    assert b"Marlene" not in once
    assert [one.get("TextValue", "") for one in after.ContentSequence][1:3] == [
        "REMOVED", "A nodule in the left lung",
    ]  # fmt: skip
    # The device stays known, by the row of its concept.
    assert after.ContentSequence[3].UID == "1.2.3.99.7777.9"
    codes = [one.CodeValue for one in after.DeidentificationMethodCodeSequence]
    assert "113104" in codes
    assert after == released(content, *options)


# Whatever a report is made of ---------------------------------------------------------------------
@st.composite
def trees(draw: st.DrawFn, depth: int = 0) -> Dataset:
    """Items with concepts of the table and others, whose values name Quixada, one in another."""
    concept, scheme, value_type, *_ = draw(st.sampled_from(LINES))
    if draw(st.booleans()):
        concept, scheme = "111111", draw(st.sampled_from(["DCM", "99WARD"]))
    made = item(value_type, code(concept, scheme, draw(st.sampled_from(["Of Quixada", "Size"]))))
    if value_type == "TEXT":
        made.TextValue = draw(st.sampled_from(["Quixada came", "QUIXADA", "a nodule of 8 mm"]))
    elif value_type == "PNAME":
        made.PersonName = "Quixada^Marlene"
    elif value_type == "UIDREF":
        made.UID = "1.2.3.4.1111"
    if depth < 3 and (below := draw(st.lists(trees(depth=depth + 1), max_size=3))):
        made.ContentSequence = Sequence(below)
    if depth and draw(st.booleans()):
        target = draw(st.lists(st.integers(1, 3), max_size=3))
        made.ReferencedContentItemIdentifier = [1, *target]
    return made


def targets(item: Dataset) -> list[tuple[int, ...]]:
    found = []
    for child in item.get("ContentSequence", ()):
        found += targets(child)
        if "ReferencedContentItemIdentifier" in child:
            value = child.ReferencedContentItemIdentifier
            found.append((value,) if isinstance(value, int) else tuple(value))
    return found


@settings(max_examples=150)
@given(
    st.lists(trees(), min_size=1, max_size=4),
    st.sets(st.sampled_from(sorted(set(Option) - {Option.FULL_DATES}))),
)
def test_nobody_is_left_in_any_report(items: list[Dataset], options: set[Option]) -> None:
    content = part10(report(*items))
    chosen = {CONTENT, *options}
    once = deidentifier(*chosen).deidentify(content).content
    if once is None:
        return
    assert b"quixada" not in once.lower()
    assert b"marlene" not in once.lower()
    after = dcmread(io.BytesIO(once))
    for path in targets(after):
        place = after
        for number in path[1:]:
            place = place.ContentSequence[number - 1]  # it is there
    assert deidentifier(*chosen).deidentify(once).content == once


def test_the_second_look_finds_text_that_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.rules.deidentification.content_items.action_on", lambda *_: None)
    monkeypatch.setattr("studies.rules.deidentification.clean._Walk._described", lambda *_: None)
    made = report(item("TEXT", TextValue="Walks with two sticks and a dog"))
    outcome = deidentifier(CONTENT).deidentify(part10(made))
    assert [one.value for one in outcome.doubts] == ["still-there"]
    assert "(0040,A160)" in outcome.left
