"""What the models say is what the migrations make, in the database where it belongs."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.mark.parametrize("database", ["default", "keys"])
def test_no_migration_is_missing(database: str) -> None:
    # Exits with a status if a model has changed since.
    call_command("makemigrations", check=True, dry_run=True, interactive=False, verbosity=0)
    call_command("migrate", database=database, check_unapplied=True, verbosity=0)


def test_keys_lie_in_their_own_database_and_nothing_else_does() -> None:
    keys = {model._meta.db_table for model in apps.get_app_config("vault").get_models()}
    there = set(connections["keys"].introspection.table_names()) - {"django_migrations"}
    beside = set(connections["default"].introspection.table_names())
    assert there == keys
    assert beside & keys == set()


def test_each_app_has_one_latest_migration() -> None:
    from django.db.migrations.loader import MigrationLoader

    assert MigrationLoader(None).detect_conflicts() == {}
