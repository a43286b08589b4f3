"""The pure rules: what a payload may hold, how long to wait, how far it is."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules import payload, states
from jobs.rules.kinds import job_kind, schedule_job


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        None,
        "",
        "1.2.840.10008.5.1.4.1.1.2",
        "a4b5c6d7-0000-7000-8000-000000000000",
        "vault.rewrap",
        "CT",
        "DERIVED",
        ["CT", "MR"],
        {"count": 3},
        "f" * 64,
    ],
)
def test_ids_codes_and_counts_pass(value: object) -> None:
    assert payload.offending_keys({"item": value}) == []


@pytest.mark.parametrize(
    "value",
    [
        "Roe^Jane",
        "Jane",
        "jane roe",
        "jane@hospital.example",
        "19800131",
        "1980-01-31",
        1.5,
        b"bytes",
        2**53,
        ["jane roe"],
        [["nested"]],
        {"nested": "Jane Roe"},
        "x" * 129,
        "two\nlines",
        object(),
    ],
)
def test_names_dates_of_birth_addresses_and_free_text_do_not_pass(value: object) -> None:
    assert payload.offending_keys({"item": value})


@pytest.mark.parametrize("key", ["name", "patient_name", "dob", "Item", "a b", "", "note", 3])
def test_keys_that_announce_personal_values_do_not_pass(key: str) -> None:
    assert payload.offending_keys({key: 1})


def test_a_day_passes_only_under_a_key_that_says_it_is_a_deadline() -> None:
    assert payload.offending_keys({"keep_until": "2031-01-01", "due_on": "2031-01-01"}) == []
    assert payload.offending_keys({"value": "2031-01-01"}) == ["value"]


def test_uuids_and_days_become_text() -> None:
    one = UUID(int=1)
    assert payload.as_plain({"ids": {one}, "n": 1}) == {"ids": [str(one)], "n": 1}


@given(st.text(max_size=40).filter(lambda text: any(char.isspace() for char in text)))
def test_nothing_with_a_space_is_a_code(text: str) -> None:
    assert not payload.is_code(text)


@given(st.integers(-3, 200), st.floats(0, 1))
def test_the_wait_never_leaves_its_bounds(attempts: int, fraction: float) -> None:
    delay = states.retry_delay(attempts, fraction)
    assert states.FIRST_DELAY / 2 <= delay <= states.LONGEST_DELAY


@given(st.integers(1, 30), st.floats(0, 1))
def test_the_wait_does_not_shrink_with_attempts(attempts: int, fraction: float) -> None:
    assert states.retry_delay(attempts, fraction) <= states.retry_delay(attempts + 1, fraction)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_progress_stays_between_nothing_and_all(done: int, total: int) -> None:
    assert 0 <= states.per_cent(done, total) <= 100


def test_two_functions_cannot_run_one_kind() -> None:
    job_kind("test.rules")(test_uuids_and_days_become_text)
    with pytest.raises(ValueError, match="two functions"):
        job_kind("test.rules")(test_two_functions_cannot_run_one_kind)


def test_a_schedule_without_a_period_is_refused() -> None:
    with pytest.raises(ValueError, match="period"):
        schedule_job("never", kind="test.rules", every=timedelta(0))
