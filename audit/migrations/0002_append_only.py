"""Refuse changes to the trail in the database itself, and queue each new event for sealing."""

from typing import Any

from django.db import migrations

from audit.rules import append_only


def install(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    _execute(
        schema_editor,
        append_only.create_statements(vendor) + append_only.queue_statements(vendor),
    )


def remove(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    _execute(
        schema_editor,
        append_only.drop_statements(vendor) + append_only.drop_queue_statements(vendor),
    )


def _execute(schema_editor: Any, statements: list[str]) -> None:
    # The tables are in one database only; another that is migrated has nothing to guard.
    with schema_editor.connection.cursor() as cursor:
        tables = set(schema_editor.connection.introspection.table_names(cursor))
        if not set(append_only.APPEND_ONLY_TABLES) <= tables:
            return
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
