"""The statements that make a table append-only, for PostgreSQL and for SQLite.

They stop the application and its mistakes. The owner of a database can take them away;
what an owner does is for the sealed tree to show.
"""

from __future__ import annotations

APPEND_ONLY_TABLES = {
    # table: its unique columns
    "audit_event": ("id",),
    "audit_leaf": ("number", "event_id"),
    "audit_checkpoint": ("id", "size"),
}

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

# The one insert of an event also queues it for sealing, so that the sealer need not search.
_POSTGRES_QUEUE = [
    """
CREATE OR REPLACE FUNCTION audit_queue_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pendingevent (event_id, occurred_at) VALUES (NEW.id, NEW.occurred_at);
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE TRIGGER audit_event_queue AFTER INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_queue_event()
""",
]
_SQLITE_QUEUE = [
    """
CREATE TRIGGER IF NOT EXISTS audit_event_queue AFTER INSERT ON audit_event BEGIN
    INSERT INTO audit_pendingevent (event_id, occurred_at) VALUES (NEW.id, NEW.occurred_at);
END
"""
]


def create_statements(vendor: str) -> list[str]:
    """Return what refuses every change; safe to run twice."""
    if vendor == "postgresql":
        return [_POSTGRES_FUNCTION, *map(_postgres_trigger, APPEND_ONLY_TABLES)]
    return [
        statement
        for table, unique in APPEND_ONLY_TABLES.items()
        for statement in _sqlite_triggers(table, unique)
    ]


def drop_statements(vendor: str) -> list[str]:
    """Return what takes the refusals away again: for the reversal of a migration, and tests."""
    if vendor == "postgresql":
        return [
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}" for table in APPEND_ONLY_TABLES
        ]
    return [
        f"DROP TRIGGER IF EXISTS {table}_no_{act}"
        for table in APPEND_ONLY_TABLES
        for act in ("update", "delete", "replace")
    ]


def queue_statements(vendor: str) -> list[str]:
    """Return what queues each new event for the sealer."""
    return _POSTGRES_QUEUE if vendor == "postgresql" else _SQLITE_QUEUE


def drop_queue_statements(vendor: str) -> list[str]:
    on = " ON audit_event" if vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS audit_event_queue{on}"]


def _postgres_trigger(table: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {table}_append_only"
        f" BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()"
    )


def _sqlite_triggers(table: str, unique: tuple[str, ...]) -> list[str]:
    same = " OR ".join(f"{column} = NEW.{column}" for column in unique)
    # INSERT OR REPLACE deletes the old row without waking a trigger for DELETE.
    occasions = {
        "update": f"BEFORE UPDATE ON {table}",
        "delete": f"BEFORE DELETE ON {table}",
        # Tables and columns are those above, never a stranger's.
        "replace": f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})",  # noqa: S608
    }
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act} {occasion} BEGIN SELECT RAISE"
        f"(ABORT, '{table} is append-only: {act.upper()} refused'); END"
        for act, occasion in occasions.items()
    ]
