"""Keyed hashes by which sealed attributes are found (vault.rules.blind_index)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from uuid import UUID

from studies.rules.qido import words_of
from vault.rules.blind_index import (
    date_tokens,
    exact_token,
    label_token,
    prefix_query,
    prefix_tokens,
    range_cover,
)
from vault.services.data_keys import open_index_key


@lru_cache(maxsize=1024)
def _index_key(organisation_id: UUID, field: str) -> bytes:
    # It never changes for as long as the organisation exists, and it opens nothing.
    return open_index_key(organisation_id=organisation_id, field_name=field)


def token(organisation_id: UUID, field: str, text: str) -> bytes:
    """The token of one whole value: patient_id, accession, study_id."""
    return exact_token(_index_key(organisation_id, f"study.{field}"), text)


def token_or_none(organisation_id: UUID, field: str, text: str) -> bytes | None:
    return token(organisation_id, field, text) if text.strip() else None


@dataclass(frozen=True, slots=True)
class DateTokens:
    year: bytes | None = None
    month: bytes | None = None
    day: bytes | None = None


def tokens_of_date(organisation_id: UUID, day: date | None) -> DateTokens:
    if day is None:
        return DateTokens()
    return DateTokens(*date_tokens(_index_key(organisation_id, "study.date"), day))


def tokens_of_range(organisation_id: UUID, start: date, end: date) -> dict[str, list[bytes]]:
    """Tokens that cover an inclusive range of days, by the column they are looked for in."""
    key = _index_key(organisation_id, "study.date")
    found: dict[str, list[bytes]] = {"year": [], "month": [], "day": []}
    for label in range_cover(start, end):
        found[{4: "year", 7: "month", 10: "day"}[len(label)]].append(label_token(key, label))
    return found


def day_of_tokens(
    organisation_id: UUID, year_token: bytes | None, day_token: bytes | None
) -> date | None:
    """Read a day back from its hashes: by its year, and then by all days of that.

    Whoever has the index key can; so nothing is opened to know when an examination was. None where
    no day is given, or none that is likely.
    """
    if year_token is None or day_token is None:
        return None
    year = _years(organisation_id).get(bytes(year_token))
    return _days(organisation_id, year).get(bytes(day_token)) if year else None


@lru_cache(maxsize=64)
def _years(organisation_id: UUID) -> dict[bytes, int]:
    key = _index_key(organisation_id, "study.date")
    return {label_token(key, str(year)): year for year in range(1850, 2200)}


@lru_cache(maxsize=1024)
def _days(organisation_id: UUID, year: int) -> dict[bytes, date]:
    key, first = _index_key(organisation_id, "study.date"), date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range(366))
    return {label_token(key, day.isoformat()): day for day in days if day.year == year}


def tokens_of_names(organisation_id: UUID, names: Iterable[str]) -> list[bytes]:
    """Tokens of the first characters of each name, of each of its parts and of each word."""
    key = _index_key(organisation_id, "study.name")
    texts = {
        part for name in names for part in (name, *name.split("^"), *words_of(name)) if part.strip()
    }
    return list(dict.fromkeys(one for text in sorted(texts) for one in prefix_tokens(key, text)))


def token_of_name_start(organisation_id: UUID, beginning: str) -> bytes | None:
    return prefix_query(_index_key(organisation_id, "study.name"), beginning)


def tokens_of_whole_names(organisation_id: UUID, names: Iterable[str]) -> list[bytes]:
    """Tokens of the first characters of whole names and of nothing else.

    By them the database alone can say whose name begins so; by the others it can only guess.
    """
    key = _index_key(organisation_id, "study.whole_name")
    return list(dict.fromkeys(one for name in names for one in prefix_tokens(key, name)))


def token_of_whole_name_start(organisation_id: UUID, beginning: str) -> bytes | None:
    return prefix_query(_index_key(organisation_id, "study.whole_name"), beginning)


def content_key(organisation_id: UUID) -> bytes:
    """The key of the hash that tells the same bytes from other ones."""
    return _index_key(organisation_id, "instance.content")
