"""Statements that are not put together anew, for the paths where that is what takes the time.

Putting a query together costs the object mapper several times what the database takes to answer
it. Rows go in and come out as ordinary objects of their models; how a value is written in each
database is asked of Django, once for each column. Imports no app.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

Row = TypeVar("Row", bound=models.Model)
# SQLite takes at most 32,766 values in one statement.
_ROWS_AT_ONCE = 500


def fetch(
    model: type[Row],
    columns: tuple[str, ...],
    rest: str,
    values: Sequence[Any],
    *,
    using: str = "default",
) -> list[Row]:
    """Return the rows of `model`, as `t`, that `rest` (joins, conditions) leaves.

    `rest` is never made of anything that anybody sends. Columns that are not named load on use.
    """
    connection = connections[using]
    select, names, convert = _select(model, columns, using)
    with connection.cursor() as cursor:
        cursor.execute(select + rest, [adapted(one, connection) for one in values])
        found = cursor.fetchall()
    return [
        model.from_db(using, names, [one(value) for one, value in zip(convert, row, strict=True)])
        for row in found
    ]


def places(count: int) -> str:
    """Places for so many values, to stand in an IN (...)."""
    return ", ".join(["%s"] * count)


def adapted(value: Any, connection: BaseDatabaseWrapper) -> Any:
    """Write a value as the database keeps it: SQLite has no type for identifiers and moments."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def insert(rows: Sequence[Row], *, using: str = "default") -> None:
    """Insert new rows of one model; where the database makes the primary key, they get it."""
    connection = connections[using]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        fields, head, made = _insert(type(some[0]))
        values = [
            field.get_db_prep_save(field.pre_save(row, True), connection)
            for row in some
            for field in fields
        ]
        with connection.cursor() as cursor:
            group = f"({places(len(fields))})"
            cursor.execute(f"{head} {', '.join([group] * len(some))} RETURNING {made}", values)
            keys = cursor.fetchall()
        for row, (key,) in zip(some, keys, strict=True):
            if row.pk is None:
                row.pk = key
            row._state.adding, row._state.db = False, using


def update(row: models.Model, names: Sequence[str], *, using: str = "default") -> None:
    """Write these attributes of a row that is there."""
    connection, meta = connections[using], row._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    setting = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        # Names of our own columns, and nothing else.
        cursor.execute(
            f'UPDATE "{meta.db_table}" SET {setting} WHERE "{meta.pk.column}" = %s',  # noqa: S608
            [*values, meta.pk.get_db_prep_save(row.pk, connection)],
        )


@lru_cache(maxsize=64)
def _select(
    model: type[models.Model], columns: tuple[str, ...], using: str
) -> tuple[str, list[str], list[Callable[[Any], Any]]]:
    # In the order of the model, by which Django tells which value is whose.
    fields = [one for one in model._meta.concrete_fields if one.attname in columns]
    named = ", ".join(f't."{field.column}"' for field in fields)
    return (
        f'SELECT {named} FROM "{model._meta.db_table}" t ',  # noqa: S608 - own columns
        [field.attname for field in fields],
        [_converter(field, connections[using]) for field in fields],
    )


def _converter(field: Any, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    column = field.get_col(field.model._meta.db_table)
    steps = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
    if not steps:
        return _as_is

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert


def _as_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=64)
def _insert(model: type[models.Model]) -> tuple[list[Any], str, str]:
    meta = model._meta
    fields = [one for one in meta.concrete_fields if not isinstance(one, models.AutoField)]
    named = ", ".join(f'"{field.column}"' for field in fields)
    return fields, f'INSERT INTO "{meta.db_table}" ({named}) VALUES', f'"{meta.pk.column}"'
