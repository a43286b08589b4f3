"""What objects say becomes a label only by way of a fixed vocabulary (LIFEIMAGE-9.2)."""

from __future__ import annotations

import pytest

from releases.rules.aggregates.reading import (
    age_of,
    body_part_of,
    facts_of,
    modality_of,
    sex_of,
    species_of,
    year_of,
)
from releases.rules.aggregates.scan import OutputRefused, identifying, must_not_identify
from releases.rules.aggregates.vocabulary import VOCABULARY, Dimension, Facts, LabelRefused


@pytest.mark.parametrize("dimension", list(Dimension))
def test_no_label_of_a_vocabulary_identifies(dimension: Dimension) -> None:
    for label in VOCABULARY[dimension].values():
        assert identifying(label) == []


@pytest.mark.parametrize(
    ("read", "raw", "code"),
    [
        (sex_of, "F", "female"), (sex_of, "", "not-stated"), (sex_of, "O ", "other"),
        (age_of, "045Y", "40"), (age_of, "006M", "0"), (age_of, "013M", "0"),
        (age_of, "090Y", "90"),
        (age_of, "103Y", "90"), (age_of, "089Y", "80"), (age_of, "", "not-stated"),
        (age_of, "200M", "10"), (age_of, "010D", "0"),
        (species_of, "", "human"), (species_of, "Canis lupus familiaris", "dog"),
        (species_of, "Feline", "cat"), (species_of, "Rabbit", "other"),
        (modality_of, "CT", "CT"), (modality_of, "DX", "XR"), (modality_of, "ECG", "other"),
        (body_part_of, "CHEST", "chest"), (body_part_of, "WHOLE BODY", "whole-body"),
        (body_part_of, "PHANTOM", "other"), (body_part_of, "", "not-stated"),
        (year_of, "20240229", "2024"), (year_of, "19700101", "before"),
        (year_of, "20991231", "after"),
        (year_of, "", "not-stated"),
    ],
)  # fmt: skip
def test_what_objects_say_is_read_into_vocabularies(read: object, raw: object, code: str) -> None:
    assert callable(read) and read(raw) == code


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ({"body_part": "jo@clinic.example"}, "an e-mail address"),
        ({"body_part": "KNEE 778812"}, "a long number"),
        ({"body_part": "Knee of Mrs Roth"}, "no code of DICOM"),
        ({"species": "Dog of 0301 555-0142"}, "a telephone number"),
        ({"modality": "CT 12.03.1962"}, "a date"),
        ({"sex": "Marlene"}, "no code of DICOM"),
        ({"age": "born 1942"}, "no code of DICOM"),
        ({"study_date": "in 1942"}, "no code of DICOM"),
    ],
)
def test_a_text_that_identifies_stops_the_count_and_is_not_repeated(
    said: dict[str, str], holds: str
) -> None:
    """LIFEIMAGE-9.2."""
    with pytest.raises(LabelRefused, match=holds) as refused:
        facts_of([{"sex": "F"}, said], dates_are_true=True)
    for word in ("jo@", "778812", "Roth", "0142", "1962", "Marlene", "1942"):
        assert word not in str(refused.value)


def test_facts_are_of_the_vocabularies_alone() -> None:
    with pytest.raises(LabelRefused, match="Body part"):
        Facts(body_part="jo@clinic.example")


FIRST = [
    {"sex": "F", "age": "059Y", "modality": "CT", "body_part": "HEAD", "study_date": "20230501"},
    {"sex": "F", "age": "059Y", "modality": "SR", "body_part": "HEAD", "study_date": "20230501"},
]
SECOND = {"sex": "F", "age": "061Y", "modality": "US", "study_date": "20250110"}


def test_everybody_stands_in_one_place_of_each_dimension() -> None:
    once = facts_of(FIRST, dates_are_true=True)
    assert once == Facts("female", "50", "human", "CT", "head", "2023")
    both = facts_of([*FIRST, SECOND], dates_are_true=True)
    assert both == Facts("female", "50", "human", "several", "head", "several")


def test_dates_that_were_moved_tell_no_year() -> None:
    assert facts_of(FIRST, dates_are_true=False).year == "not-stated"


def test_who_says_nothing_is_a_human_of_whom_nothing_is_stated() -> None:
    assert facts_of([{"modality": "SR"}], dates_are_true=True) == Facts()


# The last look -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("jo.roth@clinic.example", "an e-mail address"),
        ("jo @ clinic", "an e-mail address"),
        ("+1 410 555 0142", "a telephone number"),
        ("(0301) 555-0142", "a telephone number"),
        ("HVH-778812", "a long number"),
        ("1942-03-17", "a date"), ("17.3.42", "a date"), ("17 March 1942", "a date"),
        ("Mar 17, 1942", "a date"), ("19420317", "a date"),
        ("www.clinic.example", "a web address"),
    ],
)  # fmt: skip
def test_the_last_look_finds_what_reaches_somebody(text: str, finds: str) -> None:
    assert finds in identifying(f"Chest, {text}, 40")
    with pytest.raises(OutputRefused, match=finds) as refused:
        must_not_identify(text)
    assert text not in str(refused.value)


def test_counts_are_no_identifiers_but_hide_none() -> None:
    assert identifying("Chest, 12345, 400", counts=[12345, 400]) == []
    assert identifying("Chest, 12345, 400", counts=[400]) == ["a long number"]
    assert identifying("HVH-12345", counts=[12345]) == ["a long number"]
    assert identifying("912345", counts=[12345]) == ["a long number"]
