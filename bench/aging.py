"""Fill PostgreSQL with the studies of many years, for plans: rows by COPY, and no files.

What a plan opens is sealed as the intake seals it: each study under a key of its own with its
date and the birth date, each person under theirs. Search hashes are those of the intake too.
"""

from __future__ import annotations

import io
import json
import os
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

BATCH = 20_000
STUDIES_OF_ONE = 4
MODALITIES = ("CT", "CT", "MR", "US", "DX", "DX", "XA", "MG")


@dataclass(frozen=True)
class Years:
    """Examinations over so many years until today."""

    until: date
    years: int

    def day(self, chance: random.Random) -> date:
        return self.until - timedelta(days=chance.randrange(1, int(self.years * 365.25)))


def fill(organisation_id: uuid.UUID, studies: int, years: Years) -> None:
    """Add studies in batches, four of each person."""
    for start in range(0, studies, BATCH):
        _fill_batch(organisation_id, start, min(start + BATCH, studies), years)


def _fill_batch(organisation_id: uuid.UUID, begin: int, end: int, years: Years) -> None:
    from django.db import transaction

    from vault.services.organisation_keys import current_organisation_key

    chance = random.Random(begin)
    with transaction.atomic(using="keys"):
        under = current_organisation_key(organisation_id=str(organisation_id))
        keys: list[list[Any]] = []
        subjects, rows = [], []
        for at in range(begin, end, STUDIES_OF_ONE):
            born = date(1930, 1, 1) + timedelta(days=chance.randrange(90 * 365))
            subject = uuid.uuid4()
            subjects.append(_subject(organisation_id, subject, at, born, under, keys))
            rows += [
                _study(
                    organisation_id, subject, number, years.day(chance), born, chance, under, keys
                )
                for number in range(at, min(at + STUDIES_OF_ONE, end))
            ]
        _copy("keys", "vault_datakey", _KEY, keys)
    with transaction.atomic():
        _copy("default", "consent_datasubject", _SUBJECT, subjects)
        _copy("default", "studies_study", _STUDY, rows)


# Rows --------------------------------------------------------------------------------------------
_KEY = ("id", "kind", "organisation_id", "epoch", "wrapped", "created_at", "destroyed_at")
_SUBJECT = (
    "id", "organisation_id", "kind", "key_id", "sealed_record", "identifier_token", "created_at",
)  # fmt: skip
_STUDY = (
    "organisation_id", "uid", "subject_id", "key_id", "sealed_summary", "patient_id_token",
    "identifier_token", "day_token", "month_token", "year_token", "modalities", "is_anonymous",
    "doubts", "series_count", "instance_count", "held_count", "bytes", "created_at", "changed_at",
)  # fmt: skip


def _now() -> str:
    from django.utils import timezone

    return timezone.now().isoformat()


def _key(kind: str, under: Any, keys: list[list[Any]]) -> tuple[uuid.UUID, bytes]:
    from vault.rules.key_wrap import data_key_context, new_key, wrap_key

    identity, key = uuid.uuid4(), new_key()
    context = data_key_context(under.organisation_id, identity, kind, under.epoch)
    wrapped = wrap_key(key, under=under.key, context=context)
    keys.append([identity, kind, under.organisation_id, under.epoch, wrapped, _now(), None])
    return identity, key


def _subject(
    owner: uuid.UUID, subject: uuid.UUID, number: int, born: date, under: Any, keys: list[list[Any]]
) -> list[Any]:
    from consent.selectors import subject_context
    from vault.rules.sealed_field import FieldSealer

    key_id, key = _key("subject", under, keys)
    record = {
        "name": f"ADLER{number}^ANNA", "identifier": f"P{number:08d}",
        "birth_date": f"{born:%Y%m%d}", "sex": "F",
    }  # fmt: skip
    sealed = FieldSealer(key).seal(json.dumps(record).encode(), subject_context(subject))
    return [subject, owner, "person", key_id, sealed, uuid.uuid4().bytes, _now()]


def _study(
    owner: uuid.UUID, subject: uuid.UUID, number: int, day: date, born: date,
    chance: random.Random, under: Any, keys: list[list[Any]],
) -> list[Any]:  # fmt: skip
    import orjson

    from studies.sealing import study_context
    from vault.rules.sealed_field import FieldSealer

    key_id, key = _key("study", under, keys)
    uid = f"1.2.826.0.1.3680043.10.1999.8.{number}"
    received = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    summary = orjson.dumps(
        {
            "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
            "00080020": {"vr": "DA", "Value": [f"{day:%Y%m%d}"]},
            "00080030": {"vr": "TM", "Value": ["101500"]},
            "00080050": {"vr": "SH", "Value": [f"A{number:08d}"]},
            "00081030": {"vr": "LO", "Value": ["Chest, without contrast"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": f"ADLER{number}^ANNA"}]},
            "00100020": {"vr": "LO", "Value": [f"P{number:08d}"]},
            "00100030": {"vr": "DA", "Value": [f"{born:%Y%m%d}"]},
            "00100040": {"vr": "CS", "Value": ["F"]},
            "0020000D": {"vr": "UI", "Value": [uid]},
        }
    )
    sealed = FieldSealer(key).seal(summary, study_context(owner, uid))
    days = _day_tokens(owner, day)
    return [
        owner, uid, subject, key_id, sealed, os.urandom(16), os.urandom(16), days.day, days.month,
        days.year, f"\\{chance.choice(MODALITIES)}\\", False, "[]", 1, 10, 0, 5_000_000,
        received.isoformat(), received.isoformat(),
    ]  # fmt: skip


@lru_cache(maxsize=100_000)
def _day_tokens(owner: uuid.UUID, day: date) -> Any:
    from studies import index

    return index.tokens_of_date(owner, day)


# COPY --------------------------------------------------------------------------------------------
def _copy(alias: str, table: str, columns: Iterable[str], rows: Iterable[list[Any]]) -> None:
    from django.db import connections

    text = io.StringIO("".join(_lines(rows)))
    with connections[alias].cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", text)


def _lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    for row in rows:
        yield "\t".join(map(_field, row)) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\")
