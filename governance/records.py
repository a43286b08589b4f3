"""How the records of this room end."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "governance.exports", "Exports that law asked for", Category.TRAIL,
        ("governance.LegalExport",), Ending.STAYS, "they show to whom what was handed out, and why",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
