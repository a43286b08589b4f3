"""Statements that let nobody alter a posted version, for PostgreSQL and for SQLite."""

from __future__ import annotations

TABLE = "policies_policyversion"
# Everything but who withdrew it and when, which are written once.
FIXED = (
    "id", "organisation_id", "pack_code", "revision", "values", "digest", "reason", "drafted_by",
    "drafted_at", "saved_at", "posted_by", "posted_at", "effective_at", "is_material",
)  # fmt: skip
_SAID = "a posted version of a policy cannot be changed"

_POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION policies_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{_SAID}: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def create_statements(vendor: str) -> list[str]:
    differs = "DISTINCT FROM" if vendor == "postgresql" else "NOT"
    changed = " OR ".join(f'NEW."{name}" IS {differs} OLD."{name}"' for name in FIXED)
    update = f"OLD.posted_at IS NOT NULL AND (OLD.withdrawn_at IS NOT NULL OR {changed})"
    occasions = {"update": update, "delete": "OLD.posted_at IS NOT NULL"}
    if vendor == "postgresql":
        return [
            _POSTGRES_FUNCTION,
            *(
                f"CREATE OR REPLACE TRIGGER policies_no_{act} BEFORE {act.upper()} ON {TABLE} "
                f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION policies_refuse_change()"
                for act, when in occasions.items()
            ),
        ]
    return [
        f"CREATE TRIGGER IF NOT EXISTS policies_no_{act} BEFORE {act.upper()} ON {TABLE} "
        f"WHEN {when} BEGIN SELECT RAISE(ABORT, '{_SAID}: {act.upper()} refused'); END"
        for act, when in occasions.items()
    ]


def drop_statements(vendor: str) -> list[str]:
    on = f" ON {TABLE}" if vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS policies_no_{act}{on}" for act in ("update", "delete")]
