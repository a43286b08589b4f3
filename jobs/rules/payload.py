"""Tell values that are ids, codes or counts from values that may say something of a person.

Payloads of jobs and details of audit events live long and are read widely; they hold
ids, codes and counts only. A shape cannot prove innocence, but it stops names with
spaces, free text, addresses of mail, and dates of birth before they are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

MAX_ITEMS = 1000
LARGEST_INTEGER = 2**53 - 1

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Words of a key that announce what must not be here, whatever the value looks like.
_PERSONAL_KEY = re.compile(
    r"(^|_)(name|names|surname|birth|birthdate|dob|email|mail|phone|street|postcode|mrn|text"
    r"|comment|note|diagnosis|password|secret|token)($|_)"
)
_CODE = re.compile(
    r"[a-z0-9][a-z0-9_.:/@+-]{0,127}"  # codes, uuids, UIDs, digests, kinds such as vault.rewrap
    r"|[A-Z][A-Z0-9_]{0,31}"  # code strings of DICOM (CS): CT, DERIVED
)
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|\+00:00)")
_DATED_KEY = re.compile(r"(^|_)(on|at|until|before|after|since)$")
_MAIL = re.compile(r"@[^.]+\.")


def offending_keys(values: Mapping[str, Any]) -> list[str]:
    """Return the dotted keys whose name or value is not an id, a code or a count."""
    return list(_offences(values, ""))


def _offences(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    if len(values) > MAX_ITEMS:
        yield prefix or "(too many keys)"
        return
    for key, value in values.items():
        path = f"{prefix}{key}"
        if not isinstance(key, str) or not _KEY.fullmatch(key) or _PERSONAL_KEY.search(key):
            yield path
        elif isinstance(value, Mapping):
            yield from _offences(value, f"{path}.")
        elif not _is_plain(key, value):
            yield path


def _is_plain(key: str, value: Any) -> bool:
    match value:
        case None | bool():
            return True
        case int():
            return abs(value) <= LARGEST_INTEGER
        case str():
            return is_code(value) or (bool(_DATED_KEY.search(key)) and _is_moment(value))
        case Sequence() if not isinstance(value, (bytes, bytearray)):
            return len(value) <= MAX_ITEMS and all(
                not isinstance(one, (Mapping, list, tuple)) and _is_plain(key, one) for one in value
            )
    return False


def _is_moment(value: str) -> bool:
    return bool(_DAY.fullmatch(value) or _MOMENT.fullmatch(value))


def is_code(value: str) -> bool:
    """Say whether a string has the shape of an id or a code; an eight-digit date has not."""
    if value == "":
        return True
    return bool(_CODE.fullmatch(value)) and not (_DAY.fullmatch(value) or _MAIL.search(value))


def as_plain(value: Any) -> Any:
    """Return UUIDs, days and moments as strings, and everything else as it is, in depth."""
    match value:
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {key: as_plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_plain(one) for one in value]
    return value
