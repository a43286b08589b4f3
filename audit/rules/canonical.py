"""Write values as canonical JSON (RFC 8785, the part without fractions).

The bytes of an event are hashed, so one value has one spelling. Fractions are refused
rather than rounded: an event has no need of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# RFC 8785, 3.2.2.3: numbers are IEEE 754 doubles; beyond this whole ones are no longer exact.
LARGEST_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """Raised for a value that has no canonical spelling here."""


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a value, in UTF-8.

    Takes None, booleans, integers within 2**53, strings, lists, and mappings with
    string keys. Raises NotCanonical for anything else.
    """
    try:
        return json.dumps(
            _ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("a string holds half of a surrogate pair") from error


def _ordered(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int() if abs(value) <= LARGEST_INTEGER:
            return value
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise NotCanonical("a key is not a string")
            return {key: _ordered(value[key]) for key in sorted(value, key=_utf16)}
        case Sequence() if not isinstance(value, (bytes, bytearray)):
            return [_ordered(one) for one in value]
    raise NotCanonical(f"a value of type {type(value).__name__} has no canonical spelling")


def _utf16(key: str) -> bytes:
    """Sort as RFC 8785, 3.2.3 says: by UTF-16 code units, not by code points."""
    return key.encode("utf-16-be", "surrogatepass")


def canonical_time(at: datetime) -> str:
    """Write a moment in UTC with exactly six decimals (RFC 3339)."""
    if at.tzinfo is None:
        raise NotCanonical("a moment without a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
