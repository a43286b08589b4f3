"""How the records of this room end."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "backups.devices", "Hardware taken out of service, and who saw it", Category.TRAIL,
        ("backups.Device",), Ending.STAYS, "it proves what became of each device",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
