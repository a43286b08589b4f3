"""Checks and limits of accounts, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import (
    PUBLIC_COMPUTER_LIMITS,
    ROLE_CAPABILITIES,
    SESSION_LIMITS,
    STEP_UP_LASTS,
    Actor,
    Capability,
    Role,
    is_valid_npi,
    session_expired,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("npi", ["1234567893", "1245319599"])
def test_a_true_npi_passes(npi: str) -> None:
    assert is_valid_npi(npi)


@pytest.mark.parametrize(
    "npi", ["1234567890", "123456789", "12345678933", "123456789a", "", "١٢٣٤٥٦٧٨٩٣"]
)
def test_a_false_npi_is_refused(npi: str) -> None:
    assert not is_valid_npi(npi)


@given(st.integers(0, 9), st.integers(0, 9))
def test_one_wrong_digit_is_always_found(position: int, digit: int) -> None:
    true = "1234567893"
    changed = true[:position] + str(digit) + true[position + 1 :]
    assert is_valid_npi(changed) == (changed == true)


@pytest.mark.parametrize("limits", [SESSION_LIMITS, PUBLIC_COMPUTER_LIMITS])
def test_a_session_ends_unused_and_ends_at_last(limits: object) -> None:
    idle, absolute = limits.idle, limits.absolute  # type: ignore[attr-defined]
    second = timedelta(seconds=1)
    assert not session_expired(
        limits=limits, now=NOW, started_at=NOW - absolute, seen_at=NOW - idle
    )
    assert session_expired(limits=limits, now=NOW, started_at=NOW, seen_at=NOW - idle - second)
    assert session_expired(limits=limits, now=NOW, started_at=NOW - absolute - second, seen_at=NOW)


def test_a_shared_computer_forgets_sooner() -> None:
    assert PUBLIC_COMPUTER_LIMITS.idle < SESSION_LIMITS.idle
    assert PUBLIC_COMPUTER_LIMITS.absolute < SESSION_LIMITS.absolute


def test_a_proof_is_fresh_for_five_minutes_and_not_from_the_future() -> None:
    def proved(at: datetime | None) -> Actor:
        return Actor(user_id=1, name="Clara", stepped_up_at=at)

    assert proved(NOW - STEP_UP_LASTS).is_fresh(NOW)
    assert not proved(NOW - STEP_UP_LASTS - timedelta(seconds=1)).is_fresh(NOW)
    assert not proved(NOW + timedelta(seconds=1)).is_fresh(NOW)
    assert not proved(None).is_fresh(NOW)


def test_only_clinicians_look_at_images() -> None:
    who = {role for role in Role if Capability.VIEW_IMAGES in ROLE_CAPABILITIES[role]}
    assert who == {Role.CLINICIAN}
