"""Make the role that reads counts, where the database has roles."""

from typing import Any

from django.db import migrations

from releases.rules import reader


def install(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, reader.create_statements(schema_editor.connection.vendor))


def remove(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, reader.drop_statements(schema_editor.connection.vendor))


def _execute(schema_editor: Any, statements: list[str]) -> None:
    # The tables are in one database only; another that is migrated has nothing to read.
    with schema_editor.connection.cursor() as cursor:
        tables = set(schema_editor.connection.introspection.table_names(cursor))
        if not set(reader.TABLES) <= tables:
            return
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("releases", "0002_counts")]

    operations = [migrations.RunPython(install, remove)]
