"""JSON is taken if every reader reads the same in it, and refused otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.api import MOST_JSON, read_strictly

ODD = {
    "nothing": b"",
    "a name twice": b'{"a":1,"a":2}',
    "a name twice within": b'[{"b":{"a":1,"a":2}}]',
    "no number": b'{"a":NaN}',
    "no end": b"[-Infinity]",
    "too large": b"[1e400]",
    "more digits than can be": b"[" + b"9" * 4400 + b"]",
    "NUL": b'{"a":"x\\u0000"}',
    "NUL in a name": b'{"x\\u0000":1}',
    "half a letter": b'["\\ud800"]',
    "another encoding": "{}".encode("utf-16"),
    "a mark in front": b"\xef\xbb\xbf{}",
    "something behind": b"{} {}",
    "depth": b"[" * 30_000 + b"]" * 30_000,
    "length": b'"' + b"x" * MOST_JSON + b'"',
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_json_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        read_strictly(ODD[name])


@given(VALUES)
def test_plain_json_is_read_as_it_was_written(value: object) -> None:
    import json

    assert read_strictly(json.dumps(value).encode()) == value
