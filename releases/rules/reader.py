"""Who reads counts in the database: a role that can read nothing else (LIFEIMAGE-5.4). Pure.

On PostgreSQL a role that nobody can sign in as; SQLite has none, and asks an authoriser instead.
"""

from __future__ import annotations

from typing import Final

ROLE: Final = "collimate_counts"
# Not who was counted: a reader of numbers needs no pseudonyms.
TABLES: Final = ("releases_snapshot", "releases_snapshotblock")

# A role belongs to all databases of a server, so another portal there may have made it.
ROLE_IS_THERE: Final = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
        GRANT {ROLE} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_SCHEMA_IS_SEEN: Final = f"""
DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
END $$
"""


def create_statements(vendor: str) -> list[str]:
    """Return what makes the role and lets it read counts; safe to run twice."""
    if vendor != "postgresql":
        return []
    return [ROLE_IS_THERE, _SCHEMA_IS_SEEN, f"GRANT SELECT ON {', '.join(TABLES)} TO {ROLE}"]


def drop_statements(vendor: str) -> list[str]:
    """Take the rights back. The role stays: it may be another portal's too."""
    if vendor != "postgresql":
        return []
    return [f"REVOKE ALL ON {', '.join(TABLES)} FROM {ROLE}"]
