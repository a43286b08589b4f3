"""Let Django's test runner flush tables that nothing else may empty.

A transactional test ends by emptying every table, which the append-only triggers refuse,
as they should. The fixture drops them around that one flush and puts them back. It lives
with the tests: the product has no way to do this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase

from audit.rules import append_only
from policies.rules import immutable


def run_each(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def triggers_bypassed() -> Iterator[None]:
    """Do what a database owner can do: take the triggers away, act, put them back."""
    run_each(append_only.drop_statements(connection.vendor))
    run_each(immutable.drop_statements(connection.vendor))
    try:
        yield
    finally:
        run_each(append_only.create_statements(connection.vendor))
        run_each(immutable.create_statements(connection.vendor))


@pytest.fixture(scope="session", autouse=True)
def append_only_yields_to_flush() -> Iterator[None]:
    original = TransactionTestCase._fixture_teardown
    if getattr(original, "yields", False):
        yield
        return

    def flush_without_triggers(self: TransactionTestCase) -> None:
        if "audit_event" not in connection.introspection.table_names():
            original(self)
            return
        with triggers_bypassed():
            original(self)

    flush_without_triggers.yields = True  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = flush_without_triggers
    yield
    TransactionTestCase._fixture_teardown = original
