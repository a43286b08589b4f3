"""Refuse changes to posted versions in the database itself."""

from typing import Any

from django.db import migrations

from policies.rules import immutable


def install(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, immutable.create_statements(schema_editor.connection.vendor))


def remove(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, immutable.drop_statements(schema_editor.connection.vendor))


def _execute(schema_editor: Any, statements: list[str]) -> None:
    # The table is in one database only; another that is migrated has nothing to guard.
    with schema_editor.connection.cursor() as cursor:
        if immutable.TABLE not in schema_editor.connection.introspection.table_names(cursor):
            return
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
