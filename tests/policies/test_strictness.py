"""Where two organisations meet, the stricter value counts (clauses §4, rule 2)."""

from __future__ import annotations

import pytest
from hypothesis import given

from policies.rules.schema import CROSSING, KEY
from policies.rules.strictness import (
    Terms,
    is_at_least_as_strict,
    stricter_of,
    terms_of,
    weaker_keys,
)
from policies.selectors import shipped_packs
from tests.policies.strategies import terms


@given(terms(), terms())
def test_it_is_the_same_whichever_side_comes_first(one: Terms, other: Terms) -> None:
    assert stricter_of(one, other).values == stricter_of(other, one).values


@given(terms(), terms(), terms())
def test_three_meet_as_two_and_one_do(one: Terms, two: Terms, three: Terms) -> None:
    left = stricter_of(stricter_of(one, two), three)
    assert left.values == stricter_of(one, stricter_of(two, three)).values
    assert left.values == stricter_of(one, two, three).values


@given(terms())
def test_meeting_oneself_changes_nothing(one: Terms) -> None:
    assert stricter_of(one, one).values == one.values


@given(terms(), terms())
def test_the_result_is_never_weaker_than_either(one: Terms, other: Terms) -> None:
    both = stricter_of(one, other)
    for side in (one, other):
        assert is_at_least_as_strict(both, side)
        assert weaker_keys(both, side) == ()


@given(terms(), terms())
def test_the_result_takes_every_value_from_one_side_or_from_between(
    one: Terms, other: Terms
) -> None:
    """Not stricter than needed: where both agree, that is what counts."""
    both = stricter_of(one, other)
    for key in CROSSING:
        if one.values[key.path] == other.values[key.path]:
            assert both.values[key.path] == one.values[key.path]


def of(code: str) -> Terms:
    return terms_of(shipped_packs()[code])


@pytest.mark.parametrize(
    ("path", "one", "other", "expected"),
    [
        ("consent.share_days_at_most", "image-exchange", "image-share", 180),
        ("consent.disclosure_level", "image-exchange", "image-share", "express-authenticated"),
        ("consent.disclosure_level", "veterinary-teleradiology", "image-share", "documented"),
        ("notice.min_days", "image-exchange", "surgical-planning", 7),
        ("breach.threshold", "surgical-planning", "image-share", "may-have"),
        ("breach.internal_hours", "surgical-planning", "image-share", 48),
        ("secondary.ai_training", "radiology-information-system", "image-share", "off"),
        ("session.idle_minutes", "veterinary-teleradiology", "radiology-information-system", 15),
        ("deid.min_group_size", "image-exchange", "image-share", 20),
        ("auth.factors", "radiology-information-system", "image-share", ("totp", "passkey")),
        ("transfers.mechanisms", "veterinary-teleradiology", "image-share", ()),
        ("fees.charged", "image-exchange", "image-share", "none"),
    ],
)
def test_shipped_policies_meet(path: str, one: str, other: str, expected: object) -> None:
    assert stricter_of(of(one), of(other))[path] == expected


def test_only_purposes_that_both_list_remain_with_what_both_allow() -> None:
    both = stricter_of(of("image-exchange"), of("veterinary-teleradiology"))
    assert both.may_share_for("second-opinion")
    assert both.lists("second-opinion", "images")
    # The first keeps images in order under "operations"; the second does not list them for it.
    assert of("image-exchange").lists("operations", "images")
    assert not both.lists("operations", "images")
    assert not both.may_share_for("care-coordination")


@given(terms(), terms())
def test_ages_and_bases_are_the_stricter_in_every_place(one: Terms, other: Terms) -> None:
    both = stricter_of(one, other)
    for path in ("account.min_age", "marketing.basis"):
        kind = KEY[path].kind.of  # type: ignore[attr-defined]
        for place in ("US", "DE", "GB", "nowhere"):
            mine, theirs, ours = (
                side[path].get(place, side[path]["default"]) for side in (one, other, both)
            )
            assert ours == kind.join(mine, theirs)
