"""How the records of this room end."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "backups.devices", "Hardware taken out of service, and who saw it", Category.TRAIL,
        ("backups.Device",), Ending.STAYS, "it proves what became of each device",
    ),
    RecordKind(
        "backups.plans", "Plans for disasters, and who leads them", Category.TRAIL,
        ("backups.RecoveryPlan",), Ending.STAYS, "they prove what was planned when",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
