"""Whom a study is about: two sayings are compared, never merged."""

from __future__ import annotations

import pytest

from consent.rules.identity import Identity, doubts, readable_name

ADLER = Identity(name="Adler^Paula", identifier="7", birth_date="19800101", sex="F")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Identity(name="ADLER^PAULA^^^", identifier="7", birth_date="19800101", sex="F"), ()),
        (Identity(name="Àdler^Paula", identifier="7"), ()),
        (Identity(identifier="7"), ()),
        (Identity(name="Weber^Max", identifier="7"), ("name",)),
        (Identity(name="Adler^Paula", birth_date="19800102"), ("birth-date",)),
        (Identity(name="Adler^Paula", sex="M"), ("sex",)),
        (Identity(name="Adler^Paula", sex="O"), ()),
        (Identity(name="Adler^Paula", species="Canine"), ("kind",)),
    ],
)
def test_a_doubt_is_raised_where_two_sayings_cannot_be_one(
    said: Identity, expected: tuple[str, ...]
) -> None:
    assert doubts(ADLER, said) == expected


def test_issuer_and_identifier_are_told_apart() -> None:
    assert Identity(issuer="A", identifier="BC").key != Identity(issuer="AB", identifier="C").key


def test_a_record_survives_its_sealing() -> None:
    assert Identity.from_json(ADLER.to_json()) == ADLER


@pytest.mark.parametrize(
    ("dicom", "words"),
    [
        ("Adler^Paula", "Adler, Paula"),
        ("Adler^Paula^Maria^Dr.^MD", "Adler, Dr. Paula Maria MD"),
        ("Rex", "Rex"),
        ("", ""),
        ("^^^^", ""),
    ],
)
def test_names_are_shown_as_people_write_them(dicom: str, words: str) -> None:
    assert readable_name(dicom) == words
