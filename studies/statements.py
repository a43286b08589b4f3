"""The few statements that every request for pixels runs, written out.

Putting a query together costs the object mapper several times what the database takes to answer
it. What comes back are ordinary rows, with the columns that reading needs; others load on use.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from studies.models import Blob, Instance, Study

_STUDY: Final = ("id", "organisation_id", "uid", "subject_id", "instance_count", "held_count")
_INSTANCE: Final = (
    "id", "study_id", "series_id", "organisation_id", "uid", "sop_class_uid",
    "transfer_syntax_uid", "frames", "rows", "columns", "blob_id", "offset", "length", "layout",
    "created_at",
)  # fmt: skip
_BLOB: Final = ("id", "name", "key_id")


def _columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f'{alias}."{name}"' for name in names)


# Made of the names above and of nothing that anybody sends.
_STUDY_SQL: Final = f"""
    SELECT {_columns("t", _STUDY)} FROM studies_study t
    WHERE t.organisation_id = %s AND t.uid = %s AND (t.instance_count > 0 OR t.held_count > 0)
"""  # noqa: S608
_INSTANCE_SQL: Final = f"""
    SELECT {_columns("i", _INSTANCE)}, {_columns("b", _BLOB)}
    FROM studies_instance i
    JOIN studies_series s ON s.id = i.series_id
    JOIN studies_blob b ON b.id = i.blob_id
    WHERE i.organisation_id = %s AND i.uid = %s AND i.study_id = %s AND s.uid = %s AND NOT i.held
"""  # noqa: S608


def own_study(organisation_id: UUID, uid: str) -> Study | None:
    """Return a study that the organisation itself holds."""
    row = _one(_STUDY_SQL, [_identity(organisation_id), uid])
    if row is None:
        return None
    values = list(row)
    values[1], values[3] = _as_uuid(values[1]), _as_uuid(values[3])
    return Study.from_db(connection.alias, _STUDY, values)


def shown_instance(study: Study, series_uid: str, instance_uid: str) -> Instance | None:
    """Return one object of a study, with its blob, unless it is held."""
    row = _one(
        _INSTANCE_SQL, [_identity(study.organisation_id), instance_uid, study.pk, series_uid]
    )
    if row is None:
        return None
    values, blob = list(row[: len(_INSTANCE)]), list(row[len(_INSTANCE) :])
    values[3], blob[2] = _as_uuid(values[3]), _as_uuid(blob[2])
    values[-1] = _as_moment(values[-1])
    found = Instance.from_db(connection.alias, _INSTANCE, values)
    found.blob = Blob.from_db(connection.alias, _BLOB, blob)
    return found


def _one(sql: str, parameters: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def _identity(value: UUID) -> UUID | str:
    """SQLite keeps identifiers as 32 digits."""
    return value if connection.features.has_native_uuid_field else value.hex


def _as_uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _as_moment(value: Any) -> datetime:
    """SQLite keeps moments without a zone, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
