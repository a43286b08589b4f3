"""Sealed values can be found again, and only by who holds the index key."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.rules import blind_index
from vault.rules.blind_index import (
    date_labels,
    date_tokens,
    exact_token,
    index_key,
    label_token,
    normalised,
    prefix_query,
    prefix_tokens,
    range_cover,
)

ROOT = bytes(range(32))
KEY = index_key(ROOT, "7", "subject.name")
DAYS = st.dates(date(1890, 1, 1), date(2110, 12, 31))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("DOE^JANE", "doe^jane"),
        ("Doe^Jane^^^", "doe^jane"),
        ("  Doe^Jane ", "doe^jane"),
        ("Doe^Jane^ ^", "doe^jane"),
        ("Müller", "muller"),
        ("Mu\u0308ller", "muller"),
        ("STRASSE", "straße"),
        ("Ångström", "angstrom"),
        ("İstanbul", "istanbul"),
        ("\uff24\uff4f\uff45", "doe"),
        ("Ελένη", "ελενη"),
    ],
)
def test_case_accents_and_padding_do_not_count(typed: str, stored: str) -> None:
    assert exact_token(KEY, typed) == exact_token(KEY, stored)


def test_different_names_differ() -> None:
    names = ["doe^jane", "doe^jan", "doe jane", "^doe", "", "doe^jane^x"]
    assert len({exact_token(KEY, name) for name in names}) == len(names)


@settings(max_examples=400)
@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert normalised(f" {text}^ ^") == once


@given(st.text(max_size=30))
def test_every_beginning_up_to_16_characters_is_found(text: str) -> None:
    stored = prefix_tokens(KEY, text)
    folded = normalised(text)
    assert len(stored) == min(len(folded), 16)
    for end in range(1, len(folded) + 1):
        query = prefix_query(KEY, folded[:end])
        # A cut just behind a space or caret is trimmed, and finds the shorter beginning.
        assert query is None or query in stored


@given(st.text("abc^", min_size=1, max_size=12), st.text("abc^", min_size=1, max_size=12))
def test_only_beginnings_are_found(text: str, typed: str) -> None:
    query = prefix_query(KEY, typed)
    found = query is not None and query in prefix_tokens(KEY, text)
    beginning = normalised(typed)
    assert found == (bool(beginning) and normalised(text).startswith(beginning))


def test_an_empty_beginning_finds_nothing() -> None:
    assert prefix_query(KEY, " ^^ ") is None


def test_tokens_of_organisations_fields_and_uses_never_meet() -> None:
    keys = [
        index_key(ROOT, organisation, field)
        for organisation in ("7", "77")
        for field in ("subject.name", "7subject.name")
    ]
    keys.append(index_key(bytes(32), "7", "subject.name"))
    tokens = {exact_token(key, "doe") for key in keys}
    tokens |= {prefix_tokens(key, "doe")[2] for key in keys}
    tokens |= {label_token(key, "doe") for key in keys}
    assert len(tokens) == 3 * len(keys)
    assert {len(token) for token in tokens} == {16}


def test_stored_tokens_are_found_by_every_later_release() -> None:
    assert exact_token(KEY, "Doe^Jane").hex() == "aef818b5c9a6ee702eff883d5514f2df"
    assert prefix_tokens(KEY, "Doe")[1].hex() == "7fa89d516e414deb09143935d267d970"
    assert date_tokens(KEY, date(2024, 2, 29))[1].hex() == "6537721a730c2ad9b8641cd6e2dc9a95"


@cache
def days_of(label: str) -> list[date]:
    """The days a label stands for, counted out one by one from the calendar."""
    year = int(label[:4])
    day, days = date(year, 1, 1), []
    while day.year == year:
        if day.isoformat().startswith(label):
            days.append(day)
        if day == date(year, 12, 31):
            break
        day += timedelta(days=1)
    return days


@settings(max_examples=80, deadline=None)
@given(DAYS, st.integers(0, 1500))
def test_a_cover_holds_each_day_of_the_range_once_and_no_other(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    covered = [day for label in range_cover(start, end) for day in days_of(label)]
    assert covered == [start + timedelta(days=n) for n in range(length + 1)]


def fewest_labels(start: date, end: date) -> int:
    """Least number of labels by exhaustive dynamic programming over the days."""
    span = (end - start).days + 1
    inside = {start + timedelta(days=n) for n in range(span)}
    best = [0] * (span + 1)
    for n in range(span - 1, -1, -1):
        lengths = []
        for label in date_labels(start + timedelta(days=n)):
            days = days_of(label)
            if days[0] == start + timedelta(days=n) and inside.issuperset(days):
                lengths.append(len(days))
        best[n] = min(1 + best[n + length] for length in lengths)
    return best[0]


@settings(max_examples=15, deadline=None)
@given(DAYS, st.integers(0, 800))
def test_no_cover_has_fewer_labels(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    assert len(range_cover(start, end)) == fewest_labels(start, end)


@settings(max_examples=60)
@given(DAYS, DAYS, DAYS)
def test_a_day_is_found_by_exactly_the_ranges_that_hold_it(
    day: date, one: date, other: date
) -> None:
    start, end = sorted((one, other))
    wanted = {label_token(KEY, label) for label in range_cover(start, end)}
    assert len(wanted.intersection(date_tokens(KEY, day))) == (1 if start <= day <= end else 0)


def test_covers_reach_the_ends_of_the_calendar() -> None:
    assert range_cover(date(9999, 12, 30), date.max) == ["9999-12-30", "9999-12-31"]
    assert range_cover(date.min, date(1, 12, 31)) == ["0001"]
    assert len(range_cover(date.min, date.max)) == 9999
    assert range_cover(date(2024, 5, 2), date(2024, 5, 1)) == []


def test_leap_days_belong_to_their_month() -> None:
    assert range_cover(date(2024, 2, 1), date(2024, 2, 29)) == ["2024-02"]
    assert range_cover(date(2024, 2, 1), date(2024, 2, 28)) != ["2024-02"]
    assert range_cover(date(2023, 2, 1), date(2023, 2, 28)) == ["2023-02"]


def test_the_index_never_holds_the_words_themselves() -> None:
    tokens = [exact_token(KEY, "doe"), *prefix_tokens(KEY, "doe"), *date_tokens(KEY, date.min)]
    assert not any(b"doe" in token or b"0001" in token for token in tokens)
    assert blind_index.TOKEN_BYTES == 16
